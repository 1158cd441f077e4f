import type { Answer } from '../engine/answer.ts';
import type { CacheSettings, Quota } from '../engine/cache-settings.ts';
import { type Cas, type Draft, draftOf, type Item, type NewValue } from '../engine/item.ts';
import type { Journal, JournaledCache, JournaledStore, Restoration } from '../engine/journal.ts';
import { type Key, KeyBytes } from '../engine/key.ts';
import type { Amendment, CacheInfo, Decide, ListedItem, StoreTotals } from '../engine/store.ts';
import { ArenaItem } from './arena/arena-item.ts';
import { ArenaRestoration } from './arena/arena-restoration.ts';
import { NOWHERE } from './arena/chunk-heap.ts';
import { ContentsRegister } from './arena/contents-register.ts';
import { HeldItems } from './arena/held-items.ts';
import { KEY_LENGTH_MASK } from './arena/item-layout.ts';
import { ItemWalk } from './arena/item-walk.ts';
import { KeyedHash } from './arena/keyed-hash.ts';
import { type Owner, PackedItems } from './arena/packed-items.ts';
import { CacheHandle, type MemoryStore } from './cache-handle.ts';
import { isJournaled } from './journaled-decision.ts';
import type { Contents, MemoryCache } from './memory-cache.ts';
import { MemoryCaches } from './memory-caches.ts';
import { MemoryRestoration } from './memory-restoration.ts';

interface ArenaStoreOptions {
  /** How many bytes all items together may take, with everything that is kept about them. */
  readonly bytesMax: number;
  /** How many caches one project may have. */
  readonly cachesMax: number;
  /** Milliseconds since the Unix epoch; never goes back. */
  readonly now: () => number;
}

type ArenaCache = MemoryCache<Owner>;
type ArenaContents = Contents<Owner>;

/**
 * Keeps items packed in typed arrays off the JavaScript heap: index, eviction order, expiry and bytes.
 * Nothing per item is an object, so there is nothing for the garbage collector to walk, and an item costs
 * about 45 bytes above its key and value, where objects cost 500.
 */
export class ArenaStore implements JournaledStore, MemoryStore<Owner> {
  readonly caches: MemoryCaches<Owner>;
  nextCas = 1;
  readonly #now: () => number;
  readonly #bytesMax: number;
  readonly #hash = new KeyedHash();
  readonly #items: PackedItems;
  /** Holds the key that was last given as a string. */
  readonly #textKey = new KeyBytes(Buffer.allocUnsafeSlow(KEY_LENGTH_MASK), 0, 0);
  /** The item that was last given to a caller. */
  readonly #given: ArenaItem;
  readonly #walk: ItemWalk;
  readonly #contents: ContentsRegister;
  readonly #held: HeldItems;

