import type { Socket } from 'node:net';
import { symbolOf } from '../../sockets/direct-writes.ts';

/** What one read takes at most: three times what Node reads by itself, so that fewer large values come in pieces. */
export const READ_BYTES_MAX = 192 * 1024;

interface StreamHandle {
  useUserBuffer(buffer: Uint8Array): void;
}

/**
 * Reads from all clients into one buffer. Node offers that for connections that it opens (`onread`), but not for those
 * that it accepts: each read is given 64 KB of new memory, which costs a quarter of the requests per second where
 * clients send one at a time. So this sets what `onread` would set. Where a Node keeps that elsewhere, or the
 * connection is not plain TCP, it is read in the usual way.
 */
export class SharedReads {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES_MAX);
  /** The members in which Node keeps the buffer and whom to tell: the same in all sockets. */
  #bufferMember: symbol | undefined;
  #callbackMember: symbol | undefined;

  /** Calls `receive` with what comes: the first `length` bytes of a buffer, valid only until it returns. */
  attach(socket: Socket, receive: (buffer: Buffer, length: number) => void): void {
    const handle = (socket as { _handle?: Partial<StreamHandle> | null })._handle;
    this.#bufferMember ??= symbolOf(socket, 'kBuffer');
    this.#callbackMember ??= symbolOf(socket, 'kBufferCb');
    const isKnown = this.#bufferMember && this.#callbackMember && handle?.constructor.name === 'TCP';
    if (!isKnown || !handle.useUserBuffer) {
      socket.on('data', (chunk: Buffer) => receive(chunk, chunk.length));
      return;
    }
    const members = socket as unknown as Record<symbol, unknown>;
    members[this.#bufferMember as symbol] = this.#buffer;
    members[this.#callbackMember as symbol] = (length: number) => receive(this.#buffer, length);
    handle.useUserBuffer(this.#buffer);
    // Node tells of the end of what a client sends only while it reads.
    socket.resume();
  }
}
