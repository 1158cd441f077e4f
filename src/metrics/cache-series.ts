import { setImmediate as othersTurn } from 'node:timers/promises';

/** A cache as its series need it. */
export interface WatchedCache {
  readonly projectId: string;
  readonly name: string;
  readonly statistics: Readonly<Record<'getHits' | 'getMisses' | 'sets' | 'deleteHits', number>>;
  /** Undefined: there is no such cache (yet, or any more). */
  glance(): Contents | undefined;
}

/** What a cache holds, and what became of its items. */
interface Contents {
  readonly items: number;
  readonly bytes: number;
  readonly evictions: number;
  readonly expirations: number;
}

/** What is counted of a cache, in the order of `CacheRow.counts`. */
export const COUNTERS = ['hits', 'misses', 'sets', 'deletes', 'evictions', 'expirations'] as const;

/** What the series of one cache tell. */
export interface CacheRow {
  readonly project: string;
  readonly cache: string;
  /** They never go down. */
  readonly counts: Float64Array;
  readonly items: number;
  readonly bytes: number;
}

/** The labels of what all caches without series of their own did. No project has such an id. */
export const OTHERS = 'other';

/** How long series stay with their caches where there are more caches than series. */
export const SERIES_KEPT_MS = 10 * 60_000;

// Another cache must be used so many times as much before it takes over a series.
const LOYALTY = 2;

// How many caches are compared without a pause.
const COMPARED_MAX = 2000;

/** A cache with series of its own. */
class Seat implements CacheRow {
  readonly project: string;
  readonly cache: string;
  readonly counts = newCounts();
  items = 0;
  bytes = 0;
  seenInRound = 0;
  /** What the cache itself had counted when it was last read; it begins anew when it is deleted. */
  readonly #last = newCounts();
  readonly #watched: WatchedCache;

  constructor(watched: WatchedCache) {
    this.project = watched.projectId;
    this.cache = watched.name;
    this.#watched = watched;
  }

  get isGone(): boolean {
    return this.#watched.glance() === undefined;
  }

  /** Begins to count now, instead of with what the cache has counted already. */
  forgetPast(): void {
    this.read(newCounts());
    this.counts.fill(0);
  }

  /** Reads the cache, and takes what is new off `news`. */
  read(news: Float64Array): void {
    const contents = this.#watched.glance();
    const { statistics } = this.#watched;
    this.items = contents?.items ?? 0;
    this.bytes = contents?.bytes ?? 0;
    this.#count(0, statistics.getHits, news);
    this.#count(1, statistics.getMisses, news);
    this.#count(2, statistics.sets, news);
    this.#count(3, statistics.deleteHits, news);
    this.#count(4, contents?.evictions ?? 0, news);
    this.#count(5, contents?.expirations ?? 0, news);
  }

  #count(counter: number, count: number, news: Float64Array): void {
    const last = this.#last[counter] ?? 0;
    const change = count >= last ? count - last : count;
    this.#last[counter] = count;
    add(this.counts, counter, change);
    add(news, counter, -change);
  }
}

/**
 * Which caches have series of their own, and what the series tell. Where there are more caches than
 * series, the most used ones have them, and what all others do is told as one.
 */
export class CacheSeries {
  readonly #seatsMax: number;
  readonly #now: () => number;
  readonly #seats = new Map<WatchedCache, Seat>();
  readonly #others = { project: OTHERS, cache: OTHERS, counts: newCounts(), items: 0, bytes: 0 };
  #totalsBefore = newCounts();
  /** How much each cache was used until the series were given last. */
  #usesBefore = new Map<WatchedCache, number>();
  #givenAt = Number.NEGATIVE_INFINITY;
  #waiting = 0;
  #round = 0;

  /** `now` gives milliseconds since the Unix epoch. */
  constructor(seatsMax: number, now: () => number) {
    this.#seatsMax = seatsMax;
    this.#now = now;
  }

  /** How many caches have series of their own. */
  get seated(): number {
    return this.#seats.size;
  }

