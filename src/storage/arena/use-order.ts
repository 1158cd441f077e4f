import { type ChunkHeap, NOWHERE, wordOf } from './chunk-heap.ts';
import { NEWER, OLDER } from './item-layout.ts';

/** The order in which items of one cache were used, which the items themselves link. */
export class UseOrder {
  /** The item that was least recently used, or NOWHERE. */
  oldest = NOWHERE;
  /** The one that was used last, or NOWHERE. */
  newest = NOWHERE;
  readonly #heap: ChunkHeap;

  constructor(heap: ChunkHeap) {
    this.#heap = heap;
  }

  /** Enters an item as the most recently used. */
  add(address: number): void {
    this.#set(address, OLDER, this.newest);
    this.#set(address, NEWER, NOWHERE);
    if (this.newest === NOWHERE) this.oldest = address;
    else this.#set(this.newest, NEWER, address);
    this.newest = address;
  }

  remove(address: number): void {
    const newer = this.#get(address, NEWER);
    const older = this.#get(address, OLDER);
    if (newer === NOWHERE) this.newest = older;
    else this.#set(newer, OLDER, older);
    if (older === NOWHERE) this.oldest = newer;
    else this.#set(older, NEWER, newer);
  }

  /** Makes an item the most recently used. */
  use(address: number): void {
    if (address === this.newest) return;
    this.remove(address);
    this.add(address);
  }

  /** Puts an item behind one that was used before it; NOWHERE: it becomes the least recently used. */
  move(address: number, older: number): void {
    this.remove(address);
    this.#set(address, OLDER, older);
    this.#set(address, NEWER, older === NOWHERE ? this.oldest : this.newer(older));
    this.moved(address);
  }

  /** Puts the items into the order of the times when they were used; those of one time stay as they are. */
  sort(timeOf: (address: number) => number): void {
    const byTime = new Map<number, UseOrder>();
    for (let address = this.oldest; address !== NOWHERE; ) {
      const newer = this.newer(address);
      const time = timeOf(address);
      const order = byTime.get(time) ?? new UseOrder(this.#heap);
      byTime.set(time, order);
      order.add(address);
      address = newer;
    }
    this.oldest = NOWHERE;
    this.newest = NOWHERE;
    for (const time of [...byTime.keys()].sort((a, b) => a - b)) this.#append(byTime.get(time) as UseOrder);
  }

  /** The item used last before this one, or NOWHERE. */
  older(address: number): number {
    return this.#get(address, OLDER);
  }

  /** The item used next after this one, or NOWHERE. */
  newer(address: number): number {
    return this.#get(address, NEWER);
  }

  /** An item has been copied elsewhere. */
  moved(to: number): void {
    const newer = this.#get(to, NEWER);
    const older = this.#get(to, OLDER);
    if (newer === NOWHERE) this.newest = to;
    else this.#set(newer, OLDER, to);
    if (older === NOWHERE) this.oldest = to;
    else this.#set(older, NEWER, to);
  }

  #append(later: UseOrder): void {
    const { oldest } = later;
    if (this.newest === NOWHERE) this.oldest = oldest;
    else this.#set(this.newest, NEWER, oldest);
    this.#set(oldest, OLDER, this.newest);
    this.newest = later.newest;
  }

  #get(address: number, field: number): number {
    return this.#heap.words(address)[wordOf(address) + field] as number;
  }

  #set(address: number, field: number, value: number): void {
    this.#heap.words(address)[wordOf(address) + field] = value;
  }
}
