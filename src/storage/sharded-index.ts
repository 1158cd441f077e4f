// A JavaScript Map throws beyond 16.7 million insert slots, which churn uses up at half as many keys.
const ENTRIES_PER_SHARD_MAX = 4_000_000;

/** How many shards hold what fits into `bytesMax`, if an entry takes at least `entryBytesMin`. */
export function shardCount(bytesMax: number, entryBytesMin: number): number {
  return Math.max(1, Math.ceil(bytesMax / entryBytesMin / ENTRIES_PER_SHARD_MAX));
}

/** Which of `shards` a key belongs to (FNV-1a). */
export function shardOf(key: string, shards: number): number {
  if (shards === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % shards;
}

/** A map by key that may hold more than one Map can. The caller says which shard a key belongs to. */
export class ShardedIndex<V> {
  readonly #shards: Map<string, V>[];

  constructor(shards: number) {
    this.#shards = Array.from({ length: shards }, () => new Map());
  }

  get size(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.size, 0);
  }

  get(key: string, shard: number): V | undefined {
    return this.#shards[shard]?.get(key);
  }

  set(key: string, shard: number, value: V): void {
    this.#shards[shard]?.set(key, value);
  }

  delete(key: string, shard: number): void {
    this.#shards[shard]?.delete(key);
  }

  *values(): Generator<V> {
    for (const shard of this.#shards) yield* shard.values();
  }
}
