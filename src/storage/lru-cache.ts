import { LRUCache } from 'lru-cache';
import { Refusal } from '../engine/errors.ts';
import type { Cas, Draft, Item } from '../engine/item.ts';
import type { Amendment, CacheInfo, Decide, ListedItem, Store, StoreTotals } from '../engine/store.ts';
import { CacheHandle, type MemoryStore } from './cache-handle.ts';
import { ExpiryCalendar } from './expiry-calendar.ts';
import { Entry, EntryContents } from './lru-cache-entry.ts';
import { type MemoryCache, MemoryCaches } from './memory-caches.ts';
import { shardCount, shardOf } from './sharded-index.ts';

/**
 * What an item costs above its key and value, in bytes: two map slots, two objects, a Buffer and its place
 * in the eviction order. Measured on Node 20 with a million items of 20-byte keys and 100-byte values.
 */
export const ITEM_OVERHEAD_BYTES = 500;

// How many items one sweep frees: a few milliseconds' work at most.
const SWEEP_ITEMS_MAX = 2_000;

export interface LruCacheStoreOptions {
  /** How many bytes all items together may take: keys, values and ITEM_OVERHEAD_BYTES each. */
  readonly bytesMax: number;
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

type EntryCache = MemoryCache<EntryContents>;

/**
 * Keeps every item as an object in two maps: its cache's index by key, and one least-recently-used
 * order over all caches (lru-cache), which bounds the bytes. The readable reference among the stores.
 */
export class LruCacheStore implements Store, MemoryStore<EntryContents> {
  readonly caches: MemoryCaches<EntryContents>;
  readonly #now: () => number;
  readonly #bytesMax: number;
  readonly #orders: LRUCache<Entry, Buffer>[];
  readonly #calendar = new ExpiryCalendar<Entry>();
  /** What was cleared or deleted and still waits to be freed. */
  readonly #discarded = new Set<EntryContents>();
  #nextCas = 1;
  #evictions = 0;
  #expirations = 0;

  constructor(options: LruCacheStoreOptions) {
    this.#now = options.now;
    this.#bytesMax = options.bytesMax;
    // One shard keeps the exact order; more are needed only where one Map could not hold the items.
    const shards = shardCount(options.bytesMax, ITEM_OVERHEAD_BYTES);
    this.caches = new MemoryCaches({
      cachesMax: options.cachesMax,
      now: options.now,
      contentsOf: (cache) => new EntryContents(cache, shards),
      discard: (contents) => this.#discard(contents),
    });
    const maxSize = Math.floor(options.bytesMax / shards);
    this.#orders = Array.from({ length: shards }, () => this.#newOrder(maxSize));
  }

  cache(projectId: string, name: string): CacheHandle<EntryContents> {
    return new CacheHandle(this, projectId, name);
  }

  list(projectId: string, skip: number, limit: number): CacheInfo[] {
    return this.caches.page(projectId, skip, limit).map((cache) => this.info(cache));
  }

