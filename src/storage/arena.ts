import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Answer } from '../engine/answer.ts';
import { Refusal } from '../engine/errors.ts';
import { type Cas, type Draft, type Item, NEVER } from '../engine/item.ts';
import type { Amendment, CacheInfo, Decide, ListedItem, Store, StoreTotals } from '../engine/store.ts';
import { ArenaItem, chunkSizes } from './arena-item.ts';
import { CacheHandle, type MemoryStore } from './cache-handle.ts';
import { ChunkHeap, chunkBytesFor, NOWHERE, PAGE_BYTES, wordOf } from './chunk-heap.ts';
import { ExpiryLists } from './expiry-lists.ts';
import { KeyedHash } from './keyed-hash.ts';
import { type Contents, type MemoryCache, MemoryCaches } from './memory-caches.ts';
import { NO_SLOT, SLOT_BYTES, SLOTS_MAX, SlotTable } from './slot-table.ts';

// The least that an item takes: so many slots may be needed at most.
const ITEM_BYTES_MIN = 64;

// How many items one sweep frees, and how many slots it looks at: a few milliseconds' work at most.
const SWEEP_ITEMS_MAX = 4_000;
const SWEEP_SLOTS_MAX = 50_000;

// How many slots a listing looks at without a pause.
const LISTED_SLOTS_MAX = 20_000;

// How much is tidied away before an item that is still wanted has to make room.
const TIDY_ITEMS = 16;
const TIDY_SLOTS = 256;

export interface ArenaStoreOptions {
  /** How many bytes all items together may take, with everything that is kept about them. */
  readonly bytesMax: number;
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What a cache held between two clears: slots name it by its number. */
class ArenaContents implements Contents {
  readonly id: number;
  readonly cache: ArenaCache;
  items = 0;
  bytes = 0;

  constructor(id: number, cache: ArenaCache) {
    this.id = id;
    this.cache = cache;
  }

  get discarded(): boolean {
    return this.cache.hasDiscarded(this);
  }
}

type ArenaCache = MemoryCache<ArenaContents>;

/**
 * Keeps items packed in typed arrays off the JavaScript heap: index, eviction order, expiry and bytes.
 * Nothing per item is an object, so there is nothing for the garbage collector to walk, and an item costs
 * about 60 bytes above its key and value, where objects cost 500.
 */
export class ArenaStore implements Store, MemoryStore<ArenaContents> {
  readonly caches: MemoryCaches<ArenaContents>;
  readonly #now: () => number;
  readonly #bytesMax: number;
  readonly #hash = new KeyedHash();
  readonly #slots: SlotTable;
  readonly #heap: ChunkHeap;
  readonly #expiry: ExpiryLists;
  /** Points to whatever item is worked on. */
  readonly #item: ArenaItem;
  /** Points to the item that was last given away. */
  readonly #given: ArenaItem;
  readonly #contents = new Map<number, ArenaContents>();
  /** The chunks of an item that is being made, in order; they may move until it is whole. */
  readonly #making: number[] = [];
  #nextContentsId = 1;
  #nextCas = 1;
  #bytes = 0;
  /** Items of discarded contents that still wait to be freed, and where the search for them goes on. */
  #discardedItems = 0;
  #searched = 0;
  #evictions = 0;
  #expirations = 0;

