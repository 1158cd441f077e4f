import { performance } from 'node:perf_hooks';
import { type Clock, clockSet } from '../engine/clock.ts';
import type { CommitGate } from '../engine/commit-gate.ts';
import { Refusal } from '../engine/errors.ts';
import type { Draft, Item } from '../engine/item.ts';
import type { ItemMarks, Journal, JournaledCache } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import { messageOf } from '../thrown.ts';
import { type FileHeader, formatFileHeader, newFileHeader } from './file-header.ts';
import { FRAME_HEADER_BYTES, sealFrame } from './frame.ts';
import { FrameBufferPool } from './frame-buffer-pool.ts';
import type { GenerationFile, ItemDirectory } from './item-directory.ts';
import { type Fsync, LogWriter } from './log-writer.ts';
import { RecordWriter } from './record-writer.ts';

// How long records wait to be written together, and how often what is written is brought to disk.
const WRITE_INTERVAL_MS = 100;
const SYNC_INTERVAL_MS = 1_000;

interface ItemJournalParts {
  readonly directory: ItemDirectory;
  readonly fsync: Fsync;
  readonly clock: Clock;
  /** The number that the next version of an item gets. */
  readonly nextCas: () => number;
  /** The number of the first frame. */
  readonly sequence: number;
  /** Beyond so many bytes that are not written yet, clients wait for their answers. */
  readonly unwrittenBytesMax: number;
  /** Told once when trouble begins; false: nothing is tried again. */
  readonly failed: (error: unknown) => boolean;
  readonly recovered: () => void;
}

interface Waiter {
  /** Which position it waits for. */
  readonly position: number;
  readonly told: (isKept: boolean) => void;
}

/** Writes what it is told into one file after the other. */
export class ItemJournal implements Journal, CommitGate {
  readonly writer: LogWriter;
  readonly #parts: ItemJournalParts;
  readonly #records: RecordWriter;
  #header: FileHeader | undefined;
  #generation = 0;
  #sequence: number;
  /** When the frame was begun that records go into. */
  #begunAt = 0;
  /** Since when something waits to be kept; undefined: nothing does. */
  #behindSince: number | undefined;
  #writeTimer: NodeJS.Timeout | NodeJS.Immediate | undefined;
  readonly #syncTimer: NodeJS.Timeout | undefined;
  #waiters: Waiter[] = [];
  /** Did trouble begin within this turn? Then answers may be about to leave that confirm what was changed before. */
  #isTroubleNew = false;

