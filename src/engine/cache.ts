import { type Answer, after } from './answer.ts';
import { type Arithmetic, type ArithmeticOptions, type ArithmeticOutcome, calculate } from './arithmetic.ts';
import type { CacheSettings } from './cache-settings.ts';
import { compareAndSwap, remove, type StoreMode, type StoreOutcome, storing, touch } from './changes.ts';
import { Refusal } from './errors.ts';
import { type Cas, type Item, NEVER, type NewValue } from './item.ts';
import type { Key, KeyBytes } from './key.ts';
import {
  type GuardedOutcome,
  type GuardedStoreOptions,
  guardedStore,
  type Invalidated,
  type InvalidateOptions,
  invalidate,
  isGuarded,
  type Lease,
  type LeaseOptions,
  lease,
  leaseOfRead,
  mayBeRead,
  storedAs,
} from './leases.ts';
import type { EngineLimits } from './limits.ts';
import { type Counter, Statistics } from './statistics.ts';
import type { CacheInfo, Decide, ListedItem, StoredCache } from './store.ts';

interface CacheParts {
  readonly stored: StoredCache;
  /** What was done to all caches. */
  readonly totals: Statistics;
  readonly settings: () => CacheSettings;
  readonly limits: EngineLimits;
  readonly now: () => number;
}

/**
 * One cache of one project, as both doors use it: every operation on items, counted and within the
 * limits. Resolve it once per request or session; it goes on working when the cache is deleted.
 */
export class Cache {
  readonly projectId: string;
  readonly name: string;
  readonly statistics = new Statistics();
  /** For the engine's use: how many go on using it without asking for it again; see Engine.hold. */
  holders = 0;
  readonly #totals: Statistics;
  readonly #settings: () => CacheSettings;
  readonly #stored: StoredCache;
  readonly #limits: EngineLimits;
  readonly #now: () => number;

  constructor(projectId: string, name: string, parts: CacheParts) {
    this.projectId = projectId;
    this.name = name;
    this.#stored = parts.stored;
    this.#totals = parts.totals;
    this.#settings = parts.settings;
    this.#limits = parts.limits;
    this.#now = parts.now;
  }

