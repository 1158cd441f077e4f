import { type Draft, NEVER } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import { ArenaItem, chainChunks, chunkCount, lastChunkBytes } from './arena-item.ts';
import { CHUNK_BYTES_MAX, ChunkHeap, chunkBytesFor, NOWHERE, PAGE_BYTES, wordOf } from './chunk-heap.ts';
import { ExpiryWheel } from './expiry-wheel.ts';
import { BUCKETS_PER_ITEM, HashIndex } from './hash-index.ts';
import { FIRST, IS_FURTHER, MARKS, NEXT } from './item-layout.ts';
import type { UseOrder } from './use-order.ts';

/** What an item takes in the index, in bytes: its share of the buckets. */
const INDEX_BYTES = 4 * BUCKETS_PER_ITEM;

// How many items are fetched together, and how much of each, in lines of the processor's cache: a small item.
const EXPECTED_MAX = 128;
const FETCHED_LINES = 3;
const WORDS_PER_LINE = 16;

/** What items belong to: a number that they carry, and the order in which they were used. */
export interface Owner {
  readonly id: number;
  readonly order: UseOrder;
}

interface PackedItemsParts {
  /** All memory that there may ever be, in bytes. */
  readonly bytesMax: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  /** The order of use of the owner with a number. */
  readonly orderOf: (owner: number) => UseOrder;
}

/**
 * Items in chunks of a heap, with all that leads to them: the index, the order of use and the expiry
 * wheel. An address is an item's until the next item is made or removed; see `moves`.
 */
export class PackedItems {
  readonly heap: ChunkHeap;
  readonly index: HashIndex;
  readonly expiry: ExpiryWheel;
  /** Counts removed and moved items: while it stays the same, addresses are what they were. */
  moves = 0;
  readonly #parts: PackedItemsParts;
  /** Points to whatever item is worked on. */
  readonly #item: ArenaItem;
  /** The chunks of an item that is being made, in order; they may move until it is whole. */
  readonly #making: number[] = [];
  /** The hashes of items that will be looked for, and where they may be. */
  readonly #expected = new Int32Array(EXPECTED_MAX);
  readonly #addresses = new Uint32Array(EXPECTED_MAX);
  #expectedCount = 0;
  /** Where `fetch` leaves what it read; it means nothing. */
  touched = 0;

  constructor(parts: PackedItemsParts) {
    this.#parts = parts;
    this.heap = new ChunkHeap({
      bytesMax: parts.bytesMax,
      moved: (from, to) => this.#chunkMoved(from, to),
    });
    this.index = new HashIndex(this.heap);
    this.expiry = new ExpiryWheel(this.heap, parts.now());
    this.#item = new ArenaItem(this.heap);
  }

  /** The item at an address, to be looked at before the next call. */
  at(address: number): ArenaItem {
    return this.#item.at(address);
  }

