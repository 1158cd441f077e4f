import type { ChunkHeap } from './chunk-heap.ts';
import { Contents, type MemoryCache } from './memory-cache.ts';
import type { Owner } from './packed-items.ts';
import { UseOrder } from './use-order.ts';

/**
 * Whose packed items are: contents by the number that each of their items bears, also contents that nobody sees any
 * more, as long as they have items.
 */
export class ContentsRegister {
  readonly #heap: ChunkHeap;
  readonly #contents = new Map<number, Contents<Owner>>();
  readonly #discarded = new Set<Contents<Owner>>();
  #nextId = 1;
  /** How many items wait to be freed, since their contents are discarded. */
  discardedItems = 0;

  constructor(heap: ChunkHeap) {
    this.#heap = heap;
  }

  /** What was cleared or deleted, and has items that wait to be freed. */
  get discarded(): Iterable<Contents<Owner>> {
    return this.#discarded;
  }

  /** New contents of a cache. */
  add(cache: MemoryCache<Owner>): Contents<Owner> {
    const kept = { id: this.#nextId++, order: new UseOrder(this.#heap) };
    const contents = new Contents(cache, kept);
    this.#contents.set(kept.id, contents);
    return contents;
  }

  /** Throws RangeError where no item can bear this number: that is a bug. */
  of(id: number): Contents<Owner> {
    const contents = this.#contents.get(id);
    if (!contents) throw new RangeError(`an item belongs to unknown contents: ${id}`);
    return contents;
  }

  /** Takes note that nobody sees these contents any more. */
  discard(contents: Contents<Owner>): void {
    this.discardedItems += contents.items;
    if (contents.items > 0) this.#discarded.add(contents);
    else this.#forget(contents);
  }

  /** Takes note that an item of discarded contents is gone. */
  discardedItemRemoved(contents: Contents<Owner>): void {
    this.discardedItems--;
    if (contents.items === 0) this.#forget(contents);
  }

  #forget(contents: Contents<Owner>): void {
    this.#discarded.delete(contents);
    this.#contents.delete(contents.kept.id);
  }
}
