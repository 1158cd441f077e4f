import { setImmediate as othersTurn } from 'node:timers/promises';
import { NOWHERE } from './chunk-heap.ts';
import type { Owner, PackedItems } from './packed-items.ts';
import type { UseOrder } from './use-order.ts';

// How many items are found before the first of them is visited.
const VISITED_TOGETHER = 16;

// Up to so many items of an owner are listed by their order of use; more by going through the whole index.
const LISTED_BY_ORDER_MAX = 1_000;

// How many places in the index a listing looks at without a pause.
const LISTED_STEPS_MAX = 2_500;

/** Goes through packed items that come and go meanwhile. */
export class ItemWalk {
  readonly #items: PackedItems;
  /** The items that are visited next. */
  readonly #found: number[] = [];

  constructor(items: PackedItems) {
    this.#items = items;
  }

  /** Visits some of all items, by their addresses, and answers where to go on; see HashIndex. */
  visit(from: number, visit: (address: number) => void): number {
    const found = this.#found;
    found.length = 0;
    let place = from;
    do place = this.#items.index.visit(place, (address) => found.push(address));
    while (place !== 0 && found.length < VISITED_TOGETHER);
    this.#items.fetch(found, found.length);
    for (const address of found) visit(address);
    return place;
  }

  /** The keys of an owner's items, of which there are about `count`. Others have their turn meanwhile. */
  async *keysOf({ id, order }: Owner, count: number): AsyncGenerator<string> {
    if (count <= LISTED_BY_ORDER_MAX) {
      yield* this.#keysByOrder(order);
      return;
    }
    const keys: string[] = [];
    let place = 0;
    for (let steps = 1; ; steps++) {
      place = this.#items.index.visit(place, (address) => {
        const item = this.#items.at(address);
        if (item.owner === id) keys.push(item.key);
      });
      yield* keys;
      keys.length = 0;
      if (place === 0) return;
      if (steps % LISTED_STEPS_MAX === 0) await othersTurn();
    }
  }

  #keysByOrder(order: UseOrder): string[] {
    const keys: string[] = [];
    for (let address = order.oldest; address !== NOWHERE; address = order.newer(address)) {
      keys.push(this.#items.at(address).key);
    }
    return keys;
  }
}