  get(key: Key): Answer<Item | undefined> {
    // Without `after`: the most frequent operation of all should not make a function each time.
    const item = this.#stored.read(key, true);
    if (item instanceof Promise) return item.then((found) => this.#counted(found));
    return this.#counted(item);
  }

  /** Announces that the first `count` of these keys will be asked for soon, which may make that quicker. */
  expect(keys: readonly KeyBytes[], count: number): void {
    this.#stored.expect?.(keys, count);
  }

  /** Looks without counting as a use. */
  peek(key: Key): Answer<Item | undefined> {
    return this.#stored.read(key, false);
  }

  store(mode: StoreMode, key: Key, value: NewValue): Answer<StoreOutcome> {
    if (mode === 'set') {
      const cas = this.#set(key, value);
      return cas instanceof Promise ? cas.then(() => 'stored') : 'stored';
    }
    const kept = this.#kept(value);
    const answer = this.#put(key, kept, storing[mode](kept, this.#limits.valueBytesMax));
    return after(answer, (outcome) => {
      if (outcome !== 'stored') this.#count('notStored');
      return outcome;
    });
  }

  compareAndSwap(key: Key, value: NewValue, expected: Cas): Answer<StoreOutcome> {
    const kept = this.#kept(value);
    const answer = this.#put(key, kept, compareAndSwap(kept, expected));
    return after(answer, (outcome) => {
      this.#countSwap(outcome);
      return outcome;
    });
  }

  calculate(key: Key, by: Arithmetic, options?: ArithmeticOptions): Answer<ArithmeticOutcome> {
    const outcome = this.#stored.update(key, calculate(by, options));
    if (outcome instanceof Promise) return outcome.then((later) => this.#countedArithmetic(by, later));
    return this.#countedArithmetic(by, outcome);
  }

  /** True: there was an item. */
  delete(key: Key): Answer<boolean> {
    const removed = this.#stored.update(key, remove);
    if (removed instanceof Promise) return removed.then((later) => this.#countedDelete(later));
    return this.#countedDelete(removed);
  }

  /** Counts a meta command, besides what it does. */
  countMeta(): void {
    this.#count('metaCommands');
  }

  /** Counts a value that was refused before it was whole. */
  countTooLarge(): void {
    this.#count('tooLarge');
  }

  /**
   * Removes an item that a client failed to replace, so that the old value is not served. It does not count as a
   * delete. In a cache that evicts nothing the item stays: there, items go by deletion and expiry only.
   */
  discard(key: Key): Answer<boolean> {
    return this.evicts ? this.#stored.update(key, remove) : false;
  }

  /** Gives an item another expiry and answers the item, if there is one. */
  touch(key: Key, expiresAt: number): Answer<Item | undefined> {
    return after(this.#stored.update(key, touch(expiresAt)), (item) => {
      this.#count(item ? 'touchHits' : 'touchMisses');
      return item;
    });
  }

  /** Reads as the meta commands do: may make, touch, or win the right to refresh an item. */
  lease(key: Key, options: LeaseOptions): Answer<Lease | undefined> {
    // As with get, no function is made for it.
    const found = mayBeRead(options) ? this.#readLease(key, options) : this.#updateLease(key, options);
    if (found instanceof Promise) return found.then((later) => this.#countedLease(later, options));
    return this.#countedLease(found, options);
  }

  /** Stores as the meta commands do; see GuardedStoreOptions. */
  storeGuarded(
    mode: StoreMode,
    key: Key,
    value: NewValue,
    options: GuardedStoreOptions,
  ): Answer<GuardedOutcome> {
    if (!isGuarded(mode, options)) {
      const cas = this.#set(key, value);
      return cas instanceof Promise ? cas.then(storedAs) : storedAs(cas);
    }
    const kept = this.#kept(value);
    const answer = this.#put(key, kept, guardedStore(mode, kept, options, this.#limits.valueBytesMax));
    return after(answer, (guarded) => {
      // Only these two replace a version as cas does.
      const isSwap = options.compareCas !== undefined && (mode === 'set' || mode === 'replace');
      if (isSwap) this.#countSwap(guarded.outcome);
      else if (guarded.outcome !== 'stored') this.#count('notStored');
      return guarded;
    });
  }

  /** Deletes as the meta commands do: perhaps only one version, perhaps only marking it stale. */
  invalidate(key: Key, options: InvalidateOptions): Answer<Invalidated> {
    const outcome = this.#stored.update(key, invalidate(options));
    if (outcome instanceof Promise) return outcome.then((later) => this.#countedInvalidation(later, options));
    return this.#countedInvalidation(outcome, options);
  }

  /** Removes all items, now or those there at `at` (ms since the epoch). False: no such cache. */
  clear(at?: number): Answer<boolean> {
    this.#count('flushes');
    return this.#stored.clear(at);
  }

  /** Removes the cache itself. False: no such cache. */
  drop(): Answer<boolean> {
    this.statistics.reset();
    return this.#stored.delete();
  }

  info(): Answer<CacheInfo | undefined> {
    return this.#stored.info();
  }

  /** The same as it stands, without first removing what has expired; see StoredCache. */
  glance(): CacheInfo | undefined {
    return this.#stored.glance();
  }

  list(): Iterable<ListedItem> | AsyncIterable<ListedItem> {
    return this.#stored.list();
  }

  /** May items go to make room for others? */
  get evicts(): boolean {
    return this.#settings().policy !== 'none';
  }

  /** The expiry of an item that is stored now without one. */
  defaultExpiresAt(): number {
    const seconds = this.#settings().defaultExpiresInSeconds ?? this.#limits.defaultExpiresInSeconds;
    return seconds === 0 ? NEVER : this.#now() + seconds * 1000;
  }

  #counted(item: Item | undefined): Item | undefined {
    this.#countGet(item !== undefined);
    return item;
  }

  #readLease(key: Key, options: LeaseOptions): Answer<Lease | undefined> {
    const item = this.#stored.read(key, options.use);
    if (item instanceof Promise) return item.then((found) => this.#leaseOf(found, key, options));
    return this.#leaseOf(item, key, options);
  }

  #leaseOf(item: Item | undefined, key: Key, options: LeaseOptions): Answer<Lease | undefined> {
    if (!item && options.createUntil === undefined) return undefined;
    return (item && leaseOfRead(item)) ?? this.#updateLease(key, options);
  }

  #updateLease(key: Key, options: LeaseOptions): Answer<Lease | undefined> {
    const found = this.#stored.update(key, lease(options, this.#now()));
    if (options.createUntil === undefined) return found;
    return after(found, (later) => {
      if (later?.created) this.#count('made');
      return later;
    });
  }

  #countedLease(found: Lease | undefined, { expiresAt }: LeaseOptions): Lease | undefined {
    // What is not there is not touched either.
    if (expiresAt === undefined || !found) this.#countGet(found !== undefined);
    else this.#count('touchHits');
    return found;
  }

