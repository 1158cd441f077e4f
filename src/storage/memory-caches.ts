import type { CacheInfo } from '../engine/store.ts';
import { CacheDirectory, type CacheRecord } from './cache-directory.ts';

/** What a cache holds between two clears, whatever keeps it. */
export interface Contents {
  /** Live items and those that have expired but are not removed yet. */
  readonly items: number;
  readonly bytes: number;
}

/** A cache that exists in this process. Its contents are exchanged as a whole when it is cleared. */
export class MemoryCache<C extends Contents> implements CacheRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  contents: C;
  /** When all items that are there then are to be removed, in ms since the epoch. */
  clearAt: number | undefined = undefined;
  deleted = false;
  evictions = 0;
  expirations = 0;

  constructor({ id, projectId, name }: CacheRecord, contentsOf: (cache: MemoryCache<C>) => C) {
    this.id = id;
    this.projectId = projectId;
    this.name = name;
    this.contents = contentsOf(this);
  }

  /** Were these contents exchanged for newer ones? Then nobody sees them any more. */
  hasDiscarded(contents: C): boolean {
    return this.deleted || this.contents !== contents;
  }

  info(): CacheInfo {
    const { id, projectId, name, contents, evictions, expirations } = this;
    return { id, projectId, name, items: contents.items, bytes: contents.bytes, evictions, expirations };
  }
}

export interface MemoryCachesParts<C extends Contents> {
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** New, empty contents for a cache. */
  readonly contentsOf: (cache: MemoryCache<C>) => C;
  /** Takes contents that nobody sees any more, to free them when there is time. */
  readonly discard: (contents: C) => void;
}

/** Which caches there are, and when they are cleared. How items are kept is for others to know. */
export class MemoryCaches<C extends Contents> {
  readonly #parts: MemoryCachesParts<C>;
  readonly #directory: CacheDirectory<MemoryCache<C>>;
  readonly #delayedClears = new Set<MemoryCache<C>>();

  constructor(parts: MemoryCachesParts<C>) {
    this.#parts = parts;
    this.#directory = new CacheDirectory(parts.cachesMax);
  }

  find(projectId: string, name: string): MemoryCache<C> | undefined {
    return this.#directory.find(projectId, name);
  }

  /** Throws Refusal `too_many_caches`. */
  create(projectId: string, name: string): MemoryCache<C> {
    const { contentsOf } = this.#parts;
    return this.#directory.create(projectId, name, (record) => new MemoryCache(record, contentsOf));
  }

  /** One page of a project's caches, by name. */
  page(projectId: string, skip: number, limit: number): MemoryCache<C>[] {
    return this.#directory.page(projectId, skip, limit);
  }

  delete(cache: MemoryCache<C>): void {
    this.#directory.delete(cache);
    this.#delayedClears.delete(cache);
    cache.deleted = true;
    this.#parts.discard(cache.contents);
  }

  /** Removes all items, now or those that are there at `at`. */
  clear(cache: MemoryCache<C>, at?: number): void {
    if (at !== undefined) {
      this.clearIfDue(cache);
      cache.clearAt = at;
      this.#delayedClears.add(cache);
      return;
    }
    cache.clearAt = undefined;
    this.#delayedClears.delete(cache);
    const { contents } = cache;
    cache.contents = this.#parts.contentsOf(cache);
    this.#parts.discard(contents);
  }

  clearIfDue(cache: MemoryCache<C>): void {
    if (cache.clearAt !== undefined && cache.clearAt <= this.#parts.now()) this.clear(cache);
  }

  clearAllDue(): void {
    for (const cache of this.#delayedClears) this.clearIfDue(cache);
  }
}
