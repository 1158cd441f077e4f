/*
 * Every item has a slot: a number under which a typed array holds its hash, its address, whose it is, and
 * its places in the index, the eviction order and the expiry lists. The array is as long as it may ever
 * have to be; what is not touched yet takes no memory. Nothing here is an object that the garbage
 * collector would have to walk. A slot's numbers lie together, so that finding an item and using it
 * touches one line of the processor's cache, not seven.
 */
const SLOT_SHIFT = 3;
const HASH = 0;
/** The next slot in the same bucket, or of the free slots. */
const NEXT = 1;
const NEWER = 2;
const OLDER = 3;
const ADDRESS = 4;
const CONTENTS = 5;
const NEXT_EXPIRING = 6;
const PREVIOUS_EXPIRING = 7;

/** What a slot takes, in bytes: eight numbers, and its share of the index. */
export const SLOT_BYTES = (4 << SLOT_SHIFT) + 4;

/** As many slots as an array can have that is indexed by 32-bit numbers. */
export const SLOTS_MAX = 2 ** 27;

/** The slot that is none. */
export const NO_SLOT = 0;

const BUCKETS_MIN = 1024;

/**
 * The index by hash, and the order of use. The index grows by linear hashing: one bucket is split for
 * every item added, so no growth ever takes long.
 */
export class SlotTable {
  readonly slotsMax: number;
  /** How many slots were ever in use: slots 1 … highest exist. */
  highest = 0;
  /** Items in the table. */
  size = 0;
  readonly #slots: Int32Array;
  readonly #buckets: Int32Array;
  #bucketCount = BUCKETS_MIN;
  /** The largest power of two that is not more than the bucket count. */
  #level = BUCKETS_MIN;
  #free = NO_SLOT;
  #newest = NO_SLOT;
  #oldest = NO_SLOT;

  constructor(slotsMax: number) {
    this.slotsMax = slotsMax;
    this.#slots = new Int32Array((slotsMax + 1) << SLOT_SHIFT);
    this.#buckets = new Int32Array(Math.max(BUCKETS_MIN, slotsMax));
  }

  /** Where the slot's item is; NOWHERE (see ChunkHeap) while it has none. */
  address(slot: number): number {
    return this.#get(slot, ADDRESS) >>> 0;
  }

  setAddress(slot: number, address: number): void {
    this.#set(slot, ADDRESS, address);
  }

  /** The number of the contents that the slot's item belongs to. */
  contents(slot: number): number {
    return this.#get(slot, CONTENTS) >>> 0;
  }

  setContents(slot: number, contents: number): void {
    this.#set(slot, CONTENTS, contents);
  }

  /** The neighbours in a list of slots that expire together; see ExpiryLists. */
  nextExpiring(slot: number): number {
    return this.#get(slot, NEXT_EXPIRING);
  }

  setNextExpiring(slot: number, next: number): void {
    this.#set(slot, NEXT_EXPIRING, next);
  }

  previousExpiring(slot: number): number {
    return this.#get(slot, PREVIOUS_EXPIRING);
  }

  setPreviousExpiring(slot: number, previous: number): void {
    this.#set(slot, PREVIOUS_EXPIRING, previous);
  }

  /** The slot that was least recently used, or NO_SLOT. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Is there a slot that was in use before? */
  get hasFreeSlot(): boolean {
    return this.#free !== NO_SLOT;
  }

  /** The first slot that may hold what has this hash; see `nextLike`. */
  firstLike(hash: number): number {
    return this.#like(this.#buckets[this.#bucketOf(hash)] as number, hash);
  }

  nextLike(slot: number, hash: number): number {
    return this.#like(this.#get(slot, NEXT), hash);
  }

  /** Takes a slot out of the free ones, or a new one. The caller makes sure that there is one. */
  take(): number {
    const slot = this.#free;
    if (slot === NO_SLOT) return ++this.highest;
    this.#free = this.#get(slot, NEXT);
    return slot;
  }

  /** Gives back a slot that is not in the index. */
  release(slot: number): void {
    this.#set(slot, NEXT, this.#free);
    this.#free = slot;
  }

  /** Enters a slot into the index, as the most recently used. */
  insert(slot: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    this.#set(slot, HASH, hash);
    this.#set(slot, NEXT, this.#buckets[bucket] as number);
    this.#buckets[bucket] = slot;
    this.#linkNewest(slot);
    if (++this.size > this.#bucketCount && this.#bucketCount < this.#buckets.length) this.#split();
  }

  /** Takes a slot out of the index and the order. */
  remove(slot: number): void {
    const bucket = this.#bucketOf(this.#get(slot, HASH));
    const next = this.#get(slot, NEXT);
    let at = this.#buckets[bucket] as number;
    if (at === slot) {
      this.#buckets[bucket] = next;
    } else {
      while (this.#get(at, NEXT) !== slot) at = this.#get(at, NEXT);
      this.#set(at, NEXT, next);
    }
    this.#unlink(slot);
    this.size--;
  }

  /** Makes a slot the most recently used. */
  use(slot: number): void {
    if (slot === this.#newest) return;
    this.#unlink(slot);
    this.#linkNewest(slot);
  }

  #like(from: number, hash: number): number {
    let slot = from;
    while (slot !== NO_SLOT && this.#get(slot, HASH) !== hash) slot = this.#get(slot, NEXT);
    return slot;
  }

  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#level - 1);
    return bucket < this.#bucketCount ? bucket : hash & (this.#level - 1);
  }

  // Divides the next bucket in turn between itself and a new one.
  #split(): void {
    const added = this.#bucketCount++;
    const divided = added - this.#level;
    const mask = 2 * this.#level - 1;
    let slot = this.#buckets[divided] as number;
    let stays = NO_SLOT;
    let goes = NO_SLOT;
    while (slot !== NO_SLOT) {
      const next = this.#get(slot, NEXT);
      if ((this.#get(slot, HASH) & mask) === added) {
        this.#set(slot, NEXT, goes);
        goes = slot;
      } else {
        this.#set(slot, NEXT, stays);
        stays = slot;
      }
      slot = next;
    }
    this.#buckets[divided] = stays;
    this.#buckets[added] = goes;
    if (this.#bucketCount === 2 * this.#level) this.#level = this.#bucketCount;
  }

  #linkNewest(slot: number): void {
    this.#set(slot, OLDER, this.#newest);
    this.#set(slot, NEWER, NO_SLOT);
    if (this.#newest === NO_SLOT) this.#oldest = slot;
    else this.#set(this.#newest, NEWER, slot);
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#get(slot, NEWER);
    const older = this.#get(slot, OLDER);
    if (newer === NO_SLOT) this.#newest = older;
    else this.#set(newer, OLDER, older);
    if (older === NO_SLOT) this.#oldest = newer;
    else this.#set(older, NEWER, newer);
  }

  #get(slot: number, field: number): number {
    return this.#slots[(slot << SLOT_SHIFT) + field] as number;
  }

  #set(slot: number, field: number, value: number): void {
    this.#slots[(slot << SLOT_SHIFT) + field] = value;
  }
}
