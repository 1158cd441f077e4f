import { beforeEach, describe, expect, test } from 'vitest';
import type { Quota } from '../../src/engine/cache-settings.ts';
import { Contents, type MemoryCache } from '../../src/storage/memory-cache.ts';
import { MemoryCaches } from '../../src/storage/memory-caches.ts';

const PROJECTS = 640;
const BYTES_MAX = 64 * 1024 ** 2;

describe('who makes room, of very many projects,', () => {
  let all: MemoryCache<string>[];
  let caches: MemoryCaches<string>;

  beforeEach(() => {
    caches = new MemoryCaches<string>({
      bytesMax: BYTES_MAX,
      cachesMax: 9,
      now: () => 0,
      newContents: (cache) => new Contents(cache, cache.projectId),
      oldestUse: () => 0,
      discard: () => {},
    });
    all = Array.from({ length: PROJECTS }, (_, i) => caches.create(`p${i}`, 'c'));
  });

  const cacheOf = (project: number) => all[project] as MemoryCache<string>;
  const hold = (project: number, items: number, each: number) =>
    caches.accounts.charge(cacheOf(project).contents, items, items * each);

  /** Evicts for a writer, and says whose item went. */
  function evictFor(writer: number, each: number): string | undefined {
    const victim = caches.accounts.victimFor(cacheOf(writer).account, each);
    if (victim) caches.accounts.charge(victim, -1, -each);
    return victim?.kept;
  }

  test('is who holds most, to the last item that is too much', () => {
    for (let i = 0; i < PROJECTS; i++) hold(i, 10, 1000);
    hold(400, 500, 1000);
    for (let i = 0; i < 450; i++) expect(evictFor(7, 1000)).toBe('p400');
  });

  test.each([
    ['had not been', 0],
    ['had been', 1],
  ])(
    'is another who holds much, and nobody who holds little, once the fullest, which it %s before, has deleted its items',
    (_case, times) => {
      for (let i = 0; i < PROJECTS; i++) hold(i, 10, 1000);
      hold(400, times, 1000);
      for (let i = 0; i < times; i++) expect(evictFor(7, 1000)).toBe('p400');
      hold(400, 20_000, 1000);
      hold(200, 10_000, 1000);
      expect(evictFor(7, 1000)).toBe('p400');
      hold(400, -20_005, 1000);
      for (let i = 0; i < 100; i++) expect(evictFor(400, 1000)).toBe('p200');
    },
  );

  test('is who holds most of its share, and nobody has one who holds nothing any more', () => {
    for (let i = 0; i < PROJECTS; i++) hold(i, 10, 1000);
    for (let i = 2; i < PROJECTS; i++) hold(i, -10, 1000);
    Object.assign(cacheOf(1).account, { quota: { bytesMax: BYTES_MAX / 2 } });
    hold(0, 20_000, 1000);
    hold(1, 25_000, 1000);
    for (let i = 0; i < 100; i++) expect(evictFor(2, 1000)).toBe('p1');
  });

  test('is the writer itself where it alone holds much', () => {
    for (let i = 0; i < PROJECTS; i++) hold(i, 1, 1000);
    hold(400, 20_000, 1000);
    expect(evictFor(7, 1000)).toBe('p400');
    hold(400, -20_000 + 1, 1000);
    hold(7, 20_000, 1000);
    for (let i = 0; i < 100; i++) expect(evictFor(7, 1000)).toBe('p7');
  });

  test('is each in turn where all hold the same', () => {
    for (let i = 0; i < PROJECTS; i++) hold(i, 20, 1000);
    for (let i = 0; i < PROJECTS * 20; i++) {
      expect(evictFor(i % PROJECTS, 1000)).toBeDefined();
      hold(i % PROJECTS, 1, 1000);
    }
    const items = all.map(({ contents }) => contents.items);
    expect(Math.max(...items)).toBeLessThanOrEqual(21);
    expect(Math.min(...items)).toBeGreaterThanOrEqual(18);
  });

  test.each<[string, Quota]>([
    ['b', { itemsMax: 11 }],
    ['a', { bytesMax: 20_000 }],
    ['a', { itemsMax: 11, bytesMax: 20_000 }],
  ])('is, of caches used in the same second, %s by a quota of %o', (name, quota) => {
    Object.assign(cacheOf(0).account, { quota });
    const [a, b] = [caches.create('p0', 'a'), caches.create('p0', 'b')];
    caches.accounts.charge(a.contents, 1, 15_000);
    caches.accounts.charge(b.contents, 10, 5000);
    for (const { contents } of [a, b, a]) {
      expect(caches.accounts.victimOfQuota(contents, 1000, 1, 1000)?.cache.name).toBe(name);
    }
  });

  test('is each cache in turn that is written to, however short the time', () => {
    Object.assign(cacheOf(0).account, { quota: { itemsMax: 100 } });
    const four = ['a', 'b', 'c', 'd'].map((name) => caches.create('p0', name));
    for (let i = 0; i < 1000; i++) {
      const { contents } = four[i % 4] as MemoryCache<string>;
      const victim = caches.accounts.victimOfQuota(contents, 1000, 1, 1000);
      if (victim) caches.accounts.charge(victim, -1, -1000);
      caches.accounts.charge(contents, 1, 1000);
    }
    for (const { contents } of four) expect(Math.abs(contents.items - 25)).toBeLessThanOrEqual(1);
  });

  test('is found without a look at all of them each time', () => {
    for (let i = 0; i < PROJECTS; i++) hold(i, 10, 1000);
    hold(400, 500, 1000);
    let looks = 0;
    for (const { account } of all) {
      const { quota } = account;
      Object.defineProperty(account, 'quota', { get: () => ++looks && quota });
    }
    for (let i = 0; i < 100; i++) expect(evictFor(7, 1000)).toBe('p400');
    expect(looks).toBeLessThan(PROJECTS * 10);
  });

  test('is nobody where all hold less than a writer that evicts nothing', () => {
    caches.configure('p0', 'c', { policy: 'none', quota: {} });
    for (let i = 0; i < PROJECTS; i++) hold(i, 2, 1000);
    hold(0, 10_000, 1000);
    expect(evictFor(0, 1000)).toBeUndefined();
    hold(600, 20_000, 1000);
    expect(evictFor(0, 1000)).toBe('p600');
  });
});