  constructor(parts: ItemJournalParts) {
    const { fsync, clock } = parts;
    this.#parts = parts;
    this.#sequence = parts.sequence;
    const buffers = new FrameBufferPool();
    this.#records = new RecordWriter({
      buffers,
      full: (frame) => this.#append(frame),
      begun: () => {
        const set = clockSet(clock);
        // As times of expiry are told, so that what has expired by then is the same for who reads it.
        this.#begunAt = clock.now() + set;
        return set;
      },
    });
    this.writer = new LogWriter({
      buffers,
      fsync,
      progressed: () => this.#progressed(),
      failed: (error) => this.#failed(error),
      recovered: parts.recovered,
    });
    if (fsync === 'everysec') {
      this.#syncTimer = setInterval(() => this.writer.sync(), SYNC_INTERVAL_MS).unref();
    }
  }

  /** The number of the next frame. */
  get sequence(): number {
    return this.#sequence;
  }

  /** How many bytes it was told since the start. */
  get position(): number {
    return this.writer.appended + this.#records.waiting;
  }

  /** How much is not kept yet, and for how long the oldest of it waits. */
  get lag(): { bytes: number; ms: number } {
    const bytes = this.position - this.writer.kept;
    const since = this.#behindSince;
    return { bytes, ms: since === undefined ? 0 : performance.now() - since };
  }

  get isOpen(): boolean {
    return this.#reached(this.position) || (this.writer.trouble !== undefined && !this.#isTroubleNew);
  }

  wait(told: (isKept: boolean) => void): void {
    const isFailing = this.writer.trouble !== undefined && !this.#isTroubleNew;
    if (this.#reached(this.position)) told(true);
    else if (isFailing) told(this.#parts.fsync !== 'always');
    else this.#waiters.push({ position: this.position, told });
  }

  /** What is told from now on goes into a new file. */
  begin(file: GenerationFile): void {
    this.flush();
    const { directory } = this.#parts;
    const header = newFileHeader(file.generation, this.#sequence);
    this.#header = header;
    this.#generation = file.generation;
    this.writer.switchTo(async () => ({
      file: await directory.create(file),
      header: formatFileHeader(header),
    }));
  }

  /** Hands what was told to the writer. */
  flush(): void {
    clearTimeout(this.#writeTimer as NodeJS.Timeout);
    clearImmediate(this.#writeTimer as NodeJS.Immediate);
    this.#writeTimer = undefined;
    const frame = this.#records.take();
    if (frame) this.#append(frame);
  }

  /** Writes a frame even if nothing was told, for the counters that it carries. */
  flushCounters(): void {
    this.flush();
    this.#append(Buffer.alloc(FRAME_HEADER_BYTES), this.#parts.clock.unixNow());
  }

  /** Hands over what was told last, and has nothing brought to disk by itself any more. */
  stop(): void {
    clearInterval(this.#syncTimer);
    this.flush();
  }

  admit(): void {
    const { trouble } = this.writer;
    if (trouble === undefined) return;
    throw new Refusal('store_unavailable', `changes cannot be kept on disk now (${messageOf(trouble)})`);
  }

  itemPut(cache: JournaledCache, key: Key, draft: Draft, accessedAt: number): void {
    if (cache.describedIn !== this.#generation) this.describe(cache);
    this.#records.put(cache.number, key, draft, accessedAt);
    this.#told();
  }

  /** An item that is there already, of a cache that was described. */
  itemFound(cache: JournaledCache, key: Key, item: Item): void {
    this.#records.kept(cache.number, key, item);
    this.#told();
  }

  itemAmended(cache: JournaledCache, key: Key, marks: ItemMarks): void {
    this.#records.amended(cache.number, key, marks);
    this.#told();
  }

  itemRemoved(cache: JournaledCache, key: Key): void {
    this.#records.removed(cache.number, key);
    this.#told();
  }

  cacheCleared(cache: JournaledCache): void {
    this.#records.cleared(cache.number);
    this.#told();
  }

  clearPlanned(cache: JournaledCache): void {
    this.describe(cache);
  }

  cacheDeleted(cache: JournaledCache): void {
    this.#records.deleted(cache.number);
    this.#told();
  }

  /** Says everything of a cache but its items. */
  describe(cache: JournaledCache): void {
    cache.describedIn = this.#generation;
    this.#records.cache(cache);
    if (cache.clearAt !== undefined) this.#records.clearPlanned(cache.number, cache.clearAt);
    this.#told();
  }

  /** Says that the file holds everything there is. */
  complete(): void {
    this.#records.complete();
    this.#told();
  }

  #append(frame: Buffer, begunAt = this.#begunAt): void {
    if (!this.#header) throw new Error('there is no file for what is told');
    const { nextCas, fsync, sequence } = this.#parts;
    sealFrame(frame, this.#header.marker, {
      sequence: this.#sequence++,
      begunAt,
      nextCas: nextCas(),
      kept: fsync === 'no' ? 0 : sequence + this.writer.framesKept,
    });
    this.writer.append(frame);
  }

  // One write for all that is told within a moment; where answers wait for it, for all that is told within a turn, or
  // while the last write is under way.
  #told(): void {
    this.#behindSince ??= performance.now();
    if (this.#writeTimer !== undefined) return;
    if (this.#parts.fsync !== 'always') {
      this.#writeTimer = setTimeout(() => this.flush(), WRITE_INTERVAL_MS).unref();
    } else if (this.writer.isIdle) {
      this.#writeTimer = setImmediate(() => this.flush());
    }
  }

  #failed(error: unknown): boolean {
    this.#isTroubleNew = true;
    setImmediate(() => {
      this.#isTroubleNew = false;
      this.#progressed();
    });
    return this.#parts.failed(error);
  }

  #progressed(): void {
    if (this.writer.kept === this.position) this.#behindSince = undefined;
    else if (this.writer.isIdle && this.#parts.fsync === 'always') this.flush();
    const { trouble } = this.writer;
    const { fsync } = this.#parts;
    let i = 0;
    for (; i < this.#waiters.length; i++) {
      const { position, told } = this.#waiters[i] as Waiter;
      if (this.#reached(position)) told(true);
      else if (trouble !== undefined) told(fsync !== 'always');
      else break;
    }
    if (i > 0) this.#waiters = this.#waiters.slice(i);
  }

  #reached(position: number): boolean {
    const { fsync, unwrittenBytesMax } = this.#parts;
    if (fsync === 'always') return this.writer.kept >= position;
    return this.writer.appended - this.writer.written <= unwrittenBytesMax;
  }
}
