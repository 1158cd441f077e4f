import { beforeEach, describe, expect, test } from 'vitest';
import {
  CacheSeries,
  COUNTERS,
  OTHERS,
  SERIES_KEPT_MS,
  type WatchedCache,
} from '../../src/metrics/cache-series.ts';
import { type TestClock, testClock } from '../support/clock.ts';

/** A cache that counts what it is told to have done; what all of them did is counted besides. */
class CountingCache implements WatchedCache {
  readonly projectId = 'a1'.repeat(12);
  readonly name: string;
  readonly statistics = { getHits: 0, getMisses: 0, sets: 0, deleteHits: 0 };
  exists = true;
  items = 1;
  evictions = 0;

  constructor(name: string) {
    this.name = name;
  }

  glance() {
    if (!this.exists) return undefined;
    return { items: this.items, bytes: this.items * 100, evictions: this.evictions, expirations: 0 };
  }

  hit(times: number): void {
    this.statistics.getHits += times;
    hitsOfAll += times;
  }
}

let clock: TestClock;
let hitsOfAll: number;

beforeEach(() => {
  clock = testClock();
  hitsOfAll = 0;
});

function caches(...names: string[]): CountingCache[] {
  return names.map((name) => new CountingCache(name));
}

/** The hits that each series tells after a scrape. */
async function hits(series: CacheSeries, present: readonly CountingCache[]): Promise<Record<string, number>> {
  await series.choose(present);
  const counts = new Float64Array(COUNTERS.length).fill(0);
  counts[COUNTERS.indexOf('hits')] = hitsOfAll;
  const items = present.reduce((sum, cache) => sum + cache.items, 0);
  series.read({ counts, items, bytes: items * 100 });
  return Object.fromEntries(
    series.rows().map((row) => [row.cache, row.counts[COUNTERS.indexOf('hits')] ?? Number.NaN]),
  );
}

describe('where every cache can have series of its own', () => {
  test('each tells what its cache did, from the first scrape on', async () => {
    const series = new CacheSeries(10, clock.now);
    const [a, b] = caches('a', 'b') as [CountingCache, CountingCache];
    a.hit(3);
    expect(await hits(series, [a])).toEqual({ a: 3, [OTHERS]: 0 });
    a.hit(1);
    b.hit(5);
    expect(await hits(series, [a, b])).toEqual({ a: 4, b: 5, [OTHERS]: 0 });
    expect([series.seated, series.waiting]).toEqual([2, 0]);
  });

  test('no counter goes down when a cache begins to count anew', async () => {
    const series = new CacheSeries(10, clock.now);
    const [a] = caches('a') as [CountingCache];
    a.hit(5);
    await hits(series, [a]);
    a.statistics.getHits = 0;
    a.hit(2);
    expect(await hits(series, [a])).toEqual({ a: 7, [OTHERS]: 0 });
  });

  test('a cache that is deleted or forgotten has none, and what it did last is not lost', async () => {
    const series = new CacheSeries(10, clock.now);
    const [a, b] = caches('a', 'b') as [CountingCache, CountingCache];
    a.hit(1);
    b.hit(1);
    await hits(series, [a, b]);
    a.hit(2);
    a.exists = false;
    expect(await hits(series, [a, b])).toEqual({ b: 1, [OTHERS]: 2 });
    b.hit(3);
    expect(await hits(series, [a])).toEqual({ [OTHERS]: 5 });
  });

  test('items and bytes are those of now', async () => {
    const series = new CacheSeries(10, clock.now);
    const [a] = caches('a') as [CountingCache];
    await hits(series, [a]);
    a.items = 7;
    await hits(series, [a]);
    expect(series.rows()[0]).toMatchObject({ cache: 'a', items: 7, bytes: 700 });
  });
});

describe('where there are more caches than series', () => {
  test('the most used ones have them, and the others are told as one', async () => {
    const series = new CacheSeries(2, clock.now);
    const all = caches('a', 'b', 'c', 'd');
    for (const [i, cache] of all.entries()) cache.hit(10 * (i + 1));
    expect(await hits(series, all)).toEqual({ c: 30, d: 40, [OTHERS]: 30 });
    expect([series.seated, series.waiting]).toEqual([2, 2]);
    expect(series.rows().at(-1)).toMatchObject({ project: OTHERS, cache: OTHERS, items: 2, bytes: 200 });
  });

  test('of caches that are used alike, no more have them than may', async () => {
    const series = new CacheSeries(2, clock.now);
    await hits(series, caches('a', 'b', 'c', 'd'));
    expect(series.seated).toBe(2);
  });

  test('with none at all, everything is told as one', async () => {
    const series = new CacheSeries(0, clock.now);
    const all = caches('a', 'b');
    all[0]?.hit(3);
    expect(await hits(series, all)).toEqual({ [OTHERS]: 3 });
  });

  test('they stay for a while, and then go to a cache that is used more than twice as much', async () => {
    const series = new CacheSeries(1, clock.now);
    const [a, b] = caches('a', 'b') as [CountingCache, CountingCache];
    a.hit(10);
    expect(await hits(series, [a, b])).toEqual({ a: 10, [OTHERS]: 0 });
    b.hit(100);
    clock.advance(SERIES_KEPT_MS - 1);
    expect(await hits(series, [a, b])).toEqual({ a: 10, [OTHERS]: 100 });
    a.hit(51);
    clock.advance(1);
    expect(await hits(series, [a, b])).toEqual({ a: 61, [OTHERS]: 100 });
    a.hit(10);
    b.hit(21);
    clock.advance(SERIES_KEPT_MS);
    expect(await hits(series, [a, b])).toEqual({ b: 0, [OTHERS]: 131 });
  });

  test('no series goes down, whoever has them', async () => {
    const series = new CacheSeries(3, clock.now);
    const all = caches('a', 'b', 'c', 'd', 'e', 'f');
    let before: Record<string, number> = {};
    const changes = new Set<string>();
    for (let round = 0; round < 50; round++) {
      for (const [i, cache] of all.entries()) cache.hit(Math.floor(round / 5) % 6 === i ? 100 : i);
      clock.advance(SERIES_KEPT_MS / 2);
      const told = await hits(series, all);
      const kept = Object.keys(told).filter((name) => name in before);
      expect(kept.filter((name) => (told[name] ?? 0) < (before[name] ?? 0))).toEqual([]);
      changes.add(Object.keys(told).join());
      before = told;
    }
    expect(changes.size).toBeGreaterThan(3);
  });

  test('thousands of caches are compared in turns', async () => {
    const series = new CacheSeries(10, clock.now);
    const all = caches(...Array.from({ length: 20_000 }, (_, i) => `cache ${i}`));
    let turns = 0;
    const count = () => {
      turns++;
      pending = setImmediate(count);
    };
    let pending = setImmediate(count);
    await hits(series, all);
    clearImmediate(pending);
    expect(turns).toBeGreaterThan(5);
  });
});
