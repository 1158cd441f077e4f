import { type CacheSettings, DEFAULT_CACHE_SETTINGS, type Quota } from '../engine/cache-settings.ts';
import type { Journal, JournaledCache } from '../engine/journal.ts';
import { CacheDirectory, type CacheRecord } from './cache-directory.ts';
import { freeNumber } from './free-number.ts';
import { type Contents, MemoryCache } from './memory-cache.ts';
import { ProjectAccounts } from './project-accounts.ts';

interface MemoryCachesParts<K> {
  /** How many bytes all items may take. */
  readonly bytesMax: number;
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** New, empty contents for a cache. */
  readonly newContents: (cache: MemoryCache<K>) => Contents<K>;
  /** When the least recently used item of contents that have items was used, in ms since the epoch. */
  readonly oldestUse: (contents: Contents<K>) => number;
  /** Takes contents that were cleared or deleted, to free them when there is time. */
  readonly discard: (contents: Contents<K>) => void;
}

/**
 * Which caches there are, when they are cleared, and what they and their projects hold and may hold. How
 * items are kept is for others to know.
 */
export class MemoryCaches<K> {
  readonly accounts: ProjectAccounts<K>;
  /** Is told of every change of items and caches. */
  journal: Journal | undefined = undefined;
  readonly #parts: MemoryCachesParts<K>;
  readonly #directory: CacheDirectory<MemoryCache<K>>;
  readonly #delayedClears = new Set<MemoryCache<K>>();
  /** Before this, none of them is due. */
  #nextClearAt = Number.POSITIVE_INFINITY;
  /** Of the caches that an operator has set, whether they exist or not. */
  readonly #settings = new Map<string, CacheSettings>();
  /** By the numbers that journals know them by. */
  readonly #byNumber = new Map<number, MemoryCache<K>>();
  #lastNumber = 0;

  constructor(parts: MemoryCachesParts<K>) {
    this.#parts = parts;
    this.accounts = new ProjectAccounts(parts);
    this.#directory = new CacheDirectory(parts.cachesMax);
  }

  settings(projectId: string, name: string): CacheSettings {
    return this.#settings.get(`${projectId}/${name}`) ?? DEFAULT_CACHE_SETTINGS;
  }

  /** Undefined: back to what is usual. */
  configure(projectId: string, name: string, settings: CacheSettings | undefined): void {
    if (settings) this.#settings.set(`${projectId}/${name}`, settings);
    else this.#settings.delete(`${projectId}/${name}`);
    const cache = this.find(projectId, name);
    if (!cache) return;
    this.accounts.configure(cache.contents, settings ?? DEFAULT_CACHE_SETTINGS);
  }

  setQuota(projectId: string, quota: Quota): void {
    this.accounts.of(projectId).quota = quota;
    this.#forgetIfEmpty(projectId);
  }

  find(projectId: string, name: string): MemoryCache<K> | undefined {
    return this.#directory.find(projectId, name);
  }

  /** Throws Refusal `too_many_caches`. */
  create(projectId: string, name: string): MemoryCache<K> {
    return this.#directory.create(projectId, name, (record) => {
      this.#lastNumber = freeNumber(this.#lastNumber, this.#byNumber);
      return this.#make(record, this.#lastNumber);
    });
  }

  /** A cache that was there before a restart. */
  restore(record: CacheRecord & Pick<JournaledCache, 'number'>): MemoryCache<K> {
    this.#lastNumber = Math.max(this.#lastNumber, record.number);
    return this.#directory.enter(this.#make(record, record.number));
  }

  /** The cache with a number, if there is one. */
  numbered(number: number): MemoryCache<K> | undefined {
    return this.#byNumber.get(number);
  }

  /** Every cache of every project; they may come and go meanwhile. */
  all(): Iterable<MemoryCache<K>> {
    return this.#directory.all();
  }

  /** One page of a project's caches after a name, by name. */
  page(projectId: string, skip: number, limit: number, previous?: string): MemoryCache<K>[] {
    return this.#directory.page(projectId, skip, limit, previous);
  }

  delete(cache: MemoryCache<K>): void {
    this.#directory.delete(cache);
    this.#byNumber.delete(cache.number);
    this.#delayedClears.delete(cache);
    cache.deleted = true;
    this.journal?.cacheDeleted(cache);
    this.#discard(cache.contents);
    this.#forgetIfEmpty(cache.projectId);
  }

  /** Removes all items, now or those that are there at `at`. */
  clear(cache: MemoryCache<K>, at?: number): void {
    if (at !== undefined) {
      this.clearIfDue(cache);
      cache.clearAt = at;
      this.#delayedClears.add(cache);
      this.#nextClearAt = Math.min(this.#nextClearAt, at);
      this.journal?.clearPlanned(cache);
      return;
    }
    cache.clearAt = undefined;
    this.#delayedClears.delete(cache);
    const { contents } = cache;
    cache.contents = this.#parts.newContents(cache);
    this.journal?.cacheCleared(cache);
    this.#discard(contents);
  }

  clearIfDue(cache: MemoryCache<K>): void {
    if (cache.clearAt !== undefined && cache.clearAt <= this.#parts.now()) this.clear(cache);
  }

  /** Clears up to `most` caches that are to be cleared by now, and says how many more it might have. */
  clearDue(most: number): number {
    const now = this.#parts.now();
    if (this.#nextClearAt > now) return most;
    let left = most;
    let next = Number.POSITIVE_INFINITY;
    for (const cache of this.#delayedClears) {
      const { clearAt = now } = cache;
      if (clearAt > now) {
        next = Math.min(next, clearAt);
      } else {
        if (left-- === 0) return 0;
        this.clear(cache);
      }
    }
    this.#nextClearAt = next;
    return left;
  }

  #make(record: CacheRecord, number: number): MemoryCache<K> {
    const account = this.accounts.of(record.projectId);
    const settings = this.settings(record.projectId, record.name);
    const { newContents } = this.#parts;
    const cache = new MemoryCache(record, { number, account, settings, newContents });
    this.#byNumber.set(number, cache);
    return cache;
  }

  #forgetIfEmpty(projectId: string): void {
    if (this.page(projectId, 0, 1).length === 0) this.accounts.forget(projectId);
  }

  #discard(contents: Contents<K>): void {
    this.accounts.discharge(contents);
    this.#parts.discard(contents);
  }
}