  /** How many caches in use have none. */
  get waiting(): number {
    return this.#waiting;
  }

  rows(): CacheRow[] {
    return [...this.#seats.values(), this.#others];
  }

  /** Chooses the caches that have series, in turns of some thousands. */
  async choose(caches: Iterable<WatchedCache>): Promise<void> {
    const present = [...caches];
    await othersTurn();
    this.#leaveSeats(present);
    if (present.length <= this.#seatsMax) {
      for (const cache of present) this.#seat(cache);
    } else if (this.#now() - this.#givenAt >= SERIES_KEPT_MS) {
      this.#givenAt = this.#now();
      const chosen = await this.#mostUsed(present);
      for (const cache of this.#seats.keys()) if (!chosen.has(cache)) this.#seats.delete(cache);
      for (const cache of chosen) this.#seat(cache);
    }
    this.#waiting = present.length - this.#seats.size;
  }

  /** Reads every cache that has series; `totals` (and their counts) are those of all caches now. */
  read(totals: Pick<CacheRow, 'counts' | 'items' | 'bytes'>): void {
    const news = totals.counts.map((count, i) => count - (this.#totalsBefore[i] ?? 0));
    let { items, bytes } = totals;
    for (const seat of this.#seats.values()) {
      seat.read(news);
      items -= seat.items;
      bytes -= seat.bytes;
    }
    for (const [i, change] of news.entries()) add(this.#others.counts, i, Math.max(0, change));
    this.#others.items = Math.max(0, items);
    this.#others.bytes = Math.max(0, bytes);
    this.#totalsBefore = totals.counts;
  }

  // A cache that is gone has no series any more.
  #leaveSeats(present: readonly WatchedCache[]): void {
    this.#round++;
    for (const cache of present) {
      const seat = this.#seats.get(cache);
      if (seat) seat.seenInRound = this.#round;
    }
    for (const [cache, seat] of this.#seats) {
      if (seat.seenInRound !== this.#round || seat.isGone) this.#seats.delete(cache);
    }
  }

  #seat(cache: WatchedCache): void {
    if (this.#seats.has(cache)) return;
    const seat = new Seat(cache);
    if (seat.isGone) return;
    // What a cache did while it waited was told with the others'.
    if (this.#waiting > 0) seat.forgetPast();
    this.#seats.set(cache, seat);
  }

  async #mostUsed(present: readonly WatchedCache[]): Promise<Set<WatchedCache>> {
    const uses = new Float64Array(present.length);
    const usesNow = new Map<WatchedCache, number>();
    for (const [i, cache] of present.entries()) {
      if (i % COMPARED_MAX === COMPARED_MAX - 1) await othersTurn();
      uses[i] = this.#recentUses(cache);
      usesNow.set(cache, usesOf(cache));
    }
    this.#usesBefore = usesNow;
    // A typed array is sorted by number, ten times as fast as by a function.
    const least = uses.toSorted()[present.length - this.#seatsMax] ?? Number.POSITIVE_INFINITY;
    await othersTurn();
    const certain = present.filter((_cache, i) => (uses[i] ?? 0) > least);
    const equal = present.filter((_cache, i) => uses[i] === least);
    return new Set([...certain, ...equal.slice(0, this.#seatsMax - certain.length)]);
  }

  #recentUses(cache: WatchedCache): number {
    const uses = usesOf(cache);
    const before = this.#usesBefore.get(cache) ?? 0;
    const recent = uses >= before ? uses - before : uses;
    // Of two caches that are not used at all, the one with series keeps them.
    return this.#seats.has(cache) ? recent * LOYALTY + 0.5 : recent;
  }
}

function usesOf({ statistics: { getHits, getMisses, sets, deleteHits } }: WatchedCache): number {
  return getHits + getMisses + sets + deleteHits;
}

function newCounts(): Float64Array {
  return new Float64Array(COUNTERS.length);
}

function add(counts: Float64Array, counter: number, change: number): void {
  counts[counter] = (counts[counter] ?? 0) + change;
}