  constructor(options: ArenaStoreOptions) {
    this.#now = options.now;
    this.#bytesMax = options.bytesMax;
    this.caches = new MemoryCaches({
      cachesMax: options.cachesMax,
      now: options.now,
      contentsOf: (cache) => this.#newContents(cache),
      discard: (contents) => this.#discard(contents),
    });
    const slotsMax = Math.min(Math.ceil(options.bytesMax / ITEM_BYTES_MIN), SLOTS_MAX);
    this.#slots = new SlotTable(slotsMax);
    this.#expiry = new ExpiryLists(this.#slots, options.now());
    this.#heap = new ChunkHeap({
      bytesMax: options.bytesMax,
      mayGrow: () => this.#fits(PAGE_BYTES),
      moved: (slot, from, to) => this.#chunkMoved(slot, from, to),
    });
    this.#item = new ArenaItem(this.#heap);
    this.#given = new ArenaItem(this.#heap);
  }

  cache(projectId: string, name: string): CacheHandle<ArenaContents> {
    return new CacheHandle(this, projectId, name);
  }

  list(projectId: string, skip: number, limit: number): Answer<CacheInfo[]> {
    return this.#whenTidy(() => this.caches.page(projectId, skip, limit).map((cache) => cache.info()));
  }

  totals(): Answer<StoreTotals> {
    return this.#whenTidy(() => ({
      items: this.#slots.size - this.#discardedItems,
      bytes: this.#bytes,
      bytesTaken: this.#bytesTaken,
      bytesMax: this.#bytesMax,
      evictions: this.#evictions,
      expirations: this.#expirations,
    }));
  }

  sweep(): boolean {
    this.caches.clearAllDue();
    const left = this.#expireFullSeconds(SWEEP_ITEMS_MAX);
    this.#freeDiscarded(left, SWEEP_SLOTS_MAX);
    return left === 0 || this.#discardedItems > 0;
  }

  close(): void {}

  info(cache: ArenaCache): Answer<CacheInfo> {
    return this.#whenTidy(() => cache.info());
  }

  read(cache: ArenaCache, key: string, use: boolean): Item | undefined {
    const slot = this.#find(cache, key, this.#hashOf(cache, key));
    if (slot === NO_SLOT) return undefined;
    if (use) this.#use(slot, true);
    return this.#given.at(this.#addressOf(slot));
  }

  update<R>(handle: CacheHandle<ArenaContents>, key: string, decide: Decide<R>): R {
    const cache = handle.existing();
    const hash = cache ? this.#hashOf(cache, key) : 0;
    const slot = cache ? this.#find(cache, key, hash) : NO_SLOT;
    const current = slot === NO_SLOT ? undefined : this.#given.at(this.#addressOf(slot));
    const decision = decide(current, this.#nextCas);
    if (decision.action === 'put') {
      // First the refusal, so that a write that is refused makes no cache.
      const sizes = chunkSizes(key.length, decision.draft);
      this.#refuseIfTooLarge(sizes);
      const { contents } = cache ?? handle.create();
      this.#put(slot, cache ? hash : this.#hash.of(key, contents.id), key, contents, decision.draft, sizes);
    } else if (slot !== NO_SLOT && decision.action === 'amend') {
      this.#amend(slot, decision.amendment);
    } else if (slot !== NO_SLOT && decision.action === 'remove') {
      this.#remove(slot);
    }
    return decision.outcome;
  }

  /** The live items, slot by slot; it lets others have their turn, since most may be other caches'. */
  async *items(cache: ArenaCache): AsyncGenerator<ListedItem> {
    this.caches.clearIfDue(cache);
    const { contents } = cache;
    const item = new ArenaItem(this.#heap);
    for (let slot = 1; slot <= this.#slots.highest && !contents.discarded; slot++) {
      if (slot % LISTED_SLOTS_MAX === 0) await othersTurn();
      if (this.#addressOf(slot) === NOWHERE || this.#slots.contents(slot) !== contents.id) continue;
      item.at(this.#addressOf(slot));
      if (item.expiresAt > this.#now()) yield { key: item.key, item };
    }
  }

  #hashOf(cache: ArenaCache, key: string): number {
    if (cache.clearAt !== undefined) this.caches.clearIfDue(cache);
    return this.#hash.of(key, cache.contents.id);
  }

  // The slot of the live item under a key, or NO_SLOT; an item that has expired is removed.
  #find(cache: ArenaCache, key: string, hash: number): number {
    const contents = cache.contents.id;
    let slot = this.#slots.firstLike(hash);
    while (slot !== NO_SLOT && !this.#holds(slot, key, contents)) slot = this.#slots.nextLike(slot, hash);
    if (slot === NO_SLOT || this.#item.expiresAt > this.#now()) return slot;
    this.#expire(slot);
    return NO_SLOT;
  }

  #holds(slot: number, key: string, contents: number): boolean {
    return this.#slots.contents(slot) === contents && this.#item.at(this.#addressOf(slot)).hasKey(key);
  }

  #refuseIfTooLarge(sizes: readonly number[]): void {
    // One page more than it fills: its last chunk may need one of its own. Slots are never given back.
    const pages = Math.ceil(sizes.length / 4) + 1;
    if (pages * PAGE_BYTES + (this.#slots.highest + 1) * SLOT_BYTES <= this.#bytesMax) return;
    const size = sizes.reduce((sum, chunk) => sum + chunk, 0);
    throw new Refusal('out_of_memory', `an item of ${size} bytes is more than the memory limit allows`);
  }

  #put(
    found: number,
    hash: number,
    key: string,
    contents: ArenaContents,
    draft: Draft,
    sizes: readonly number[],
  ): void {
    this.#countCas(draft.cas);
    if (found !== NO_SLOT && this.#overwrite(found, key, draft, sizes)) return;
    if (found !== NO_SLOT) this.#empty(found);
    const slot = found === NO_SLOT ? this.#takeSlot() : found;
    this.#makeChunks(slot, sizes);
    const [first = NOWHERE, second = NOWHERE] = this.#making;
    this.#slots.setAddress(slot, first);
    this.#slots.setContents(slot, contents.id);
    this.#chainChunks();
    this.#making.length = 0;
    this.#item.at(first).write(key, draft, second, this.#now());
    this.#slots.insert(slot, hash);
    if (draft.expiresAt !== NEVER) this.#expiry.add(slot, draft.expiresAt, this.#now());
    const bytes = this.#bytesOf(slot);
    contents.items++;
    contents.bytes += bytes;
    this.#bytes += bytes;
  }

  // Writes an item over the one before it, where that takes the same room. False: it does not.
  #overwrite(slot: number, key: string, draft: Draft, sizes: readonly number[]): boolean {
    const [size = 0, further] = sizes;
    const address = this.#addressOf(slot);
    const item = this.#item.at(address);
    if (further !== undefined || item.next !== NOWHERE) return false;
    if (chunkBytesFor(size) !== this.#heap.chunkBytes(address)) return false;
    const { expiresAt } = item;
    if (expiresAt !== NEVER) this.#expiry.remove(slot, expiresAt);
    item.write(key, draft, NOWHERE, this.#now());
    if (draft.expiresAt !== NEVER) this.#expiry.add(slot, draft.expiresAt, this.#now());
    this.#slots.use(slot);
    return true;
  }

  #takeSlot(): number {
    while (!this.#slots.hasFreeSlot && !this.#mayTakeNewSlot()) {
      if (!this.#makeRoom()) throw new RangeError('there is no room for a slot, and no item to make it');
    }
    const slot = this.#slots.take();
    this.#slots.setAddress(slot, NOWHERE);
    return slot;
  }

  #mayTakeNewSlot(): boolean {
    return this.#slots.highest < this.#slots.slotsMax && this.#fits(SLOT_BYTES);
  }

  #fits(more: number): boolean {
    return this.#bytesTaken + more <= this.#bytesMax;
  }

  get #bytesTaken(): number {
    return this.#heap.bytesInUse + this.#slots.highest * SLOT_BYTES;
  }

  #makeChunks(slot: number, sizes: readonly number[]): void {
    for (const size of sizes) {
      let address = this.#heap.allocate(size, slot);
      while (address === NOWHERE) {
        if (!this.#makeRoom()) throw new RangeError('there is no room for a chunk, and no item to make it');
        address = this.#heap.allocate(size, slot);
      }
      this.#making.push(address);
    }
  }

  // The first chunk names the second itself.
  #chainChunks(): void {
    for (let i = 1; i < this.#making.length; i++) {
      const address = this.#making[i] as number;
      this.#heap.words(address)[wordOf(address) + 1] = this.#making[i + 1] ?? NOWHERE;
    }
  }

  #chunkMoved(slot: number, from: number, to: number): void {
    const making = this.#making.indexOf(from);
    if (making >= 0) this.#making[making] = to;
    else if (this.#addressOf(slot) === from) this.#slots.setAddress(slot, to);
    else this.#item.at(this.#addressOf(slot)).relink(from, to);
  }

  #amend(slot: number, { expiresAt, cas, stale, recaching, use = true, fetch = true }: Amendment): void {
    if (expiresAt !== undefined) this.#setExpiry(slot, expiresAt);
    const item = this.#item.at(this.#addressOf(slot));
    if (cas !== undefined) {
      item.setCas(cas);
      this.#countCas(cas);
    }
    if (stale !== undefined || recaching !== undefined) {
      item.setMarks({ stale: stale ?? item.stale, recaching: recaching ?? item.recaching });
    }
    if (use) this.#use(slot, fetch);
  }

  #setExpiry(slot: number, expiresAt: number): void {
    const item = this.#item.at(this.#addressOf(slot));
    const before = item.expiresAt;
    if (before === expiresAt) return;
    if (!item.hasExpiry) {
      this.#rewrite(slot, expiresAt);
      return;
    }
    if (before !== NEVER) this.#expiry.remove(slot, before);
    item.setExpiry(expiresAt);
    if (expiresAt !== NEVER) this.#expiry.add(slot, expiresAt, this.#now());
  }

  // Writes an item anew that has no room for an expiry.
  #rewrite(slot: number, expiresAt: number): void {
    const item = this.#item.at(this.#addressOf(slot));
    const { key, value, kind, flags, cas, stale, recaching, fetched } = item;
    const contents = this.#contentsOf(slot);
    const draft = { value, kind, flags, cas, stale, recaching, fetched, expiresAt };
    this.#put(slot, this.#hash.of(key, contents.id), key, contents, draft, chunkSizes(key.length, draft));
    // Whoever was given the item must find it where it is now.
    this.#given.at(this.#addressOf(slot));
  }

  // Another read within the same second changes nothing: the order of use is exact to the second for what
  // is read again and again, and popular items are not written to at every read.
  #use(slot: number, fetch: boolean): void {
    const now = this.#now();
    const item = this.#item.at(this.#addressOf(slot));
    if (item.fetched && item.accessedAt === Math.floor(now / 1000) * 1000) return;
    this.#slots.use(slot);
    item.use(now, fetch);
  }

  #expire(slot: number): void {
    const { cache, discarded } = this.#contentsOf(slot);
    this.#remove(slot);
    if (discarded) return;
    cache.expirations++;
    this.#expirations++;
  }

  #remove(slot: number): void {
    this.#empty(slot);
    this.#slots.release(slot);
  }

  // Takes an item out of everything; its slot remains the caller's.
  #empty(slot: number): void {
    const item = this.#item.at(this.#addressOf(slot));
    const contents = this.#contentsOf(slot);
    const { expiresAt } = item;
    if (expiresAt !== NEVER) this.#expiry.remove(slot, expiresAt);
    const bytes = this.#bytesOf(slot);
    this.#bytes -= bytes;
    contents.bytes -= bytes;
    contents.items--;
    if (contents.discarded) {
      this.#discardedItems--;
      this.#forgetIfEmpty(contents);
    }
    this.#slots.remove(slot);
    this.#freeChunks(this.#addressOf(slot));
    this.#slots.setAddress(slot, NOWHERE);
  }

  #freeChunks(first: number): void {
    let address = this.#item.at(first).next;
    this.#heap.free(first);
    while (address !== NOWHERE) {
      const next = this.#heap.words(address)[wordOf(address) + 1] as number;
      this.#heap.free(address);
      address = next;
    }
  }

  // What an item takes: its chunks and its slot.
  #bytesOf(slot: number): number {
    const first = this.#addressOf(slot);
    let bytes = this.#heap.chunkBytes(first) + SLOT_BYTES;
    let address = this.#item.at(first).next;
    while (address !== NOWHERE) {
      bytes += this.#heap.chunkBytes(address);
      address = this.#heap.words(address)[wordOf(address) + 1] as number;
    }
    return bytes;
  }

  #addressOf(slot: number): number {
    return this.#slots.address(slot);
  }

  #contentsOf(slot: number): ArenaContents {
    const contents = this.#contents.get(this.#slots.contents(slot));
    if (!contents) throw new RangeError(`slot ${slot} belongs to unknown contents`);
    return contents;
  }

  // Clients may set a cas of their own; only our own numbers move the counter on.
  #countCas(cas: Cas): void {
    if (cas === this.#nextCas) this.#nextCas++;
  }

  // Frees at least one item: what nobody wants any more first, then the least recently used. False: there
  // is none.
  #makeRoom(): boolean {
    const before = this.#slots.size;
    this.#expireFullSeconds(TIDY_ITEMS);
    if (this.#discardedItems > 0) this.#freeDiscarded(TIDY_ITEMS, TIDY_SLOTS);
    if (this.#slots.size < before) return true;
    const { oldest } = this.#slots;
    if (oldest !== NO_SLOT) this.#evict(oldest);
    return oldest !== NO_SLOT;
  }

  #evict(slot: number): void {
    const item = this.#item.at(this.#addressOf(slot));
    const { cache, discarded } = this.#contentsOf(slot);
    if (item.expiresAt <= this.#now()) {
      this.#expire(slot);
      return;
    }
    this.#remove(slot);
    if (discarded) return;
    cache.evictions++;
    this.#evictions++;
  }

  #newContents(cache: ArenaCache): ArenaContents {
    const contents = new ArenaContents(this.#nextContentsId++, cache);
    this.#contents.set(contents.id, contents);
    return contents;
  }

  #discard(contents: ArenaContents): void {
    this.#discardedItems += contents.items;
    this.#searched = 0;
    this.#forgetIfEmpty(contents);
  }

  #forgetIfEmpty(contents: ArenaContents): void {
    if (contents.items === 0) this.#contents.delete(contents.id);
  }

  // Answers when whatever has expired or is to be cleared by now is gone, so that what is counted is exact.
  // Usually that is at once; where millions expired together, others have their turn meanwhile.
  #whenTidy<T>(answer: () => T): Answer<T> {
    this.caches.clearAllDue();
    if (this.#expireFullSeconds(SWEEP_ITEMS_MAX) === 0)
      return othersTurn().then(() => this.#whenTidy(answer));
    const now = this.#now();
    this.#expiry.expireWithinSecond(
      now,
      (slot) => this.#item.at(this.#addressOf(slot)).expiresAt <= now,
      (slot) => this.#expire(slot),
    );
    return answer();
  }

  #expireFullSeconds(most: number): number {
    return this.#expiry.expireFullSeconds(this.#now(), most, (slot) => this.#expire(slot));
  }

  // Frees up to `most` items of discarded contents, looking at so many slots from where it stopped last.
  #freeDiscarded(most: number, slotsMax: number): void {
    let left = most;
    for (let looked = 0; looked < slotsMax && left > 0 && this.#discardedItems > 0; looked++) {
      this.#searched = this.#searched >= this.#slots.highest ? 1 : this.#searched + 1;
      if (this.#addressOf(this.#searched) === NOWHERE || !this.#contentsOf(this.#searched).discarded)
        continue;
      this.#remove(this.#searched);
      left--;
    }
  }
}
