import { type ChunkHeap, NOWHERE, PAGE_BYTES, wordOf } from './chunk-heap.ts';
import { HASH, NEXT_LIKE } from './item-layout.ts';

/**
 * How many buckets there are for each item. A search meets a third of another item on the way; with one bucket it
 * would be half of one, and a get among 8 million items, 16 at a time, cost 1.56 times one among 10 thousand instead of
 * 1.41 to 1.49.
 */
export const BUCKETS_PER_ITEM = 1.5;

/** How many there may be after items were removed. */
const BUCKETS_PER_ITEM_MAX = 2 * BUCKETS_PER_ITEM;

/**
 * How many pages fewer than its items call for the index may have while they are put back. It may have had as few
 * before: where nothing may go, it does without a page while the chunks that are free in all other pages are taken.
 */
const PAGES_SHORT_MAX = 2;

const BUCKET_SHIFT = 14;
const BUCKETS_PER_PAGE = PAGE_BYTES / 4;
const BUCKET_MASK = BUCKETS_PER_PAGE - 1;

/**
 * Finds items by hash: buckets of items that name each other. It grows and shrinks by linear hashing, a few
 * buckets for every item added or removed, so no growth ever takes long. Its buckets lie in pages of the
 * heap, so that they count as memory like all else.
 */
export class HashIndex {
  /** Items in the index. */
  size = 0;
  readonly #heap: ChunkHeap;
  readonly #pages: Uint32Array[] = [];
  readonly #addresses: number[] = [];
  #bucketCount = BUCKETS_PER_PAGE;
  /** The largest power of two that is not more than the bucket count. */
  #level = BUCKETS_PER_PAGE;

  constructor(heap: ChunkHeap) {
    this.#heap = heap;
    if (!this.takePage()) throw new RangeError('there is no room for an index');
  }

  /** Is there no room for another bucket, though one more item ought to have some? */
  get needsPage(): boolean {
    return BUCKETS_PER_ITEM * this.size >= this.#bucketCount && !this.#hasRoom;
  }

  /** Takes another page for buckets. False: the heap has none now. */
  takePage(): boolean {
    const address = this.#heap.allocatePage();
    if (address === NOWHERE) return false;
    this.#addresses.push(address);
    this.#pages.push(this.#heap.pageWords(address).fill(NOWHERE));
    return true;
  }

