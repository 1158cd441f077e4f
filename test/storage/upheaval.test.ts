import { expect, test } from 'vitest';
import { remove, touch } from '../../src/engine/changes.ts';
import { Refusal } from '../../src/engine/errors.ts';
import { NEVER } from '../../src/engine/item.ts';
import type { Store, StoredCache } from '../../src/engine/store.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { testClock } from '../support/clock.ts';
import { randomNumbers } from '../support/random.ts';

/*
 * A small store, always full, in which everything changes at once: sizes, expiry, quotas, policies, caches.
 * What it gives must be what was put last; and a cache that evicts nothing must have all of it.
 */

const MIB = 1024 * 1024;
const BYTES_MAX = 2 * MIB;
const STEPS = 60_000;
const KEYS = 1500;
const SIZES = [5, 40_000, 20, 1000, 120_000, 60, 17_000, 250, 5000, 0];

interface Expected {
  readonly seed: number;
  readonly length: number;
  readonly expiresAt: number;
}

const stores: [string, (now: () => number) => Store][] = [
  ['arena', (now) => new ArenaStore({ bytesMax: BYTES_MAX, cachesMax: 99, now })],
  ['lru-cache', (now) => new LruCacheStore({ bytesMax: BYTES_MAX, cachesMax: 99, now })],
];

test.each(stores)('%s: nothing is mixed up in any upheaval', async (_name, open) => {
  const random = randomNumbers(20_261_122);
  const clock = testClock();
  const store = open(clock.now);
  const places = ['p', 'q', 'r'].flatMap((project) =>
    ['lru', 'kept', 'small'].map((name) => ({ project, name })),
  );
  const models = new Map(
    places.map(({ project, name }) => [`${project}/${name}`, new Map<string, Expected>()]),
  );
  for (const project of ['p', 'q', 'r']) {
    store.configure(project, 'kept', { policy: 'none', quota: { bytesMax: 200_000 } });
    store.configure(project, 'small', { policy: 'lru', quota: { itemsMax: 20 } });
  }

  function check(cache: StoredCache, model: Map<string, Expected>, key: string, isKept: boolean): void {
    const expected = model.get(key);
    const item = cache.read(key, random(2) === 0);
    if (item instanceof Promise) throw new TypeError('these stores answer at once');
    if (!item) {
      const isThere = expected && expected.expiresAt > clock.now();
      if (isKept && isThere) throw new Error(`${key} is lost`);
      model.delete(key);
      return;
    }
    if (!expected || expected.expiresAt <= clock.now()) throw new Error(`${key} is there again`);
    if (item.expiresAt !== expected.expiresAt) throw new Error(`${key} expires at another time`);
    if (!item.value.equals(pattern(expected))) throw new Error(`${key} was damaged`);
  }

  for (let step = 0; step < STEPS; step++) {
    const { project, name } = places[random(places.length)] ?? { project: 'p', name: 'lru' };
    const cache = store.cache(project, name);
    const model = models.get(`${project}/${name}`) ?? new Map<string, Expected>();
    const key = `key-${random(KEYS)}`;
    check(cache, model, key, name === 'kept');
    const action = random(100);
    if (action < 75) {
      // The mix of sizes drifts, so that memory has to find its way.
      const length = SIZES[(random(2) + Math.floor(step / 1500)) % SIZES.length] ?? 0;
      const lives = [NEVER, NEVER, NEVER, NEVER, 500, 5000, 10_000_000][random(7)] ?? NEVER;
      const expected = { seed: step, length, expiresAt: clock.now() + lives };
      try {
        const { expiresAt } = expected;
        await cache.put(key, { value: pattern(expected), kind: 'bytes', flags: random(2), expiresAt });
        model.set(key, expected);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    } else if (action < 80) {
      await cache.update(key, remove);
      model.delete(key);
    } else if (action < 90) {
      const expiresAt = clock.now() + 3000;
      const before = model.get(key);
      try {
        await cache.update(key, touch(expiresAt));
        if (before) model.set(key, { ...before, expiresAt });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    } else if (action < 95) {
      clock.advance([1, 400, 1000, random(20) === 0 ? 5_000_000 : 1][random(4)] ?? 1);
    } else if (action < 99) {
      await store.sweep();
    } else if (random(10) === 0) {
      await (random(2) === 0 ? cache.clear() : cache.delete());
      model.clear();
      const quota = random(2) === 0 ? {} : { bytesMax: 500_000 + random(MIB) };
      store.setQuota(project, quota);
    }
    if (step % 2000 === 0) await sumsAgree(store);
  }
  for (const { project, name } of places) {
    const cache = store.cache(project, name);
    const model = models.get(`${project}/${name}`) ?? new Map<string, Expected>();
    for (let i = 0; i < KEYS; i++) check(cache, model, `key-${i}`, name === 'kept');
    for (const [key, { expiresAt }] of model) if (expiresAt <= clock.now()) model.delete(key);
    expect((await cache.info())?.items ?? 0).toBe(model.size);
    await cache.delete();
  }
  while (await store.sweep());
  expect(await store.totals()).toMatchObject({ items: 0, bytes: 0 });
});

function pattern({ seed, length }: Pick<Expected, 'seed' | 'length'>): Buffer {
  return length === 0
    ? Buffer.alloc(0)
    : Buffer.alloc(length, Buffer.from(`${seed}, a prime number of bytes: `.padEnd(31, '.')));
}

async function sumsAgree(store: Store): Promise<void> {
  const totals = await store.totals();
  let items = 0;
  let bytes = 0;
  for (const project of ['p', 'q', 'r']) {
    for (const info of await store.list(project, 0, 99)) {
      let listed = 0;
      for await (const _item of store.cache(project, info.name).list()) listed++;
      expect(listed).toBe(info.items);
      items += info.items;
      bytes += info.bytes;
    }
  }
  while (await store.sweep());
  expect((await store.totals()).bytes).toBe(bytes);
  expect(totals.items).toBe(items);
  expect(totals.bytes).toBeLessThanOrEqual(BYTES_MAX);
}
