/** The longest key, in characters (the memcached door counts bytes): both protocols say 250. */
export const KEY_LENGTH_MAX = 250;

/** The longest cache name, in characters. */
export const CACHE_NAME_LENGTH_MAX = 250;

export interface EngineLimits {
  /** The largest value of one item, in bytes. */
  readonly valueBytesMax: number;
  /** What an item that says nothing of its expiry gets, in seconds; 0 is never. */
  readonly defaultExpiresInSeconds: number;
}
