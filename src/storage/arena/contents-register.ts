import { freeNumber } from '../free-number.ts';
import { Contents, type MemoryCache } from '../memory-cache.ts';
import type { ChunkHeap } from './chunk-heap.ts';
import type { Owner } from './packed-items.ts';
import { UseOrder } from './use-order.ts';

/**
 * Whom packed items belong to: the contents by the number that each of their items bears. Discarded contents stay here
 * until their last item is freed.
 */
export class ContentsRegister {
  readonly #heap: ChunkHeap;
  readonly #contents = new Map<number, Contents<Owner>>();
  readonly #discarded = new Set<Contents<Owner>>();
  readonly #idMax: number | undefined;
  #lastId = 0;
  /** How many items of discarded contents wait to be freed. */
  discardedItems = 0;

  constructor(heap: ChunkHeap, idMax?: number) {
    this.#heap = heap;
    this.#idMax = idMax;
  }

  /** Contents that were cleared or deleted, and have items that wait to be freed. */
  get discarded(): Iterable<Contents<Owner>> {
    return this.#discarded;
  }

  /** New contents of a cache. */
  add(cache: MemoryCache<Owner>): Contents<Owner> {
    this.#lastId = freeNumber(this.#lastId, this.#contents, this.#idMax);
    const kept = { id: this.#lastId, order: new UseOrder(this.#heap) };
    const contents = new Contents(cache, kept);
    this.#contents.set(kept.id, contents);
    return contents;
  }

  /** Throws RangeError for a number that no item can bear: a bug. */
  of(id: number): Contents<Owner> {
    const contents = this.#contents.get(id);
    if (!contents) throw new RangeError(`an item belongs to unknown contents: ${id}`);
    return contents;
  }

  /** These contents were cleared or deleted. */
  discard(contents: Contents<Owner>): void {
    this.discardedItems += contents.items;
    if (contents.items > 0) this.#discarded.add(contents);
    else this.#forget(contents);
  }

  /** An item of discarded contents is gone. */
  discardedItemRemoved(contents: Contents<Owner>): void {
    this.discardedItems--;
    if (contents.items === 0) this.#forget(contents);
  }

  #forget(contents: Contents<Owner>): void {
    this.#discarded.delete(contents);
    this.#contents.delete(contents.kept.id);
  }
}
