import type { Draft } from '../engine/item.ts';
import type { CacheDescription, ItemMarks, Restoration } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import type { Contents, MemoryCache } from './memory-cache.ts';
import type { MemoryCaches } from './memory-caches.ts';

/** How a store that keeps its items in this process puts them back, whatever the quotas say. */
export interface ItemRestoration<K> {
  put(contents: Contents<K>, key: Key, draft: Draft, accessedAt: number): void;
  /** The item may have made room for others. */
  amend(contents: Contents<K>, key: Key, marks: ItemMarks): void;
  remove(contents: Contents<K>, key: Key): void;
  orderByUse(contents: Contents<K>): void;
}

/** Puts caches back, and leaves their items to the store. */
export class MemoryRestoration<K> implements Restoration {
  readonly #caches: MemoryCaches<K>;
  readonly #items: ItemRestoration<K>;
  readonly #byNumber = new Map<number, MemoryCache<K>>();

  constructor(caches: MemoryCaches<K>, items: ItemRestoration<K>) {
    this.#caches = caches;
    this.#items = items;
  }

  cache(description: CacheDescription): void {
    const { number, projectId, name } = description;
    if (this.#byNumber.has(number)) return;
    const namesake = this.#caches.find(projectId, name);
    // That it was deleted is missing only in a journal that was repaired.
    if (namesake) this.cacheDeleted(namesake.number);
    this.#byNumber.set(number, this.#caches.restore(description));
  }

  itemPut(number: number, key: Key, draft: Draft, accessedAt: number): boolean {
    const cache = this.#byNumber.get(number);
    if (cache) this.#items.put(cache.contents, key, draft, accessedAt);
    return cache !== undefined;
  }

  itemAmended(number: number, key: Key, marks: ItemMarks): void {
    const cache = this.#byNumber.get(number);
    if (cache) this.#items.amend(cache.contents, key, marks);
  }

  itemRemoved(number: number, key: Key): void {
    const cache = this.#byNumber.get(number);
    if (cache) this.#items.remove(cache.contents, key);
  }

  cacheCleared(number: number): void {
    const cache = this.#byNumber.get(number);
    if (cache) this.#caches.clear(cache);
  }

  clearPlanned(number: number, at: number): void {
    const cache = this.#byNumber.get(number);
    if (cache) this.#caches.clear(cache, at);
  }

  cacheDeleted(number: number): void {
    const cache = this.#byNumber.get(number);
    if (cache) this.#caches.delete(cache);
    this.#byNumber.delete(number);
  }

  orderByUse(): void {
    for (const { contents } of this.#byNumber.values()) this.#items.orderByUse(contents);
  }
}
