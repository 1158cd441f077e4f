import type { Draft } from '../engine/item.ts';
import type { CacheDescription, ItemMarks, Restoration } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import type { Contents } from './memory-cache.ts';
import type { MemoryCaches } from './memory-caches.ts';

/** How a store that keeps its items in this process puts them back, whatever the quotas say. */
export interface ItemRestoration<K> {
  put(contents: Contents<K>, key: Key, draft: Draft, accessedAt: number): void;
  /** The item may be gone, to make room for others. */
  amend(contents: Contents<K>, key: Key, marks: ItemMarks): void;
  remove(contents: Contents<K>, key: Key): void;
  orderByUse(contents: Contents<K>): void;
  /** Might others have to go for an item? */
  mayEvict(key: Key, draft: Draft): boolean;
  /** Items that are there, and how many had to go. */
  count(): { readonly items: number; readonly evictions: number };
}

/** What of a store is needed to put its caches back. */
interface SweptStore<K> {
  readonly caches: MemoryCaches<K>;
  sweep(): unknown;
}

// Where there is less memory than before, the order of use is restored each time this share of the items had to go.
const EVICTED_SHARE_MAX = 1 / 16;

/** Puts caches back, and leaves their items to the store. */
export class MemoryRestoration<K> implements Restoration {
  readonly #caches: MemoryCaches<K>;
  readonly #sweep: () => unknown;
  readonly #items: ItemRestoration<K>;
  #isOrdered = false;
  #evictionsWhenOrdered = 0;

  constructor(store: SweptStore<K>, items: ItemRestoration<K>) {
    this.#caches = store.caches;
    this.#sweep = () => store.sweep();
    this.#items = items;
  }

  cache(description: CacheDescription): void {
    const { number, id, projectId, name } = description;
    const known = this.#caches.numbered(number);
    if (known?.id === id) return;
    // The deletion of another by this number or name can be missing only from a journal that was repaired.
    if (known) this.#caches.delete(known);
    const namesake = this.#caches.find(projectId, name);
    if (namesake) this.#caches.delete(namesake);
    this.#caches.restore(description);
  }

  itemPut(number: number, key: Key, draft: Draft, accessedAt: number): boolean {
    const cache = this.#caches.numbered(number);
    if (!cache) return false;
    if (this.#items.mayEvict(key, draft)) {
      // What has expired goes first.
      this.#sweep();
      this.#keepOrder();
    }
    this.#items.put(cache.contents, key, draft, accessedAt);
    return true;
  }

  itemAmended(number: number, key: Key, marks: ItemMarks): void {
    const cache = this.#caches.numbered(number);
    if (cache) this.#items.amend(cache.contents, key, marks);
  }

  itemRemoved(number: number, key: Key): void {
    const cache = this.#caches.numbered(number);
    if (cache) this.#items.remove(cache.contents, key);
  }

  cacheCleared(number: number): void {
    const cache = this.#caches.numbered(number);
    if (cache) this.#caches.clear(cache);
  }

  clearPlanned(number: number, at: number): void {
    const cache = this.#caches.numbered(number);
    if (cache) this.#caches.clear(cache, at);
  }

  cacheDeleted(number: number): void {
    const cache = this.#caches.numbered(number);
    if (cache) this.#caches.delete(cache);
  }

  orderByUse(): void {
    for (const { contents } of this.#caches.all()) this.#items.orderByUse(contents);
  }

  // A snapshot lists items in no order; yet the least recently used have to go, not those that came first.
  #keepOrder(): void {
    const { items, evictions } = this.#items.count();
    const evicted = evictions - this.#evictionsWhenOrdered;
    if (this.#isOrdered && evicted <= items * EVICTED_SHARE_MAX) return;
    this.#isOrdered = true;
    this.#evictionsWhenOrdered = evictions;
    this.orderByUse();
  }
}
