import { setTimeout as delay } from 'node:timers/promises';
import { FILE_HEADER_BYTES } from './file-header.ts';
import type { FrameBufferPool } from './frame-buffer-pool.ts';
import type { LogFile } from './item-directory.ts';

/** After a failure, this passes before the same is tried again. */
const RETRY_MS = 1_000;

/** Written bytes that are kept for writing them again, should the system fail to bring them to disk. */
const UNSYNCED_BYTES_MAX = 16 * 1024 * 1024;

/**
 * When what is written is brought to disk: before it is acknowledged, every second (by whoever calls `sync`), or when
 * the system likes.
 */
export type Fsync = 'always' | 'everysec' | 'no';

interface LogWriterParts {
  readonly buffers: FrameBufferPool;
  readonly fsync: Fsync;
  /** Told when more is written or brought to disk, and when trouble begins or ends. */
  readonly progressed: () => void;
  /** Told once when trouble begins; false: nothing is tried again. */
  readonly failed: (error: unknown) => boolean;
  readonly recovered: () => void;
}

/** How a file is begun that frames go into. */
type OpenFile = () => Promise<{ readonly file: LogFile; readonly header: Buffer }>;

type Step = { readonly frame: Buffer } | { readonly open: OpenFile } | { readonly settled: () => void };

interface Written {
  readonly frame: Buffer;
  readonly at: number;
}

/**
 * Writes frames to files in the order in which they come, one write after the other, and never waits where
 * changes are made. What fails is tried again until it succeeds; also what the system had taken, but could not
 * bring to disk.
 */
export class LogWriter {
  /** Bytes of frames since the start: given, written, and on disk (as far as that is asked for). */
  appended = 0;
  written = 0;
  kept = 0;
  /** How many frames are certainly on disk. */
  framesKept = 0;
  /** Bytes of the file that is being written. */
  fileBytes = 0;
  /** Why nothing can be written now. */
  trouble: unknown = undefined;
  failures = 0;
  readonly #parts: LogWriterParts;
  readonly #steps: Step[] = [];
  #file: LogFile | undefined;
  #unsynced: Written[] = [];
  #unsyncedBytes = 0;
  /** Did the system fail to bring something to disk? It may have dropped that. */
  #doubtful = false;
  #syncWanted = false;
  #running: Promise<void> | undefined;
  #abandoned = false;
  #isLastTry = false;

  constructor(parts: LogWriterParts) {
    this.#parts = parts;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  get unwritten(): number {
    return this.appended - this.written;
  }

  /** Writes a frame, whose buffer is the writer's from now on. */
  append(frame: Buffer): void {
    this.appended += frame.length;
    this.#steps.push({ frame });
    this.#start();
  }

  /** Frames from now on go into another file, once all before them are on disk. */
  switchTo(open: OpenFile): void {
    this.#steps.push({ open });
    this.#start();
  }

  /** Has everything that is written brought to disk soon. */
  sync(): void {
    if (this.#unsynced.length === 0 && this.#steps.length === 0) return;
    this.#syncWanted = true;
    this.#start();
  }

  /**
   * Resolves when everything given until now is on disk, even where the settings do not ask for that. Rejects if it
   * cannot be brought there; with `isLastTry`, nothing is tried again.
   */
  async settle(isLastTry = false): Promise<void> {
    if (isLastTry) this.#isLastTry = true;
    // A step of its own, since where clients never pause there is always something behind it.
    let isSettled = false;
    const settled = new Promise<void>((resolve) => {
      this.#steps.push({
        settled: () => {
          isSettled = true;
          resolve();
        },
      });
    });
    this.#start();
    while (this.#running && !isSettled) await Promise.race([this.#running, settled]);
    if (isLastTry) this.#isLastTry = false;
    if (!isSettled && this.trouble !== undefined) throw this.trouble;
  }

  /** Gives up what is not written yet, and closes the file. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    this.#steps.length = 0;
    await this.#running;
    await this.close();
  }

  /** False: what is written is lost to the next start. */
  async isFileThere(): Promise<boolean> {
    return this.trouble !== undefined || ((await this.#file?.isThere()) ?? true);
  }

  async close(): Promise<void> {
    const file = this.#file;
    // It is not open any more, even where this fails.
    this.#file = undefined;
    await file?.close();
  }

  #start(): void {
    if (this.#running || this.#abandoned) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      this.#parts.progressed();
    });
  }

  async #run(): Promise<void> {
    while (!this.#abandoned && (this.#steps.length > 0 || this.#syncWanted)) {
      try {
        await this.#advance();
        this.#recover();
      } catch (error) {
        if (!this.#fail(error)) return;
        // Not unref'd: the process must not end while a stop waits for this.
        await delay(RETRY_MS);
      }
    }
  }

  async #advance(): Promise<void> {
    if (this.#doubtful) await this.#syncAgain();
    const [step] = this.#steps;
    if (step && 'open' in step) {
      await this.#open(step.open);
      this.#steps.shift();
      return;
    }
    if (step && 'settled' in step) {
      await this.#sync();
      this.#steps.shift();
      step.settled();
      return;
    }
    if (step) {
      await this.#write(step.frame);
      this.#steps.shift();
    }
    const isLast = this.#steps.length === 0;
    const isWanted = this.#syncWanted || this.#parts.fsync === 'always';
    const isMuch = this.#unsyncedBytes > UNSYNCED_BYTES_MAX;
    if (isMuch || (isLast && isWanted)) await this.#sync();
  }

  async #write(frame: Buffer): Promise<void> {
    if (!this.#file) throw new Error('there is no file to write to');
    const at = this.fileBytes;
    await this.#file.write(frame, at);
    this.fileBytes = at + frame.length;
    this.written += frame.length;
    if (this.#parts.fsync === 'no') {
      this.kept = this.written;
      this.#parts.buffers.give(frame);
    } else {
      this.#unsynced.push({ frame, at });
      this.#unsyncedBytes += frame.length;
    }
    this.#parts.progressed();
  }

  async #sync(): Promise<void> {
    this.#syncWanted = false;
    try {
      await this.#file?.sync();
      this.#doubtful = false;
    } catch (error) {
      this.#doubtful = true;
      this.#syncWanted = true;
      throw error;
    }
    for (const { frame } of this.#unsynced) this.#parts.buffers.give(frame);
    this.framesKept += this.#unsynced.length;
    this.#unsynced = [];
    this.#unsyncedBytes = 0;
    this.kept = this.written;
    this.#parts.progressed();
  }

  async #syncAgain(): Promise<void> {
    for (const { frame, at } of this.#unsynced) await this.#file?.write(frame, at);
    await this.#sync();
  }

  async #open(open: OpenFile): Promise<void> {
    await this.#sync();
    await this.close();
    const { file, header } = await open();
    this.#file = file;
    await file.write(header, 0);
    await file.sync();
    this.fileBytes = FILE_HEADER_BYTES;
  }

  // True: it is to be tried again.
  #fail(error: unknown): boolean {
    this.failures++;
    const isNews = this.trouble === undefined;
    this.trouble = error;
    const goesOn = !isNews || this.#parts.failed(error);
    this.#parts.progressed();
    return goesOn && !this.#abandoned && !this.#isLastTry;
  }

  #recover(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.#parts.recovered();
    this.#parts.progressed();
  }
}
