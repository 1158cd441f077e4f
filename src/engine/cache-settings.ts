/** The most that something may hold; what is not said is not limited. */
export interface Quota {
  /** Keys and values and all that the backend needs to keep them. */
  readonly bytesMax?: number | undefined;
  readonly itemsMax?: number | undefined;
}

/**
 * What becomes of items when room is needed. `lru`: the least recently used go. `none`: none ever goes,
 * and a write that does not fit is refused.
 */
type EvictionPolicy = 'lru' | 'none';

/** What an operator may say of a cache; it stays when the cache is deleted. */
export interface CacheSettings {
  readonly policy: EvictionPolicy;
  readonly quota: Quota;
  /** What an item that says nothing of its expiry gets, in seconds; 0 is never. Undefined: as everywhere. */
  readonly defaultExpiresInSeconds?: number | undefined;
}

export const DEFAULT_CACHE_SETTINGS: CacheSettings = { policy: 'lru', quota: {} };
