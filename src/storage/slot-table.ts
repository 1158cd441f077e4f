/*
 * Every item has a slot: a number under which typed arrays hold its hash, its address and its places in
 * the index and in the eviction order. The arrays are as long as they may ever have to be; what is not
 * touched yet takes no memory. Nothing here is an object that the garbage collector would have to walk.
 */

/** What a slot takes, in bytes: five numbers, and its share of the index. */
export const SLOT_BYTES = 24;

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
  readonly addresses: Uint32Array;
  readonly #hashes: Int32Array;
  /** The next slot in the same bucket, or of the free slots. */
  readonly #nexts: Int32Array;
  readonly #newer: Int32Array;
  readonly #older: Int32Array;
  readonly #buckets: Int32Array;
  #bucketCount = BUCKETS_MIN;
  /** The largest power of two that is not more than the bucket count. */
  #level = BUCKETS_MIN;
  #free = NO_SLOT;
  #newest = NO_SLOT;
  #oldest = NO_SLOT;

  constructor(slotsMax: number) {
    this.slotsMax = slotsMax;
    this.addresses = new Uint32Array(slotsMax + 1);
    this.#hashes = new Int32Array(slotsMax + 1);
    this.#nexts = new Int32Array(slotsMax + 1);
    this.#newer = new Int32Array(slotsMax + 1);
    this.#older = new Int32Array(slotsMax + 1);
    this.#buckets = new Int32Array(Math.max(BUCKETS_MIN, slotsMax));
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
    return this.#like(this.#nexts[slot] as number, hash);
  }

  /** Takes a slot out of the free ones, or a new one. The caller makes sure that there is one. */
  take(): number {
    const slot = this.#free;
    if (slot === NO_SLOT) return ++this.highest;
    this.#free = this.#nexts[slot] as number;
    return slot;
  }

  /** Gives back a slot that is not in the index. */
  release(slot: number): void {
    this.#nexts[slot] = this.#free;
    this.#free = slot;
  }

  /** Enters a slot into the index, as the most recently used. */
  insert(slot: number, hash: number): void {
    const bucket = this.#bucketOf(hash);
    this.#hashes[slot] = hash;
    this.#nexts[slot] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = slot;
    this.#linkNewest(slot);
    if (++this.size > this.#bucketCount && this.#bucketCount < this.#buckets.length) this.#split();
  }

  /** Takes a slot out of the index and the order. */
  remove(slot: number): void {
    const bucket = this.#bucketOf(this.#hashes[slot] as number);
    const next = this.#nexts[slot] as number;
    let at = this.#buckets[bucket] as number;
    if (at === slot) {
      this.#buckets[bucket] = next;
    } else {
      while (this.#nexts[at] !== slot) at = this.#nexts[at] as number;
      this.#nexts[at] = next;
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
    while (slot !== NO_SLOT && this.#hashes[slot] !== hash) slot = this.#nexts[slot] as number;
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
      const next = this.#nexts[slot] as number;
      if (((this.#hashes[slot] as number) & mask) === added) {
        this.#nexts[slot] = goes;
        goes = slot;
      } else {
        this.#nexts[slot] = stays;
        stays = slot;
      }
      slot = next;
    }
    this.#buckets[divided] = stays;
    this.#buckets[added] = goes;
    if (this.#bucketCount === 2 * this.#level) this.#level = this.#bucketCount;
  }

  #linkNewest(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = NO_SLOT;
    if (this.#newest === NO_SLOT) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#newer[slot] as number;
    const older = this.#older[slot] as number;
    if (newer === NO_SLOT) this.#newest = older;
    else this.#older[newer] = older;
    if (older === NO_SLOT) this.#oldest = newer;
    else this.#newer[older] = newer;
  }
}
