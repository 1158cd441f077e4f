import { type Answer, after } from './answer.ts';
import { type Arithmetic, type ArithmeticOptions, type ArithmeticOutcome, calculate } from './arithmetic.ts';
import { compareAndSwap, remove, type StoreMode, type StoreOutcome, storing, touch } from './changes.ts';
import { Refusal } from './errors.ts';
import { type Cas, type Item, NEVER, type NewValue } from './item.ts';
import {
  type GuardedOutcome,
  type GuardedStoreOptions,
  guardedStore,
  type InvalidateOptions,
  invalidate,
  type Lease,
  type LeaseOptions,
  lease,
} from './leases.ts';
import type { EngineLimits } from './limits.ts';
import { Statistics } from './statistics.ts';
import type { CacheInfo, Decide, ListedItem, StoredCache } from './store.ts';

/**
 * One cache of one project, as both doors use it: every operation on items, counted and within the
 * limits. Resolve it once per request or session; it goes on working when the cache is deleted.
 */
export class Cache {
  readonly projectId: string;
  readonly name: string;
  readonly statistics = new Statistics();
  readonly #stored: StoredCache;
  readonly #limits: EngineLimits;
  readonly #now: () => number;

  constructor(
    projectId: string,
    name: string,
    parts: { stored: StoredCache; limits: EngineLimits; now: () => number },
  ) {
    this.projectId = projectId;
    this.name = name;
    this.#stored = parts.stored;
    this.#limits = parts.limits;
    this.#now = parts.now;
  }

  get(key: string): Answer<Item | undefined> {
    // Not by `after`: this is the most frequent operation of all, and need not make a function for it.
    const item = this.#stored.read(key, true);
    return item instanceof Promise ? item.then((found) => this.#countGet(found)) : this.#countGet(item);
  }

  /** Looks without counting as a use. */
  peek(key: string): Answer<Item | undefined> {
    return this.#stored.read(key, false);
  }

  store(mode: StoreMode, key: string, value: NewValue): Answer<StoreOutcome> {
    return this.#put(key, value, storing[mode](value, this.#limits.valueBytesMax));
  }

  compareAndSwap(key: string, value: NewValue, expected: Cas): Answer<StoreOutcome> {
    const answer = this.#put(key, value, compareAndSwap(value, expected));
    return after(answer, (outcome) => {
      if (outcome === 'stored') this.statistics.casHits++;
      else if (outcome === 'exists') this.statistics.casBadval++;
      else this.statistics.casMisses++;
      return outcome;
    });
  }

  calculate(key: string, by: Arithmetic, options?: ArithmeticOptions): Answer<ArithmeticOutcome> {
    return after(this.#stored.update(key, calculate(by, options)), (outcome) => {
      this.#countArithmetic(by, outcome);
      return outcome;
    });
  }

  /** True: there was an item. */
  delete(key: string): Answer<boolean> {
    return after(this.#stored.update(key, remove()), (removed) => {
      if (removed) this.statistics.deleteHits++;
      else this.statistics.deleteMisses++;
      return removed;
    });
  }

  /** Removes an item that must not be served any more, without counting a client's delete. */
  discard(key: string): Answer<boolean> {
    return this.#stored.update(key, remove());
  }

  /** Gives an item another expiry and answers the item, if there is one. */
  touch(key: string, expiresAt: number): Answer<Item | undefined> {
    return after(this.#stored.update(key, touch(expiresAt)), (item) => {
      if (item) this.statistics.touchHits++;
      else this.statistics.touchMisses++;
      return item;
    });
  }

  /** Reads as the meta commands do: may make, touch, or win the right to refresh an item. */
  lease(key: string, options: LeaseOptions): Answer<Lease | undefined> {
    return after(this.#stored.update(key, lease(options, this.#now())), (found) => {
      const touched = options.expiresAt !== undefined;
      if (found) this.statistics[touched ? 'touchHits' : 'getHits']++;
      else this.statistics[touched ? 'touchMisses' : 'getMisses']++;
      return found;
    });
  }

  /** Stores as the meta commands do; see GuardedStoreOptions. */
  storeGuarded(
    mode: StoreMode,
    key: string,
    value: NewValue,
    options: GuardedStoreOptions,
  ): Answer<GuardedOutcome> {
    return this.#put(key, value, guardedStore(mode, value, options, this.#limits.valueBytesMax));
  }

  /** Deletes as the meta commands do: perhaps only one version, perhaps only marking it stale. */
  invalidate(key: string, options: InvalidateOptions): Answer<'done' | 'not_found' | 'exists'> {
    return after(this.#stored.update(key, invalidate(options)), (outcome) => {
      if (outcome !== 'done') this.statistics.deleteMisses++;
      else if (!options.markStale) this.statistics.deleteHits++;
      return outcome;
    });
  }

  /** Removes all items, now or those there at `at` (ms since the epoch). False: no such cache. */
  clear(at?: number): Answer<boolean> {
    this.statistics.flushes++;
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

  list(): Iterable<ListedItem> | AsyncIterable<ListedItem> {
    return this.#stored.list();
  }

  /** When an item expires that is stored now without a word about it. */
  defaultExpiresAt(): number {
    const seconds = this.#limits.defaultExpiresInSeconds;
    return seconds === 0 ? NEVER : this.#now() + seconds * 1000;
  }

  #countGet(item: Item | undefined): Item | undefined {
    if (item) this.statistics.getHits++;
    else this.statistics.getMisses++;
    return item;
  }

  #put<R>(key: string, value: NewValue, decide: Decide<R>): Answer<R> {
    const { valueBytesMax } = this.#limits;
    if (value.value.length > valueBytesMax) {
      this.statistics.tooLarge++;
      throw new Refusal('value_too_large', `a value may have at most ${valueBytesMax} bytes`);
    }
    this.statistics.sets++;
    try {
      return this.#stored.update(key, decide);
    } catch (error) {
      if (error instanceof Refusal && error.code === 'out_of_memory') this.statistics.outOfMemory++;
      throw error;
    }
  }

  #countArithmetic(by: Arithmetic, { status }: ArithmeticOutcome): void {
    const down = by.rule === 'signed' ? by.delta < 0n : by.direction === 'down';
    if (status === 'done') this.statistics[down ? 'decrHits' : 'incrHits']++;
    if (status === 'not_found') this.statistics[down ? 'decrMisses' : 'incrMisses']++;
  }
}
