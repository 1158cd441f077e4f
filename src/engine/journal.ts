import type { Draft, Item } from './item.ts';
import type { Key } from './key.ts';
import type { Store } from './store.ts';

/** A cache as a journal names it. */
export interface JournaledCache {
  /** Unique among all caches that the store ever had, before a restart, too. */
  readonly number: number;
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  /** When all items that are there then are to be removed, in ms since the epoch. */
  readonly clearAt: number | undefined;
  /** For the journal's own use: the file in which it last described this cache. */
  describedIn: number;
}

/** What of an item may change while its value stays. */
export type ItemMarks = Pick<Item, 'expiresAt' | 'cas' | 'stale' | 'recaching' | 'fetched' | 'accessedAt'>;

/**
 * Is told of every change as a store makes it, with what is there then, so that replaying it in order gives the
 * same items. Expiry is no change: its time was told with the item. Keys and values are valid during the call only.
 */
export interface Journal {
  /** Asked before a change. Throws Refusal `store_unavailable` while none can be kept. */
  admit(): void;
  itemPut(cache: JournaledCache, key: Key, draft: Draft, accessedAt: number): void;
  itemAmended(cache: JournaledCache, key: Key, marks: ItemMarks): void;
  itemRemoved(cache: JournaledCache, key: Key): void;
  cacheCleared(cache: JournaledCache): void;
  /** It will be cleared at its `clearAt`. */
  clearPlanned(cache: JournaledCache): void;
  cacheDeleted(cache: JournaledCache): void;
}

/** What describes a cache for good. */
export type CacheDescription = Pick<JournaledCache, 'number' | 'id' | 'projectId' | 'name'>;

/**
 * Puts what a journal was told back into an empty store, in the same order. Caches go by their numbers; unknown ones
 * are ignored. Nothing of it is journaled, and no quota refuses it.
 */
export interface Restoration {
  /** Comes before anything else about the cache, and may come again. */
  cache(description: CacheDescription): void;
  /** False: there is no such cache. Throws Refusal `out_of_memory` where no item may make room. */
  itemPut(cache: number, key: Key, draft: Draft, accessedAt: number): boolean;
  itemAmended(cache: number, key: Key, marks: ItemMarks): void;
  itemRemoved(cache: number, key: Key): void;
  cacheCleared(cache: number): void;
  /**
   * After all items, since those that came after that time would go, too; and once the store tells its changes, since
   * else nothing would say that those which come after it stay.
   */
  clearPlanned(cache: number, at: number): void;
  cacheDeleted(cache: number): void;
  /** Puts the items into the order of their last use, by which they make room. */
  orderByUse(): void;
}

/** A store whose changes can be kept elsewhere, and put back after a restart. */
export interface JournaledStore extends Store {
  /** The number that the next version of an item gets. */
  nextCas: number;
  /** Tells every change from now on; undefined: to nobody. */
  journalTo(journal: Journal | undefined): void;
  /**
   * `later` is asked before anything has to go that has not expired: it may let the store's clock go on a little, after
   * which something may have expired. False: the clock stays.
   */
  restoration(later?: () => boolean): Restoration;
  /** All caches; they may come and go meanwhile. */
  journaledCaches(): Iterable<JournaledCache>;
  /**
   * Visits some items, and answers where to go on: 0 when all were visited. What stays all the while is visited
   * exactly once, whatever is changed between two calls. A key is valid during the call only.
   */
  visit(from: number, visit: (cache: JournaledCache, key: Key, item: Item) => void): number;
}
