import { LRUCache } from 'lru-cache';
import type { CacheSettings, Quota } from '../engine/cache-settings.ts';
import { Refusal } from '../engine/errors.ts';
import { type Cas, type Draft, draftOf, type Item, type NewValue } from '../engine/item.ts';
import type { Journal, JournaledCache, JournaledStore, Restoration } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import type { Amendment, CacheInfo, Decide, ListedItem, StoreTotals } from '../engine/store.ts';
import { CacheHandle, type MemoryStore } from './cache-handle.ts';
import { ExpiryCalendar } from './expiry-calendar.ts';
import { isJournaled } from './journaled-decision.ts';
import { type Entries, Entry } from './lru-cache-entry.ts';
import { Contents, type MemoryCache } from './memory-cache.ts';
import { MemoryCaches } from './memory-caches.ts';
import { MemoryRestoration } from './memory-restoration.ts';
import { QuotaEviction } from './quota-eviction.ts';

/**
 * What an item costs above its key and value, in bytes: a map slot, an object, a Buffer and its place in
 * the eviction order. Measured on Node 20 with a million items of 20-byte keys and 100-byte values.
 */
export const ITEM_OVERHEAD_BYTES = 500;

/** A JavaScript Map throws beyond 16.7 million insert slots, which churn uses up at half as many keys. */
export const LRU_CACHE_BYTES_MAX = 8_000_000 * ITEM_OVERHEAD_BYTES;

// How many items one sweep frees: a few milliseconds' work at most.
const SWEEP_ITEMS_MAX = 2_000;

// What has to go is for the store to say. An lru-cache that knew sizes would drop items by itself: an entry that is
// filled anew would count for ever as what it was when it came.
const UNBOUNDED = { maxSize: Number.MAX_SAFE_INTEGER, sizeCalculation: () => 1 };

interface LruCacheStoreOptions {
  /** How many bytes all items together may take: keys, values and ITEM_OVERHEAD_BYTES each. */
  readonly bytesMax: number;
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch; never goes back. */
  readonly now: () => number;
}

type EntryCache = MemoryCache<Entries>;
type EntryContents = Contents<Entries>;

/**
 * Keeps every item as an object, in an lru-cache for each cache: its index by key and its order of use.
 * The readable reference among the stores.
 */
export class LruCacheStore implements JournaledStore, MemoryStore<Entries> {
  readonly caches: MemoryCaches<Entries>;
  nextCas = 1;
  readonly #now: () => number;
  readonly #bytesMax: number;
  readonly #calendar = new ExpiryCalendar<Entry>();
  readonly #quotaEviction: QuotaEviction<Entries, Entry>;
  /** What was cleared or deleted and still waits to be freed. */
  readonly #discarded = new Set<EntryContents>();
  #items = 0;
  #bytes = 0;
  #evictions = 0;
  #expirations = 0;
  /** When a write last had no room by its quotas. */
  #overQuotaAt = 0;

