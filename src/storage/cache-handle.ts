import type { Answer } from '../engine/answer.ts';
import type { Cas, Item, NewValue } from '../engine/item.ts';
import type { Key, KeyBytes } from '../engine/key.ts';
import type { CacheInfo, Decide, ListedItem, StoredCache } from '../engine/store.ts';
import type { MemoryCache } from './memory-cache.ts';
import type { MemoryCaches } from './memory-caches.ts';

/** What a handle needs of a store that keeps its items in this process. */
export interface MemoryStore<K> {
  readonly caches: MemoryCaches<K>;
  read(cache: MemoryCache<K>, key: Key, use: boolean): Item | undefined;
  expect?(cache: MemoryCache<K>, keys: readonly KeyBytes[], count: number): void;
  /** Asks the handle for the cache, and to make it when something is to be put. */
  put(handle: CacheHandle<K>, key: Key, value: NewValue): Cas;
  /** The same. */
  update<R>(handle: CacheHandle<K>, key: Key, decide: Decide<R>): R;
  info(cache: MemoryCache<K>): Answer<CacheInfo>;
  items(cache: MemoryCache<K>): Iterable<ListedItem> | AsyncIterable<ListedItem>;
}

/** A cache by name, whether it exists or not. */
export class CacheHandle<K> implements StoredCache {
  readonly #store: MemoryStore<K>;
  readonly #projectId: string;
  readonly #name: string;
  #found: MemoryCache<K> | undefined;

  constructor(store: MemoryStore<K>, projectId: string, name: string) {
    this.#store = store;
    this.#projectId = projectId;
    this.#name = name;
  }

  read(key: Key, use: boolean): Item | undefined {
    const cache = this.existing();
    return cache && this.#store.read(cache, key, use);
  }

  expect(keys: readonly KeyBytes[], count: number): void {
    const cache = this.existing();
    if (cache) this.#store.expect?.(cache, keys, count);
  }

  put(key: Key, value: NewValue): Cas {
    return this.#store.put(this, key, value);
  }

  update<R>(key: Key, decide: Decide<R>): R {
    return this.#store.update(this, key, decide);
  }

  clear(at?: number): boolean {
    const cache = this.existing();
    this.#store.caches.journal?.admit();
    if (cache) this.#store.caches.clear(cache, at);
    return cache !== undefined;
  }

  delete(): boolean {
    const cache = this.existing();
    this.#store.caches.journal?.admit();
    if (cache) this.#store.caches.delete(cache);
    // It may be long until this handle is used again, and what was found keeps all that its store made for it.
    this.#found = undefined;
    return cache !== undefined;
  }

  info(): Answer<CacheInfo | undefined> {
    const cache = this.existing();
    return cache && this.#store.info(cache);
  }

  glance(): CacheInfo | undefined {
    return this.existing()?.info();
  }

  list(): Iterable<ListedItem> | AsyncIterable<ListedItem> {
    const cache = this.existing();
    return cache ? this.#store.items(cache) : [];
  }

  /** The cache, if it exists. */
  existing(): MemoryCache<K> | undefined {
    if (!this.#found || this.#found.deleted) {
      this.#found = this.#store.caches.find(this.#projectId, this.#name);
    }
    return this.#found;
  }

  create(): MemoryCache<K> {
    this.#found = this.#store.caches.create(this.#projectId, this.#name);
    return this.#found;
  }
}