  /** The address of the item under a key, expired or not, or NOWHERE. */
  find(key: KeyBytes, owner: number, hash: number): number {
    if (this.#expectedCount > 0) this.#fetchExpected();
    let address = this.index.firstLike(hash);
    while (address !== NOWHERE && !this.#holds(address, key, owner)) {
      address = this.index.nextLike(address, hash);
    }
    return address;
  }

  /** An item with this hash will be looked for soon. */
  expect(hash: number): void {
    if (this.#expectedCount < EXPECTED_MAX) this.#expected[this.#expectedCount++] = hash;
  }

  /**
   * Makes the processor fetch what the next calls will read of items. One after the other, each item would wait for
   * memory several times; here no read depends on another, so that the processor waits for all at once.
   */
  fetch(addresses: ArrayLike<number>, count: number): void {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const address = addresses[i] as number;
      const words = this.heap.words(address);
      const word = wordOf(address);
      const last = words.length - 1;
      for (let line = 0; line < FETCHED_LINES; line++) {
        sum ^= words[Math.min(word + line * WORDS_PER_LINE, last)] as number;
      }
    }
    // Otherwise the compiler would leave the reads out.
    this.touched = sum;
  }

  /** Takes the chunks for an item. False: something must be removed first; then call again. */
  takeChunks(bytes: number): boolean {
    const count = chunkCount(bytes);
    while (this.#making.length < count) {
      const isLast = this.#making.length === count - 1;
      const address = this.heap.allocate(isLast ? lastChunkBytes(bytes) : CHUNK_BYTES_MAX);
      if (address === NOWHERE) return false;
      this.#making.push(address);
    }
    return true;
  }

  /** Gives back what `takeChunks` took. */
  giveChunksBack(): void {
    for (const address of this.#making) this.heap.free(address);
    this.#forgetChunks();
  }

  // Setting the length to 0 would take four times as long for the usual one entry.
  #forgetChunks(): void {
    while (this.#making.length > 0) this.#making.pop();
  }

  /** Writes a new item into the chunks that were taken. Answers its address. */
  add(key: KeyBytes, hash: number, owner: Owner, draft: Draft): number {
    const [address = NOWHERE, second = NOWHERE] = this.#making;
    const now = this.#parts.now();
    chainChunks(this.heap, this.#making);
    this.#forgetChunks();
    const item = this.#item.at(address);
    item.owner = owner.id;
    item.write(key, draft, second, now);
    this.index.insert(address, hash);
    owner.order.add(address);
    if (draft.expiresAt !== NEVER) this.expiry.add(address, now);
    return address;
  }

  /** Writes an item over the one before it, where it takes the same room. False: it does not. */
  overwrite(address: number, key: KeyBytes, owner: Owner, draft: Draft, bytes: number): boolean {
    const item = this.#item.at(address);
    if (bytes > CHUNK_BYTES_MAX || item.next !== NOWHERE) return false;
    if (chunkBytesFor(bytes) !== this.heap.chunkBytes(address)) return false;
    const now = this.#parts.now();
    // As with reads, the order of use is exact to the second for what is used again and again.
    const isAgain = item.overwritten && item.accessedAt === Math.floor(now / 1000) * 1000;
    if (item.expiresAt !== NEVER) this.expiry.remove(address);
    item.write(key, draft, NOWHERE, now);
    if (draft.expiresAt !== NEVER) this.expiry.add(address, now);
    item.markOverwritten();
    if (!isAgain) owner.order.use(address);
    return true;
  }

  remove(address: number): void {
    this.moves++;
    const item = this.#item.at(address);
    if (item.expiresAt !== NEVER) this.expiry.remove(address);
    this.#parts.orderOf(item.owner).remove(address);
    this.index.remove(address);
    this.#freeChunks(address, item.next);
  }

  /** For an item that has room for an expiry. */
  setExpiry(address: number, expiresAt: number): void {
    const item = this.#item.at(address);
    if (item.expiresAt !== NEVER) this.expiry.remove(address);
    item.setExpiry(expiresAt);
    if (expiresAt !== NEVER) this.expiry.add(address, this.#parts.now());
  }

  /** What an item takes: its chunks and its share of the index. */
  bytesOf(address: number): number {
    let bytes = this.heap.chunkBytes(address) + INDEX_BYTES;
    for (let next = this.#item.at(address).next; next !== NOWHERE; next = this.#nextChunk(next)) {
      bytes += this.heap.chunkBytes(next);
    }
    return bytes;
  }

  #fetchExpected(): void {
    const hashes = this.#expected;
    const addresses = this.#addresses;
    const count = this.#expectedCount;
    this.#expectedCount = 0;
    for (let i = 0; i < count; i++) addresses[i] = this.index.firstOf(hashes[i] as number);
    this.fetch(addresses, count);
    // Two keys in five share their bucket with another that comes before them.
    let behind = 0;
    for (let i = 0; i < count; i++) {
      const next = this.index.nextUnlike(addresses[i] as number, hashes[i] as number);
      if (next !== NOWHERE) addresses[behind++] = next;
    }
    this.fetch(addresses, behind);
  }

  #holds(address: number, key: KeyBytes, owner: number): boolean {
    const item = this.#item.at(address);
    return item.owner === owner && item.hasKey(key);
  }

  #freeChunks(first: number, second: number): void {
    this.heap.free(first);
    for (let address = second; address !== NOWHERE; ) {
      const next = this.#nextChunk(address);
      this.heap.free(address);
      address = next;
    }
  }

  #chunkMoved(from: number, to: number): void {
    this.moves++;
    const making = this.#making.indexOf(from);
    const words = this.heap.words(to);
    const word = wordOf(to);
    const marks = words[word + MARKS] as number;
    if (making >= 0) this.#making[making] = to;
    else if ((marks & IS_FURTHER) !== 0) this.#item.at(words[word + FIRST] as number).relink(from, to);
    else this.#itemMoved(from, to);
  }

  #itemMoved(from: number, to: number): void {
    const item = this.#item.at(to);
    item.rename(to);
    this.index.moved(from, to);
    this.#parts.orderOf(item.owner).moved(to);
    if (item.hasExpiry && item.expiresAt !== NEVER) this.expiry.moved(from, to);
  }

  #nextChunk(address: number): number {
    return this.heap.words(address)[wordOf(address) + NEXT] as number;
  }
}

/** What an item of so many bytes takes in chunks, its share of the index included. */
export function packedBytes(bytes: number): number {
  return (chunkCount(bytes) - 1) * CHUNK_BYTES_MAX + chunkBytesFor(lastChunkBytes(bytes)) + INDEX_BYTES;
}

/** The least number of pages that can hold an item of so many bytes, and one more, as its last chunk may need it. */
export function pagesFor(bytes: number): number {
  return Math.ceil(chunkCount(bytes) / (PAGE_BYTES / CHUNK_BYTES_MAX)) + 1;
}