  constructor(options: LruCacheStoreOptions) {
    this.#now = options.now;
    this.#bytesMax = options.bytesMax;
    this.caches = new MemoryCaches<Entries>({
      ...options,
      newContents: (cache) => new Contents(cache, new LRUCache(UNBOUNDED)),
      oldestUse: (contents) => oldestOf(contents).accessedAt,
      discard: (contents) => this.#discarded.add(contents),
    });
    this.#quotaEviction = new QuotaEviction({
      accounts: this.caches.accounts,
      oldestOf,
      bytesOf: ({ size }) => size,
      evict: (entry) => this.#evict(entry),
    });
  }

  cache(projectId: string, name: string): CacheHandle<Entries> {
    return new CacheHandle(this, projectId, name);
  }

  list(projectId: string, skip: number, limit: number, previous?: string): CacheInfo[] {
    return this.caches.page(projectId, skip, limit, previous).map((cache) => this.info(cache));
  }

  settings(projectId: string, name: string): CacheSettings {
    return this.caches.settings(projectId, name);
  }

  configure(projectId: string, name: string, settings: CacheSettings | undefined): void {
    this.caches.configure(projectId, name, settings);
  }

  setQuota(projectId: string, quota: Quota): void {
    this.caches.setQuota(projectId, quota);
  }

  totals(): StoreTotals {
    this.#removeDue(Number.POSITIVE_INFINITY);
    const waiting = [...this.#discarded].reduce((sum, { items }) => sum + items, 0);
    return {
      items: this.#items - waiting,
      bytes: this.#bytes,
      bytesTaken: this.#bytes,
      bytesResident: this.#bytes,
      bytesMax: this.#bytesMax,
      evictions: this.#evictions,
      expirations: this.#expirations,
    };
  }

  sweep(): boolean {
    return this.#freeDiscarded(this.#removeDue(SWEEP_ITEMS_MAX)) === 0;
  }

  close(): void {}

  info(cache: EntryCache): CacheInfo {
    this.#removeDue(Number.POSITIVE_INFINITY);
    return cache.info();
  }

  read(cache: EntryCache, key: Key, use: boolean): Item | undefined {
    const entry = this.#find(cache, String(key));
    if (entry && use) this.#use(entry);
    return entry;
  }

  put(handle: CacheHandle<Entries>, key: Key, value: NewValue): Cas {
    return this.update(handle, key, (_current, nextCas) => {
      return { action: 'put', draft: draftOf(value, nextCas), outcome: nextCas };
    });
  }

  update<R>(handle: CacheHandle<Entries>, given: Key, decide: Decide<R>): R {
    const key = String(given);
    const cache = handle.existing();
    const entry = cache && this.#find(cache, key);
    const decision = decide(entry, this.nextCas);
    const { journal } = this.caches;
    const journaled = journal && isJournaled(decision);
    if (journaled) journal.admit();
    if (decision.action === 'put') {
      const contents = cache
        ? this.#put(cache.contents, key, decision.draft)
        : this.#putFirst(handle, key, decision.draft);
      journal?.itemPut(contents.cache, key, decision.draft, this.#now());
    } else if (cache && entry && decision.action === 'amend') {
      this.#amend(entry, decision.amendment);
      if (journaled) journal.itemAmended(cache, key, entry);
    } else if (cache && entry && decision.action === 'remove') {
      this.#remove(entry);
      journal?.itemRemoved(cache, key);
    }
    return decision.outcome;
  }

  journalTo(journal: Journal | undefined): void {
    this.caches.journal = journal;
  }

  journaledCaches(): Iterable<JournaledCache> {
    return this.caches.all();
  }

  /** All at once, however many there are. */
  visit(_from: number, visit: (cache: JournaledCache, key: Key, item: Item) => void): number {
    for (const cache of this.caches.all()) {
      for (const entry of entriesOf(cache.contents)) {
        if (entry.expiresAt > this.#now()) visit(cache, entry.key, entry);
      }
    }
    return 0;
  }

  restoration(later = () => false): Restoration {
    const restore = (contents: EntryContents, given: Key, draft: Draft, accessedAt: number) => {
      const key = String(given);
      this.#place(contents, key, draft, sizeOf(key, draft), later).usedAt(accessedAt);
    };
    return new MemoryRestoration<Entries>(this, {
      put: restore,
      amend: (contents, key, marks) => {
        const entry = contents.kept.peek(String(key));
        if (!entry) return;
        const { value, kind, flags } = entry;
        restore(contents, key, { value, kind, flags, ...marks }, marks.accessedAt);
      },
      remove: (contents, key) => {
        const entry = contents.kept.peek(String(key));
        if (entry) this.#remove(entry);
      },
      orderByUse: (contents) => {
        const entries = entriesOf(contents).sort((a, b) => a.accessedAt - b.accessedAt);
        for (const { key } of entries) contents.kept.get(key);
      },
      mayEvict: (key, draft) => this.#bytes + sizeOf(key, draft) > this.#bytesMax,
      count: () => ({ items: this.#items, evictions: this.#evictions }),
    });
  }

  /** The live items, as they come. */
  *items(cache: EntryCache): Generator<ListedItem> {
    this.caches.clearIfDue(cache);
    const { contents } = cache;
    // The order of use changes meanwhile; the entries as they were do not.
    for (const item of [...contents.kept.values()]) {
      if (contents.discarded) return;
      const isThere = contents.kept.peek(item.key) === item && item.expiresAt > this.#now();
      if (isThere) yield { key: item.key, item };
    }
  }

  // The live entry under a key; one that has expired is removed.
  #find(cache: EntryCache, key: string): Entry | undefined {
    if (cache.clearAt !== undefined) this.caches.clearIfDue(cache);
    const entry = cache.contents.kept.peek(key);
    if (!entry || entry.expiresAt > this.#now()) return entry;
    this.#expire(entry);
    return undefined;
  }

  // A write that is refused makes no cache.
  #putFirst(handle: CacheHandle<Entries>, key: string, draft: Draft): EntryContents {
    const cache = handle.create();
    try {
      return this.#put(cache.contents, key, draft);
    } catch (error) {
      this.caches.delete(cache);
      throw error;
    }
  }

  // A refusal leaves what was there as it was.
  #put(contents: EntryContents, key: string, draft: Draft): EntryContents {
    const size = sizeOf(key, draft);
    this.#checkSize(size);
    this.#keepQuotas(contents, key, size);
    this.#place(contents, key, draft, size).usedAt(this.#now());
    this.#countCas(draft.cas);
    return contents;
  }

  // As put, whatever the quotas say. `later`: see JournaledStore.restoration.
  #place(contents: EntryContents, key: string, draft: Draft, size: number, later?: () => boolean): Entry {
    this.#makeRoom(contents, key, size, later);
    const before = contents.kept.peek(key);
    if (before) this.#calendar.remove(before);
    const entry = before ?? new Entry(contents, key);
    this.#charge(contents, before ? 0 : 1, size - entry.size);
    entry.fill(draft, size);
    contents.kept.set(entry.key, entry);
    this.#calendar.add(entry, this.#now());
    return entry;
  }

  // Throws Refusal `out_of_memory`.
  #checkSize(size: number): void {
    if (size <= this.#bytesMax) return;
    throw new Refusal('out_of_memory', `an item of ${size} bytes is more than the memory limit allows`);
  }

  // Throws Refusal `out_of_memory`.
  #makeRoom(contents: EntryContents, key: string, size: number, later?: () => boolean): void {
    for (;;) {
      const before = contents.kept.peek(key)?.size ?? 0;
      if (this.#bytes + size - before <= this.#bytesMax) return;
      if (this.#tidy() || later?.()) continue;
      const { account, settings } = contents.cache;
      // The version before stays where it may not go, and its room is used again.
      const more = settings.policy === 'none' ? size - before : size;
      const victim = this.caches.accounts.victimFor(account, more);
      if (!victim) throw new Refusal('out_of_memory', 'memory is full of items that may not be evicted');
      this.#evict(oldestOf(victim));
    }
  }

  // Makes room by the quotas for an item of `size` bytes under a key. Throws Refusal `over_quota`.
  #keepQuotas(contents: EntryContents, key: string, size: number): void {
    const before = contents.kept.peek(key);
    if (!this.caches.accounts.isOverQuota(contents, before ? 0 : 1, size - (before?.size ?? 0))) return;
    this.#expireForQuotas();
    this.#quotaEviction.makeRoom(contents, size, contents.kept.peek(key));
  }

  // Neither expired items nor those that are to be cleared by now take room from live ones. Once in a millisecond is
  // enough.
  #expireForQuotas(): void {
    const now = this.#now();
    if (now !== this.#overQuotaAt) this.#removeDue(SWEEP_ITEMS_MAX);
    this.#overQuotaAt = now;
  }

  // Frees what nobody wants any more. False: there is none.
  #tidy(): boolean {
    const before = this.#items;
    this.sweep();
    return this.#items < before;
  }

  #amend(entry: Entry, { expiresAt, cas, stale, recaching, use = true, fetch }: Amendment): void {
    if (expiresAt !== undefined) {
      this.#calendar.remove(entry);
      entry.expiresAt = expiresAt;
      this.#calendar.add(entry, this.#now());
    }
    if (cas !== undefined) {
      entry.cas = cas;
      this.#countCas(cas);
    }
    entry.stale = stale ?? entry.stale;
    entry.recaching = recaching ?? entry.recaching;
    if (use) this.#use(entry, fetch);
  }

  #use(entry: Entry, fetch = true): void {
    entry.usedAt(this.#now());
    if (fetch) entry.fetched = true;
    entry.contents.kept.get(entry.key);
  }

  // Clients may set a cas of their own; only our own numbers move the counter on.
  #countCas(cas: Cas): void {
    if (cas === this.nextCas) this.nextCas++;
  }

  #evict(entry: Entry): void {
    if (entry.expiresAt <= this.#now()) {
      this.#expire(entry);
      return;
    }
    this.caches.journal?.itemRemoved(entry.contents.cache, entry.key);
    this.#remove(entry);
    entry.contents.cache.evictions++;
    this.#evictions++;
  }

  #expire(entry: Entry): void {
    const { discarded, cache } = entry.contents;
    this.#remove(entry);
    if (discarded) return;
    cache.expirations++;
    this.#expirations++;
  }

  #remove(entry: Entry): void {
    const { contents, key, size } = entry;
    this.#calendar.remove(entry);
    contents.kept.delete(key);
    this.#charge(contents, -1, -size);
  }

  #charge(contents: EntryContents, items: number, bytes: number): void {
    this.#items += items;
    this.#bytes += bytes;
    this.caches.accounts.charge(contents, items, bytes);
  }

  // Clears what was to be cleared by now, removes up to `most` items that have expired, and says how many more it might
  // have.
  #removeDue(most: number): number {
    this.caches.clearDue(Number.POSITIVE_INFINITY);
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
      for (const entry of contents.kept.values()) {
        if (left-- <= 0) return 0;
        this.#remove(entry);
      }
      this.#discarded.delete(contents);
    }
    return left;
  }
}

function sizeOf(key: Key, draft: Draft): number {
  return ITEM_OVERHEAD_BYTES + key.length + draft.value.length;
}

// The least recently used first.
function entriesOf({ kept }: EntryContents): Entry[] {
  return [...kept.rvalues()].filter((entry) => entry !== undefined);
}

function oldestOf({ kept }: EntryContents): Entry {
  const { value: entry } = kept.rvalues().next();
  if (!entry) throw new RangeError('there is no item where one was counted');
  return entry;
}
