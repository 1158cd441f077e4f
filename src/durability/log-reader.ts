import { type FileHandle, open } from 'node:fs/promises';
import { FILE_HEADER_BYTES, type FileHeader, MARKER_BYTES, parseFileHeader } from './file-header.ts';
import { FRAME_HEADER_BYTES, type FrameHead, frameLength, isSound, readFrameHead } from './frame.ts';

export interface Frame extends FrameHead {
  /** Where in the file it begins. */
  readonly offset: number;
  readonly body: Buffer;
}

// In pieces of this size a damaged file is searched for the next whole frame.
const SEARCHED_BYTES = 1024 * 1024;

/** Reads the frames of a file, one after the other. */
export class LogReader {
  /** Up to here the file is read, and whole. */
  offset = FILE_HEADER_BYTES;
  readonly size: number;
  /** What the file begins with, or why that cannot be read. */
  readonly header: FileHeader | string;
  readonly #path: string;
  readonly #file: FileHandle;

  private constructor(path: string, file: FileHandle, size: number, header: FileHeader | string) {
    this.#path = path;
    this.#file = file;
    this.size = size;
    this.header = header;
  }

  static async open(path: string): Promise<LogReader> {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const reader = new LogReader(path, file, size, '');
      return new LogReader(path, file, size, parseFileHeader(await reader.#read(0, FILE_HEADER_BYTES), path));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The next frame; undefined where there is none, or none that is whole: then `offset` is not `size`. */
  async next(): Promise<Frame | undefined> {
    const frame = await this.#frameAt(this.offset);
    if (frame) this.offset += FRAME_HEADER_BYTES + frame.body.length;
    return frame;
  }

  /** The next frame that is whole, wherever it begins. */
  async search(): Promise<Frame | undefined> {
    for (let at = await this.#find(this.offset); at !== undefined; at = await this.#find(at + 1)) {
      const frame = await this.#frameAt(at);
      if (!frame) continue;
      this.offset = at + FRAME_HEADER_BYTES + frame.body.length;
      return frame;
    }
    return undefined;
  }

  /** Brings what was read to disk, in case the system still holds it in memory only. */
  async sync(): Promise<void> {
    await this.#file.datasync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #frameAt(offset: number): Promise<Frame | undefined> {
    const { marker } = this.#soundHeader();
    const start = await this.#read(offset, FRAME_HEADER_BYTES);
    if (start.length < FRAME_HEADER_BYTES) return undefined;
    const length = frameLength(start, marker);
    if (length === undefined || offset + length > this.size) return undefined;
    const frame = Buffer.allocUnsafeSlow(length);
    start.copy(frame);
    const body = frame.subarray(FRAME_HEADER_BYTES);
    const isRead = await this.#readInto(body, offset + FRAME_HEADER_BYTES);
    return isRead && isSound(frame) ? { ...readFrameHead(frame), offset, body } : undefined;
  }

  // Where the marker of a frame next stands.
  async #find(from: number): Promise<number | undefined> {
    const { marker } = this.#soundHeader();
    for (let at = from; at < this.size; at += SEARCHED_BYTES) {
      const piece = await this.#read(at, SEARCHED_BYTES + MARKER_BYTES);
      const found = piece.indexOf(marker);
      if (found >= 0) return at + found;
    }
    return undefined;
  }

  #soundHeader(): FileHeader {
    if (typeof this.header === 'string') throw new Error(this.header);
    return this.header;
  }

  async #read(offset: number, bytes: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(bytes, this.size - offset)));
    await this.#readInto(buffer, offset);
    return buffer;
  }

  // False: the file ended before.
  async #readInto(buffer: Buffer, offset: number): Promise<boolean> {
    for (let done = 0; done < buffer.length; ) {
      const bytesRead = await this.#readOnce(buffer, done, offset + done);
      if (bytesRead === 0) return false;
      done += bytesRead;
    }
    return true;
  }

  // The system's own error names no file.
  async #readOnce(buffer: Buffer, done: number, at: number): Promise<number> {
    try {
      return (await this.#file.read(buffer, done, buffer.length - done, at)).bytesRead;
    } catch (error) {
      if (error instanceof Error) error.message = `${this.#path} cannot be read: ${error.message}`;
      throw error;
    }
  }
}