  totals(): StoreTotals {
    this.caches.clearAllDue();
    this.#removeDue(Number.POSITIVE_INFINITY);
    const waiting = [...this.#discarded].reduce((sum, { index }) => sum + index.size, 0);
    const bytes = this.#orders.reduce((sum, order) => sum + order.calculatedSize, 0);
    return {
      items: this.#orders.reduce((sum, order) => sum + order.size, 0) - waiting,
      bytes,
      bytesTaken: bytes,
      bytesMax: this.#bytesMax,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  sweep(): boolean {
    this.caches.clearAllDue();
    const left = this.#removeDue(SWEEP_ITEMS_MAX);
    return this.#freeDiscarded(left) === 0;
  }

  close(): void {}

  info(cache: EntryCache): CacheInfo {
    this.caches.clearIfDue(cache);
    this.#removeDue(Number.POSITIVE_INFINITY);
    return cache.info();
  }

  read(cache: EntryCache, key: string, use: boolean): Item | undefined {
    const entry = this.#find(cache, key);
    if (entry && use) this.#use(entry);
    return entry;
  }

  update<R>(handle: CacheHandle<EntryContents>, key: string, decide: Decide<R>): R {
    const cache = handle.existing();
    const entry = cache && this.#find(cache, key);
    const decision = decide(entry, this.#nextCas);
    if (decision.action === 'put') {
      // First the refusal, so that a write that is refused makes no cache.
      const size = this.#sizeOf(key, decision.draft);
      this.#put(cache ?? handle.create(), key, decision.draft, size);
    } else if (entry && decision.action === 'amend') this.#amend(entry, decision.amendment);
    else if (entry && decision.action === 'remove') this.#remove(entry);
    return decision.outcome;
  }

  /** The live items, as they come. */
  *items(cache: EntryCache): Generator<ListedItem> {
    this.caches.clearIfDue(cache);
    const { contents } = cache;
    for (const entry of contents.index.values()) {
      if (contents.discarded) return;
      if (entry.expiresAt > this.#now()) yield { key: entry.key, item: entry };
    }
  }

  // The live entry under a key; one that has expired is removed.
  #find(cache: EntryCache, key: string): Entry | undefined {
    if (cache.clearAt !== undefined) this.caches.clearIfDue(cache);
    const entry = cache.contents.index.get(key, shardOf(key, this.#orders.length));
    if (!entry || entry.expiresAt > this.#now()) return entry;
    this.#expire(entry);
    return undefined;
  }

  // What an item will take, in bytes. Throws Refusal `out_of_memory` if that is never to be had.
  #sizeOf(key: string, { value }: Draft): number {
    const size = ITEM_OVERHEAD_BYTES + key.length + value.length;
    if (size > this.#order(0).maxSize) {
      throw new Refusal('out_of_memory', `an item of ${size} bytes is more than the memory limit allows`);
    }
    return size;
  }

  #put(cache: EntryCache, key: string, draft: Draft, size: number): void {
    const shard = shardOf(key, this.#orders.length);
    this.#countCas(draft.cas);
    const { contents } = cache;
    const entry = contents.index.get(key, shard) ?? new Entry(contents, key, shard);
    this.#calendar.remove(entry);
    contents.bytes += size - entry.size;
    entry.fill(draft, size, this.#now());
    contents.index.set(key, shard, entry);
    this.#calendar.add(entry);
    // The value is told to lru-cache because it takes a new size only along with a new value.
    this.#order(shard).set(entry, entry.value, { size });
  }

  #amend(entry: Entry, { expiresAt, cas, stale, recaching, use = true, fetch }: Amendment): void {
    if (expiresAt !== undefined) {
      this.#calendar.remove(entry);
      entry.expiresAt = expiresAt;
      this.#calendar.add(entry);
    }
    if (cas !== undefined) {
      entry.cas = cas;
      this.#countCas(cas);
    }
    entry.stale = stale ?? entry.stale;
    entry.recaching = recaching ?? entry.recaching;
    if (use) this.#use(entry, fetch);
  }

  // Moves an entry to the far end of the eviction order.
  #use(entry: Entry, fetch = true): void {
    entry.accessedAt = this.#now();
    if (fetch) entry.fetched = true;
    this.#order(entry.shard).get(entry);
  }

  #remove(entry: Entry): void {
    this.#forget(entry);
    this.#order(entry.shard).delete(entry);
  }

  #newOrder(maxSize: number): LRUCache<Entry, Buffer> {
    return new LRUCache({
      maxSize,
      dispose: (_value, entry, reason) => {
        if (reason === 'evict') this.#evict(entry);
      },
    });
  }

  #order(shard: number): LRUCache<Entry, Buffer> {
    const order = this.#orders[shard];
    if (!order) throw new RangeError(`no shard ${shard}`);
    return order;
  }

  // Clients may set a cas of their own; only our own numbers move the counter on.
  #countCas(cas: Cas): void {
    if (cas === this.#nextCas) this.#nextCas++;
  }

  #evict(entry: Entry): void {
    this.#forget(entry);
    if (entry.contents.discarded) return;
    if (entry.expiresAt <= this.#now()) {
      this.#countExpiration(entry);
      return;
    }
    entry.contents.cache.evictions++;
    this.#evictions++;
  }

  #expire(entry: Entry): void {
    this.#remove(entry);
    if (!entry.contents.discarded) this.#countExpiration(entry);
  }

  #countExpiration(entry: Entry): void {
    entry.contents.cache.expirations++;
    this.#expirations++;
  }

  // Takes an entry out of everything but the eviction order.
  #forget(entry: Entry): void {
    this.#calendar.remove(entry);
    entry.contents.index.delete(entry.key, entry.shard);
    entry.contents.bytes -= entry.size;
  }

  #discard(contents: EntryContents): void {
    if (contents.index.size > 0) this.#discarded.add(contents);
  }

  // Removes up to `most` items that have expired, and says how many more it might have.
  #removeDue(most: number): number {
    let left = most;
    for (const entry of this.#calendar.due(this.#now())) {
      if (left-- <= 0) return 0;
      this.#expire(entry);
    }
    return left;
  }

  // Frees up to `most` items that were cleared, and says how many more it might have.
  #freeDiscarded(most: number): number {
    let left = most;
    for (const contents of this.#discarded) {
      for (const entry of contents.index.values()) {
        if (left-- <= 0) return 0;
        this.#remove(entry);
      }
      this.#discarded.delete(contents);
    }
    return left;
  }
}