  #countedDelete(removed: boolean): boolean {
    this.#count(removed ? 'deleteHits' : 'deleteMisses');
    return removed;
  }

  #countedInvalidation(outcome: Invalidated, { markStale }: InvalidateOptions): Invalidated {
    if (outcome !== 'done') this.#count('deleteMisses');
    else if (!markStale) this.#count('deleteHits');
    return outcome;
  }

  // Gets and sets are too frequent for a counter that is looked up by its name.
  #countGet(hit: boolean): void {
    if (hit) {
      this.statistics.getHits++;
      this.#totals.getHits++;
    } else {
      this.statistics.getMisses++;
      this.#totals.getMisses++;
    }
  }

  #count(counter: Counter): void {
    this.statistics[counter]++;
    this.#totals[counter]++;
  }

  #countSwap(outcome: StoreOutcome): void {
    this.#count(outcome === 'stored' ? 'casHits' : outcome === 'exists' ? 'casBadval' : 'casMisses');
  }

  // A value may be a view of what a socket reads into: it does not outlast this turn.
  #kept(value: NewValue): NewValue {
    return this.#stored.isLate ? { ...value, value: Buffer.from(value.value) } : value;
  }

  // Not by `update`: the decision, always the same, would be a third of the garbage of a set.
  #set(key: Key, value: NewValue): Answer<Cas> {
    this.#countSet(value);
    try {
      return this.#stored.put(key, this.#kept(value));
    } catch (error) {
      this.#countRefusal(error);
      throw error;
    }
  }

  #put<R>(key: Key, value: NewValue, decide: Decide<R>): Answer<R> {
    this.#countSet(value);
    try {
      return this.#stored.update(key, decide);
    } catch (error) {
      this.#countRefusal(error);
      throw error;
    }
  }

  // Throws Refusal `value_too_large`.
  #countSet({ value }: NewValue): void {
    const { valueBytesMax } = this.#limits;
    if (value.length > valueBytesMax) {
      this.#count('tooLarge');
      throw new Refusal('value_too_large', `a value may have at most ${valueBytesMax} bytes`);
    }
    this.statistics.sets++;
    this.#totals.sets++;
  }

  #countRefusal(error: unknown): void {
    const noRoom =
      error instanceof Refusal && (error.code === 'out_of_memory' || error.code === 'over_quota');
    if (noRoom) this.#count('outOfMemory');
    this.#count('notStored');
  }

  #countedArithmetic(by: Arithmetic, outcome: ArithmeticOutcome): ArithmeticOutcome {
    const down = by.rule === 'signed' ? by.delta < 0 : by.direction === 'down';
    if (outcome.status === 'done') this.#count(outcome.created ? 'made' : down ? 'decrHits' : 'incrHits');
    if (outcome.status === 'not_found') this.#count(down ? 'decrMisses' : 'incrMisses');
    return outcome;
  }
}
