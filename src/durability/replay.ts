import { performance } from 'node:perf_hooks';
import { type Clock, clockSet, type Moment } from '../engine/clock.ts';
import type { Draft } from '../engine/item.ts';
import type { CacheDescription, ItemMarks, JournaledStore, Restoration } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import type { FrameHead } from './frame.ts';
import { type RecordListener, readRecords } from './record-reader.ts';

/**
 * After a restart, version numbers go on this far beyond the last known one, so that those given after it are never
 * given again. A day of half a million writes a second takes fewer.
 */
const CAS_LEAP = 2 ** 36;

/** How long a frame is told, as a rule: within that, what expires goes by the millisecond. */
const FRAME_MS = 100;

/**
 * Puts into a store what records tell, with the times of its clock: what has expired meanwhile, too, since a later
 * record may say that it lives on.
 */
export class Replay implements RecordListener {
  /** Items that were put, also over others. */
  items = 0;
  /** Items of unknown caches: only in a journal with gaps. */
  strays = 0;
  /** Did a file say that it holds everything, with what follows it? */
  isComplete = false;
  readonly #store: JournaledStore;
  readonly #restoration: Restoration;
  readonly #moment: Moment;
  readonly #clockSet: number;
  /** Times of the machine's clock: it may have been set back since, or between any two frames. */
  readonly #startedAt: number;
  /** By the clock of the store: what it says while a record is read, at the beginning of its frame, and at most. */
  #now = 0;
  #begunAt = 0;
  #until = 0;
  #lastBegunAt = 0;
  #nextCas = 0;
  readonly #clears = new Map<number, number>();

  constructor(store: JournaledStore, clock: Clock & Moment) {
    this.#store = store;
    this.#restoration = store.restoration(() => this.#later());
    this.#moment = clock;
    this.#clockSet = clockSet(clock);
    this.#startedAt = clock.unixNow();
  }

  /** `endedBy`: when the next frame was begun, if that is known. */
  frame(body: Buffer, { begunAt, nextCas }: Pick<FrameHead, 'begunAt' | 'nextCas'>, endedBy?: number): void {
    // What had expired before any of this was told makes room first, as it did then. Nothing goes before room is
    // needed: the machine's clock may have been set, and a later record give it more time.
    this.#begunAt = Math.min(begunAt, this.#startedAt) - this.#clockSet;
    this.#hold(this.#begunAt);
    this.#until = Math.min(endedBy ?? this.#startedAt, this.#startedAt) - this.#clockSet;
    this.#lastBegunAt = begunAt;
    this.#nextCas = Math.max(this.#nextCas, nextCas);
    try {
      readRecords(body, this);
    } finally {
      this.#until = 0;
      this.#moment.release();
    }
  }

  /** Everything was read. */
  finish(): void {
    if (this.#lastBegunAt > this.#startedAt) this.#removeExpired(this.#lastBegunAt);
    this.#restoration.orderByUse();
    if (this.#nextCas > 0) this.#store.nextCas = this.#nextCas + CAS_LEAP;
  }

  /** Plans the clears that were to come. Once changes are told: when one is carried out has to be known, too. */
  planClears(): void {
    for (const [cache, at] of this.#clears) this.#restoration.clearPlanned(cache, at - this.#clockSet);
  }

  cache(description: CacheDescription): void {
    this.#restoration.cache(description);
  }

  put(cache: number, key: Key, draft: Draft, accessedAt: number): void {
    this.items++;
    const local = { ...draft, expiresAt: this.#local(draft.expiresAt) };
    if (!this.#restoration.itemPut(cache, key, local, accessedAt - this.#clockSet)) this.strays++;
  }

  amended(cache: number, key: Key, marks: ItemMarks): void {
    const { expiresAt, accessedAt } = marks;
    const local = { expiresAt: this.#local(expiresAt), accessedAt: accessedAt - this.#clockSet };
    this.#restoration.itemAmended(cache, key, { ...marks, ...local });
  }

  removed(cache: number, key: Key): void {
    this.#restoration.itemRemoved(cache, key);
  }

  cleared(cache: number): void {
    this.#clears.delete(cache);
    this.#restoration.cacheCleared(cache);
  }

  clearPlanned(cache: number, at: number): void {
    this.#clears.set(cache, at);
  }

  deleted(cache: number): void {
    this.#clears.delete(cache);
    this.#restoration.cacheDeleted(cache);
  }

  complete(): void {
    this.isComplete = true;
  }

  #hold(now: number): void {
    this.#now = now;
    this.#moment.hold(now - performance.timeOrigin);
  }

  // What expired while the frame was told made room for the rest of it. That is what expired first: only as much goes
  // as is needed, since a later record may give the others more time. False: that was all.
  #later(): boolean {
    if (this.#now >= this.#until) return false;
    // A frame seldom took longer to tell; beyond, the steps grow, since the next may have come a day after it.
    const stepMs = Math.max(1, this.#now - this.#begunAt - FRAME_MS);
    this.#hold(Math.min(this.#now + stepMs, this.#until));
    return true;
  }

  // What expired at once has 0, and less by a clock that was set back: no store has a time before the epoch.
  #local(expiresAt: number): number {
    return Math.max(0, expiresAt - this.#clockSet);
  }

  // Items that had expired do not come back because the clock was set back since.
  #removeExpired(now: number): void {
    const expired: [number: number, key: string][] = [];
    let place = 0;
    do {
      place = this.#store.visit(place, ({ number }, key, item) => {
        if (item.expiresAt + this.#clockSet <= now) expired.push([number, String(key)]);
      });
    } while (place !== 0);
    for (const [number, key] of expired) this.#restoration.itemRemoved(number, key);
  }
}