  /**
   * Gives a page back for items that would have no room else, though searches take longer then. False: it has few
   * enough.
   */
  giveWay(): boolean {
    const wanted = Math.ceil((BUCKETS_PER_ITEM * this.size) / BUCKETS_PER_PAGE);
    if (this.#pages.length <= Math.max(1, wanted - PAGES_SHORT_MAX)) return false;
    const count = this.#pages.length;
    // The last page may have no buckets yet.
    if (this.#bucketCount <= (count - 1) * BUCKETS_PER_PAGE) this.#givePage();
    while (this.#pages.length === count) this.#mergeLast();
    return true;
  }

  /** The first item in the bucket of a hash, or NOWHERE. */
  firstOf(hash: number): number {
    return this.#first(this.#bucketOf(hash));
  }

  /** The first item that has this hash, or NOWHERE; see `nextLike`. */
  firstLike(hash: number): number {
    return this.#like(this.#first(this.#bucketOf(hash)), hash | 0);
  }

  nextLike(address: number, hash: number): number {
    return this.#like(this.#next(address), hash | 0);
  }

  /** The item behind one that does not have this hash, or NOWHERE. */
  nextUnlike(address: number, hash: number): number {
    if (address === NOWHERE) return NOWHERE;
    const words = this.#heap.words(address);
    const word = wordOf(address);
    return ((words[word + HASH] as number) | 0) === hash ? NOWHERE : (words[word + NEXT_LIKE] as number);
  }

  insert(address: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    const words = this.#heap.words(address);
    const word = wordOf(address);
    words[word + HASH] = hash;
    words[word + NEXT_LIKE] = this.#first(bucket);
    this.#setFirst(bucket, address);
    this.size++;
    for (let i = 0; i < BUCKETS_PER_ITEM; i++) this.#splitIfFull();
  }

  remove(address: number): void {
    this.#replace(address, this.#next(address));
    this.size--;
    // As many as an item may have, so that the rest never have more each.
    for (let i = 0; i < BUCKETS_PER_ITEM_MAX; i++) this.#mergeIfSparse();
  }

  /** An item has been copied elsewhere. */
  moved(from: number, to: number): void {
    this.#replace(from, to);
  }

  /**
   * Visits some items, and answers where to go on: 0 when all were visited. Whatever is added or removed
   * between two steps, what stays is visited exactly once: the steps follow the hashes, bits reversed,
   * of which every bucket holds one range.
   */
  visit(from: number, visit: (address: number) => void): number {
    const range = 2 ** 32 / (2 * this.#level);
    // `from` may lie within a range, if the index had more buckets before.
    const next = (Math.floor(from / range) + 1) * range;
    let address = this.#first(this.#bucketOf(reversed(from)));
    while (address !== NOWHERE) {
      const following = this.#next(address);
      const place = reversed(this.#hash(address));
      if (place >= from && place < next) visit(address);
      address = following;
    }
    return next === 2 ** 32 ? 0 : next;
  }

  #like(from: number, hash: number): number {
    let address = from;
    while (address !== NOWHERE) {
      const words = this.#heap.words(address);
      const word = wordOf(address);
      if (((words[word + HASH] as number) | 0) === hash) return address;
      address = words[word + NEXT_LIKE] as number;
    }
    return NOWHERE;
  }

  // Puts `to` in the place that an item has in its bucket.
  #replace(address: number, to: number): void {
    const bucket = this.#bucketOf(this.#hash(address));
    let at = this.#first(bucket);
    if (at === address) {
      this.#setFirst(bucket, to);
      return;
    }
    for (let next = this.#next(at); next !== address; next = this.#next(at)) at = next;
    this.#setNext(at, to);
  }

  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#level - 1);
    return bucket < this.#bucketCount ? bucket : hash & (this.#level - 1);
  }

  get #hasRoom(): boolean {
    return this.#bucketCount < this.#pages.length * BUCKETS_PER_PAGE;
  }

  // Divides the next bucket in turn between itself and a new one.
  #splitIfFull(): void {
    if (BUCKETS_PER_ITEM * this.size <= this.#bucketCount || !this.#hasRoom) return;
    const added = this.#bucketCount++;
    const divided = added - this.#level;
    const mask = 2 * this.#level - 1;
    let address = this.#first(divided);
    let stays = NOWHERE;
    let goes = NOWHERE;
    while (address !== NOWHERE) {
      const next = this.#next(address);
      if ((this.#hash(address) & mask) === added) {
        this.#setNext(address, goes);
        goes = address;
      } else {
        this.#setNext(address, stays);
        stays = address;
      }
      address = next;
    }
    this.#setFirst(divided, stays);
    this.#setFirst(added, goes);
    if (this.#bucketCount === 2 * this.#level) this.#level = this.#bucketCount;
  }

  #mergeIfSparse(): void {
    const isSparse = BUCKETS_PER_ITEM_MAX * this.size < this.#bucketCount;
    if (isSparse && this.#bucketCount > BUCKETS_PER_PAGE) this.#mergeLast();
  }

  // Joins the last bucket to the one that it was divided from, and gives its page back if it was the first.
  #mergeLast(): void {
    const last = --this.#bucketCount;
    if (last < this.#level) this.#level /= 2;
    const joined = last - this.#level;
    const first = this.#first(last);
    if (first !== NOWHERE) {
      let end = first;
      for (let next = this.#next(end); next !== NOWHERE; next = this.#next(end)) end = next;
      this.#setNext(end, this.#first(joined));
      this.#setFirst(joined, first);
      this.#setFirst(last, NOWHERE);
    }
    if ((last & BUCKET_MASK) === 0) this.#givePage();
  }

  #givePage(): void {
    this.#pages.pop();
    this.#heap.freePage(this.#addresses.pop() as number);
  }

  #first(bucket: number): number {
    return (this.#pages[bucket >>> BUCKET_SHIFT] as Uint32Array)[bucket & BUCKET_MASK] as number;
  }

  #setFirst(bucket: number, address: number): void {
    (this.#pages[bucket >>> BUCKET_SHIFT] as Uint32Array)[bucket & BUCKET_MASK] = address;
  }

  #hash(address: number): number {
    return this.#heap.words(address)[wordOf(address) + HASH] as number;
  }

  #next(address: number): number {
    return this.#heap.words(address)[wordOf(address) + NEXT_LIKE] as number;
  }

  #setNext(address: number, next: number): void {
    this.#heap.words(address)[wordOf(address) + NEXT_LIKE] = next;
  }
}

// The 32 bits in the opposite order.
function reversed(bits: number): number {
  let v = bits;
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return ((v >>> 16) | (v << 16)) >>> 0;
}