  constructor(options: ArenaStoreOptions) {
    const { bytesMax, cachesMax, now } = options;
    this.#now = now;
    this.#bytesMax = bytesMax;
    this.#items = new PackedItems({ bytesMax, now, orderOf: (id) => this.#contents.of(id).kept.order });
    this.#given = new ArenaItem(this.#items.heap);
    this.#walk = new ItemWalk(this.#items);
    this.#contents = new ContentsRegister(this.#items.heap);
    this.caches = new MemoryCaches<Owner>({
      bytesMax,
      cachesMax,
      now,
      newContents: (cache) => this.#contents.add(cache),
      oldestUse: ({ kept }) => this.#items.at(kept.order.oldest).accessedAt,
      discard: (contents) => this.#contents.discard(contents),
    });
    this.#held = new HeldItems({
      bytesMax,
      now,
      items: this.#items,
      contents: this.#contents,
      caches: this.caches,
    });
  }

  cache(projectId: string, name: string): CacheHandle<Owner> {
    return new CacheHandle(this, projectId, name);
  }

  list(projectId: string, skip: number, limit: number, previous?: string): Answer<CacheInfo[]> {
    return this.#held.tidying.whenTidy(() =>
      this.caches.page(projectId, skip, limit, previous).map((cache) => cache.info()),
    );
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

  totals(): Answer<StoreTotals> {
    return this.#held.tidying.whenTidy(() => ({
      items: this.#items.index.size - this.#contents.discardedItems,
      bytes: this.#held.bytes,
      bytesTaken: this.#items.heap.bytesInUse,
      bytesResident: this.#items.heap.bytesTouched,
      bytesMax: this.#bytesMax,
      evictions: this.#held.evictions,
      expirations: this.#held.expirations,
    }));
  }

  sweep(): boolean {
    return this.#held.tidying.sweep();
  }

  close(): void {}

  info(cache: ArenaCache): Answer<CacheInfo> {
    return this.#held.tidying.whenTidy(() => cache.info());
  }

  read(cache: ArenaCache, given: Key, use: boolean): Item | undefined {
    const key = this.#bytesOf(given);
    const address = this.#find(cache, key);
    if (address === NOWHERE) return undefined;
    if (use) this.#use(address, cache.contents, true);
    return this.#given.at(address);
  }

  expect(cache: ArenaCache, keys: readonly KeyBytes[], count: number): void {
    for (let i = 0; i < count; i++) this.#items.expect(this.#hashOf(cache, keys[i] as KeyBytes));
  }

  put(handle: CacheHandle<Owner>, given: Key, value: NewValue): Cas {
    const key = this.#bytesOf(given);
    const cache = handle.existing();
    const address = this.#find(cache, key);
    const draft = draftOf(value, this.nextCas);
    this.caches.journal?.admit();
    this.#putInto(handle, cache, key, draft, address);
    return draft.cas;
  }

  update<R>(handle: CacheHandle<Owner>, given: Key, decide: Decide<R>): R {
    const key = this.#bytesOf(given);
    const cache = handle.existing();
    const address = this.#find(cache, key);
    const current = address === NOWHERE ? undefined : this.#given.at(address);
    const decision = decide(current, this.nextCas);
    const { journal } = this.caches;
    const journaled = journal && isJournaled(decision);
    if (journaled) journal.admit();
    if (decision.action === 'put') {
      this.#putInto(handle, cache, key, decision.draft, address);
    } else if (cache && address !== NOWHERE) {
      if (decision.action === 'amend') {
        const place = this.#amend(address, cache.contents, decision.amendment);
        if (journaled) journal.itemAmended(cache, key, this.#items.at(place));
      } else if (decision.action === 'remove') {
        this.#held.remove(address, cache.contents);
        journal?.itemRemoved(cache, key);
      }
    }
    return decision.outcome;
  }

  journalTo(journal: Journal | undefined): void {
    this.caches.journal = journal;
  }

  journaledCaches(): Iterable<JournaledCache> {
    return this.caches.all();
  }

  visit(from: number, visit: (cache: JournaledCache, key: Key, item: Item) => void): number {
    return this.#walk.visit(from, (address) => {
      const item = this.#items.at(address);
      const contents = this.#contents.of(item.owner);
      if (!contents.discarded && item.expiresAt > this.#now()) visit(contents.cache, item.keyBytes, item);
    });
  }

  restoration(later = () => false): Restoration {
    const restoration = new ArenaRestoration({
      items: this.#items,
      held: this.#held,
      hash: this.#hash,
      bytesOf: (key) => this.#bytesOf(key),
      later,
    });
    return new MemoryRestoration<Owner>(this, restoration);
  }

  /** The live items. Others have their turn meanwhile, since most items may be other caches'. */
  async *items(cache: ArenaCache): AsyncGenerator<ListedItem> {
    this.caches.clearIfDue(cache);
    const { contents } = cache;
    for await (const key of this.#walk.keysOf(contents.kept, contents.items)) {
      if (contents.discarded) return;
      const address = this.#lookUp(this.#bytesOf(key), contents);
      if (address === NOWHERE) continue;
      const item = this.#items.at(address);
      // The caller may look at it later, when something else lies there.
      if (item.expiresAt > this.#now()) yield { key, item: item.facts };
    }
  }

  #bytesOf(key: Key): KeyBytes {
    if (typeof key !== 'string') return key;
    this.#textKey.setText(key);
    return this.#textKey;
  }

  // The address of the item under a key, expired or not, or NOWHERE.
  #lookUp(key: KeyBytes, { kept }: ArenaContents): number {
    return this.#items.find(key, kept.id, this.#hash.of(key, kept.id));
  }

  #hashOf(cache: ArenaCache, key: KeyBytes): number {
    if (cache.clearAt !== undefined) this.caches.clearIfDue(cache);
    const { id } = cache.contents.kept;
    if (key.hashedFor === id) return key.hash;
    key.hash = this.#hash.of(key, id);
    key.hashedFor = id;
    return key.hash;
  }

  // The address of the live item under a key, or NOWHERE; an item that has expired is removed.
  #find(cache: ArenaCache | undefined, key: KeyBytes): number {
    if (!cache) return NOWHERE;
    const hash = this.#hashOf(cache, key);
    const address = this.#items.find(key, cache.contents.kept.id, hash);
    if (address === NOWHERE || this.#items.at(address).expiresAt > this.#now()) return address;
    this.#held.expire(address);
    return NOWHERE;
  }

  #putInto(
    handle: CacheHandle<Owner>,
    cache: ArenaCache | undefined,
    key: KeyBytes,
    draft: Draft,
    found: number,
  ): void {
    const contents = cache
      ? this.#put(cache.contents, key, this.#hashOf(cache, key), draft, found)
      : this.#putFirst(handle, key, draft);
    this.caches.journal?.itemPut(contents.cache, key, draft, this.#now());
  }

  // A write that is refused makes no cache.
  #putFirst(handle: CacheHandle<Owner>, key: KeyBytes, draft: Draft): ArenaContents {
    const cache = handle.create();
    try {
      return this.#put(cache.contents, key, this.#hashOf(cache, key), draft, NOWHERE);
    } catch (error) {
      this.caches.delete(cache);
      throw error;
    }
  }

  // Puts an item in the place of the one that was found, if any. A refusal leaves that as it was.
  #put(contents: ArenaContents, key: KeyBytes, hash: number, draft: Draft, found: number): ArenaContents {
    this.#held.put(contents, key, hash, draft, found);
    // Clients may set a cas of their own; only our own numbers move the counter on.
    this.#countCas(draft.cas);
    return contents;
  }

  // Answers where the item is then.
  #amend(address: number, contents: ArenaContents, amendment: Amendment): number {
    const { expiresAt, cas, stale, recaching, use = true, fetch = true } = amendment;
    const place = expiresAt === undefined ? address : this.#setExpiry(address, contents, expiresAt);
    const item = this.#items.at(place);
    if (cas !== undefined) {
      item.setCas(cas);
      this.#countCas(cas);
    }
    if (stale !== undefined || recaching !== undefined) {
      item.setMarks({ stale: stale ?? item.stale, recaching: recaching ?? item.recaching });
    }
    if (use) this.#use(place, contents, fetch);
    return place;
  }

  // Answers where the item is then.
  #setExpiry(address: number, contents: ArenaContents, expiresAt: number): number {
    const item = this.#items.at(address);
    if (item.expiresAt === expiresAt) return address;
    if (!item.hasExpiry) return this.#rewrite(address, contents, expiresAt);
    this.#items.setExpiry(address, expiresAt);
    return address;
  }

  // Rewrites an item that has no room for an expiry. A refusal leaves it as it was.
  #rewrite(address: number, contents: ArenaContents, expiresAt: number): number {
    const item = this.#items.at(address);
    const { hash, value, kind, flags, cas, stale, recaching, fetched } = item;
    const draft = { value, kind, flags, cas, stale, recaching, fetched, expiresAt };
    const place = this.#held.rewrite(contents, this.#bytesOf(item.key), hash, draft, address);
    // The caller who was given the item must see it at its new place.
    this.#given.at(place);
    return place;
  }

  // Another read within the same second changes nothing, so that popular items are not written to at every read: their
  // order of use is exact to the second.
  #use(address: number, { kept }: ArenaContents, fetch: boolean): void {
    const now = this.#now();
    const item = this.#items.at(address);
    if (item.fetched && item.accessedAt === Math.floor(now / 1000) * 1000) return;
    kept.order.use(address);
    item.use(now, fetch);
  }

  #countCas(cas: Cas): void {
    if (cas === this.nextCas) this.nextCas++;
  }
}
