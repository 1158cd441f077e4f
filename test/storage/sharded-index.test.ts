import { describe, expect, test } from 'vitest';
import { ShardedIndex, shardCount, shardOf } from '../../src/storage/sharded-index.ts';

describe('how many shards', () => {
  test.each([
    [1, 1],
    [1_200_000_000, 1],
    [1_200_000_001, 2],
    [3_600_000_000, 3],
  ])('hold %d bytes of 300-byte entries: %d', (bytesMax, shards) => {
    expect(shardCount(bytesMax, 300)).toBe(shards);
  });
});

describe('the shard of a key', () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => `user:${i}`);

  test('is the same each time, and one of those there are', () => {
    for (const key of ['', '\u0000', 'user:1', '\u00ff'.repeat(250)]) {
      expect(shardOf(key, 7)).toBe(shardOf(Buffer.from(key, 'latin1').toString('latin1'), 7));
    }
    expect([...new Set(keys.map((key) => shardOf(key, 7)))].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('is the only one when there is one', () => {
    expect(new Set(keys.map((key) => shardOf(key, 1)))).toEqual(new Set([0]));
  });

  test('spreads similar keys evenly', () => {
    const counts = new Array<number>(5).fill(0);
    for (const key of keys) counts[shardOf(key, 5)] = (counts[shardOf(key, 5)] ?? 0) + 1;
    for (const count of counts) {
      expect(count).toBeGreaterThan(1700);
      expect(count).toBeLessThan(2300);
    }
  });
});

describe('an index of several shards', () => {
  const SHARDS = 4;

  function indexOf(keys: string[]): ShardedIndex<string> {
    const index = new ShardedIndex<string>(SHARDS);
    for (const key of keys) index.set(key, shardOf(key, SHARDS), `value of ${key}`);
    return index;
  }
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);

  test('finds each key in its shard, and only there', () => {
    const index = indexOf(keys);
    for (const key of keys) {
      const shard = shardOf(key, SHARDS);
      expect(index.get(key, shard)).toBe(`value of ${key}`);
      expect(index.get(key, (shard + 1) % SHARDS)).toBeUndefined();
    }
  });

  test('counts and lists all shards as one', () => {
    const index = indexOf(keys);
    expect(index.size).toBe(100);
    expect([...index.values()].sort()).toEqual(keys.map((key) => `value of ${key}`).sort());
  });

  test('counts an overwritten key once, and a deleted one no more', () => {
    const index = indexOf([...keys, 'k7']);
    expect(index.size).toBe(100);
    index.delete('k7', shardOf('k7', SHARDS));
    index.delete('k7', shardOf('k7', SHARDS));
    expect(index.size).toBe(99);
    expect(index.get('k7', shardOf('k7', SHARDS))).toBeUndefined();
  });
});
