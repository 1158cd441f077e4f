import type { Answer } from './answer.ts';
import type { CacheSettings, Quota } from './cache-settings.ts';
import type { Cas, Draft, Item, NewValue } from './item.ts';
import type { Key, KeyBytes } from './key.ts';

/** What a change decides about an item. `amend` changes what is about the value, never the value. */
export type Decision<R> =
  | { readonly action: 'put'; readonly draft: Draft; readonly outcome: R }
  | { readonly action: 'amend'; readonly amendment: Amendment; readonly outcome: R }
  | { readonly action: 'remove'; readonly outcome: R }
  | { readonly action: 'keep'; readonly outcome: R };

export interface Amendment {
  readonly expiresAt?: number | undefined;
  readonly cas?: Cas | undefined;
  readonly stale?: boolean | undefined;
  readonly recaching?: boolean | undefined;
  /** Count this as a use of the item (default), for the eviction order and its access time. */
  readonly use?: boolean;
  /** Does that use count as a read, too (default)? */
  readonly fetch?: boolean;
}

/**
 * A change: given the live item under a key (expired ones do not exist) and the cas that a new
 * version would get, says what to do and what to tell. Pure, since a backend may have to ask again.
 */
export type Decide<R> = (current: Item | undefined, nextCas: Cas) => Decision<R>;

export interface CacheInfo {
  /** 24 hexadecimal digits, for as long as the cache lives. */
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** Live items, exactly. */
  readonly items: number;
  /** Key and value bytes of the live items and what the backend needs to keep them. */
  readonly bytes: number;
  /** Items that made room for others, since the cache was made. */
  readonly evictions: number;
  /** Items removed because their time had come, since the cache was made. */
  readonly expirations: number;
}

/** All about an item but its value, as it was at one moment. */
export type ItemFacts = Pick<
  Item,
  'valueLength' | 'kind' | 'flags' | 'cas' | 'expiresAt' | 'accessedAt' | 'fetched' | 'stale' | 'recaching'
>;

/** An item with its key, as listings show it. */
export interface ListedItem {
  readonly key: string;
  readonly item: ItemFacts;
}

/**
 * One cache of one project in a backend. It may be held before the cache exists and after it was
 * deleted: the first write makes the cache (anew). A key is a string of bytes (see key.ts).
 */
export interface StoredCache {
  /** Does it decide after the call has returned? Then the key and value given must not change. */
  readonly isLate?: boolean;
  /** The live item under a key. `use` counts as a use, for the eviction order and access time. */
  read(key: Key, use: boolean): Answer<Item | undefined>;
  /** Announces that the first `count` of these keys will be asked for soon: what they need may be fetched together. */
  expect?(keys: readonly KeyBytes[], count: number): void;
  /** Stores a value whatever is there, and answers the cas of the new version. Refuses as `update` does. */
  put(key: Key, value: NewValue): Answer<Cas>;
  /** Reads, decides and writes in one atomic step. Throws Refusal `out_of_memory`, `over_quota`,
   * `too_many_caches`. */
  update<R>(key: Key, decide: Decide<R>): Answer<R>;
  /** Removes all items, now or those that are there at `at` (ms since the epoch). False: no such cache. */
  clear(at?: number): Answer<boolean>;
  /** False: no such cache. */
  delete(): Answer<boolean>;
  info(): Answer<CacheInfo | undefined>;
  /** The same as it stands, without first removing what has expired: cheap, for many caches at once. */
  glance(): CacheInfo | undefined;
  /** The live items in no particular order; items that come and go meanwhile may be missed. */
  list(): Iterable<ListedItem> | AsyncIterable<ListedItem>;
}

export interface StoreTotals {
  readonly items: number;
  readonly bytes: number;
  /** What of the limit is taken, also by room between items that waits for others. */
  readonly bytesTaken: number;
  /** The most that was ever taken: what is freed is used again, but stays with the process. */
  readonly bytesResident: number;
  readonly bytesMax: number;
  readonly evictions: number;
  readonly expirations: number;
}

/** A way of keeping items: what the engine needs from a backend. */
export interface Store {
  cache(projectId: string, name: string): StoredCache;
  /** One page of a project's caches, by name. */
  list(projectId: string, skip: number, limit: number, previous?: string): Answer<CacheInfo[]>;
  totals(): Answer<StoreTotals>;
  /** What an operator said of a cache, or what is usual; whether the cache exists or not. */
  settings(projectId: string, name: string): CacheSettings;
  /** Undefined: back to what is usual. */
  configure(projectId: string, name: string, settings: CacheSettings | undefined): void;
  /** How much all caches of a project may hold together. What is more already goes as others are written. */
  setQuota(projectId: string, quota: Quota): void;
  /** Frees a bounded amount of what expired or was cleared. True: there is more to do. */
  sweep(): Answer<boolean>;
  close(): Answer<void>;
}
