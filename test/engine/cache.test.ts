import { beforeEach, describe, expect, test } from 'vitest';
import type { Cache } from '../../src/engine/cache.ts';
import { Engine } from '../../src/engine/engine.ts';
import { Refusal } from '../../src/engine/errors.ts';
import { NEVER, type NewValue } from '../../src/engine/item.ts';
import { Statistics } from '../../src/engine/statistics.ts';
import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { type TestClock, testClock } from '../support/clock.ts';

const PROJECT = 'a1'.repeat(12);
const VALUE_BYTES_MAX = 100;

let clock: TestClock;
let engine: Engine;
let cache: Cache;

beforeEach(() => {
  clock = testClock();
  engine = engineWith({});
  cache = engine.cache(PROJECT, 'c');
});

function engineWith(options: {
  valueBytesMax?: number;
  defaultExpiresInSeconds?: number;
  bytesMax?: number;
}): Engine {
  const { valueBytesMax = VALUE_BYTES_MAX, defaultExpiresInSeconds = 0, bytesMax = 10_000_000 } = options;
  const store = new LruCacheStore({ bytesMax, cachesMax: 10, now: clock.now });
  return new Engine(store, { valueBytesMax, defaultExpiresInSeconds }, clock);
}

function value(text: string | Buffer, more?: Partial<NewValue>): NewValue {
  return { value: Buffer.from(text), kind: 'bytes', flags: 0, expiresAt: NEVER, ...more };
}

async function text(key: string): Promise<string | undefined> {
  return (await cache.peek(key))?.value.toString();
}

async function refusalOf(act: () => unknown): Promise<string | undefined> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return undefined;
}

describe('statistics', () => {
  /** What `act` counted, without what it did not. Of all caches the same is counted. */
  async function counted(act: () => unknown): Promise<Partial<Statistics>> {
    const before = { ...cache.statistics };
    const allBefore = { ...engine.statistics };
    await act();
    const changes = changesSince(before, cache.statistics);
    expect(changesSince(allBefore, engine.statistics)).toEqual(changes);
    return changes;
  }

  function changesSince(before: object, now: Statistics): Partial<Statistics> {
    const then = new Map<string, number>(Object.entries(before));
    const changes = Object.entries(now).map(([name, count]): [string, number] => [
      name,
      count - (then.get(name) ?? 0),
    ]);
    return Object.fromEntries(changes.filter(([, change]) => change !== 0));
  }
  const up = { rule: 'unsigned', direction: 'up', delta: 1 } as const;
  const down = { rule: 'unsigned', direction: 'down', delta: 1 } as const;

  beforeEach(() => cache.store('set', 'k', value('5')));

  test.each<[string, Partial<Statistics>, () => unknown]>([
    ['a get that finds', { getHits: 1 }, () => cache.get('k')],
    ['a get that does not', { getMisses: 1 }, () => cache.get('none')],
    ['a peek', {}, () => cache.peek('k')],
    ['a set', { sets: 1 }, () => cache.store('set', 'l', value('v'))],
    ['an add that does not store', { sets: 1, notStored: 1 }, () => cache.store('add', 'k', value('v'))],
    ['an append', { sets: 1 }, () => cache.store('append', 'k', value('v'))],
    ['a delete that finds', { deleteHits: 1 }, () => cache.delete('k')],
    ['a delete that does not', { deleteMisses: 1 }, () => cache.delete('none')],
    ['a touch that finds', { touchHits: 1 }, () => cache.touch('k', NEVER)],
    ['a touch that does not', { touchMisses: 1 }, () => cache.touch('none', NEVER)],
    ['an increment', { incrHits: 1 }, () => cache.calculate('k', up)],
    ['an increment of nothing', { incrMisses: 1 }, () => cache.calculate('none', up)],
    ['a decrement', { decrHits: 1 }, () => cache.calculate('k', down)],
    ['a decrement of nothing', { decrMisses: 1 }, () => cache.calculate('none', down)],
    [
      'a REST increment by less than 0',
      { decrHits: 1 },
      () => cache.calculate('k', { rule: 'signed', delta: -1n }),
    ],
    ['a REST increment', { incrHits: 1 }, () => cache.calculate('k', { rule: 'signed', delta: 0n })],
    [
      'a swap of another version',
      { sets: 1, casBadval: 1 },
      () => cache.compareAndSwap('k', value('v'), 999),
    ],
    ['a swap of nothing', { sets: 1, casMisses: 1 }, () => cache.compareAndSwap('none', value('v'), 1)],
    ['a clear', { flushes: 1 }, () => cache.clear()],
    [
      'a value that is too large',
      { tooLarge: 1 },
      () => refusalOf(() => cache.store('set', 'k', value('v'.repeat(VALUE_BYTES_MAX + 1)))),
    ],
  ])('count %s', async (_name, change, act) => {
    expect(await counted(act)).toEqual(change);
  });

  test('count a swap that succeeds', async () => {
    const cas = (await cache.peek('k'))?.cas ?? 0;
    expect(await counted(() => cache.compareAndSwap('k', value('v'), cas))).toEqual({ sets: 1, casHits: 1 });
  });

  test('count what the memory limit refused', async () => {
    engine = engineWith({ bytesMax: 1000, valueBytesMax: 2000 });
    cache = engine.cache(PROJECT, 'c');
    const refused = () => refusalOf(() => cache.store('set', 'k', value('v'.repeat(1500))));
    expect(await counted(refused)).toEqual({ sets: 1, notStored: 1, outOfMemory: 1 });
    expect(await refused()).toBe('out_of_memory');
  });

  test('belong to the cache, however it was come by', async () => {
    await engine.cache(PROJECT, 'c').get('k');
    await engine.cache(PROJECT, 'other').get('k');
    expect(cache.statistics).toMatchObject({ getHits: 1, getMisses: 0 });
    expect(engine.cache(PROJECT, 'other').statistics).toMatchObject({ getHits: 0, getMisses: 1 });
  });

  test('begin anew when they are reset or the cache is dropped', async () => {
    await cache.get('k');
    cache.statistics.reset();
    expect(cache.statistics).toEqual(new Statistics());
    await cache.get('k');
    expect(await cache.drop()).toBe(true);
    expect(cache.statistics).toEqual(new Statistics());
    expect(await cache.drop()).toBe(false);
  });

  test('of all caches never go down, and outlive the caches', async () => {
    await cache.get('k');
    cache.statistics.reset();
    await cache.drop();
    await engine.cache(PROJECT, 'other').get('k');
    expect(engine.statistics).toMatchObject({ sets: 1, getHits: 1, getMisses: 1 });
  });

  test('outlast very many other caches where somebody holds the cache, and not when nobody does any more', async () => {
    const others = () => {
      for (let i = 0; i < 20_001; i++) engine.cache(PROJECT, `other-${i}`);
    };
    const [held, again] = [engine.hold(PROJECT, 'c'), engine.hold(PROJECT, 'c')];
    engine.release(again);
    others();
    await held.get('k');
    expect([...engine.readyCaches()].filter(({ name }) => name === 'c')).toEqual([held]);
    expect(engine.cache(PROJECT, 'c').statistics).toMatchObject({ getHits: 1 });
    expect([...engine.readyCaches()].filter(({ name }) => name === 'c')).toEqual([held]);
    engine.release(held);
    others();
    expect([...engine.readyCaches()].map(({ name }) => name)).not.toContain('c');
    expect(engine.cache(PROJECT, 'c').statistics).toMatchObject({ getHits: 0 });
  });

  test('can be looked at for every cache that is kept ready, the last one used first', () => {
    engine.cache(PROJECT, 'other');
    engine.cache(PROJECT, 'c');
    expect([...engine.readyCaches()].map(({ name }) => name)).toEqual(['c', 'other']);
  });
});

describe('limits', () => {
  test.each(['set', 'add', 'replace', 'append', 'prepend'] as const)(
    '%s refuses a value above the largest, and leaves what was there',
    async (mode) => {
      await cache.store('set', 'k', value('v'));
      const large = value('x'.repeat(VALUE_BYTES_MAX + 1));
      expect(await refusalOf(() => cache.store(mode, 'k', large))).toBe('value_too_large');
      expect(await text('k')).toBe('v');
    },
  );

  test('a value of exactly the largest size is stored', async () => {
    expect(await cache.store('set', 'k', value('x'.repeat(VALUE_BYTES_MAX)))).toBe('stored');
  });

  test('appending never makes a value larger than the largest', async () => {
    await cache.store('set', 'k', value('x'.repeat(60)));
    expect(await cache.store('append', 'k', value('y'.repeat(41)))).toBe('not_stored');
    expect(await cache.store('prepend', 'k', value('y'.repeat(41)))).toBe('not_stored');
    expect(await text('k')).toBe('x'.repeat(60));
    expect(await cache.store('append', 'k', value('y'.repeat(40)))).toBe('stored');
    expect(await text('k')).toHaveLength(VALUE_BYTES_MAX);
  });

  test('a swap refuses a value above the largest', async () => {
    const large = value('x'.repeat(VALUE_BYTES_MAX + 1));
    expect(await refusalOf(() => cache.compareAndSwap('k', large, 1))).toBe('value_too_large');
  });

  test('a cache name has at most 250 characters', async () => {
    expect(await refusalOf(() => engine.cache(PROJECT, 'n'.repeat(251)))).toBe('cache_name_too_long');
    expect(engine.cache(PROJECT, 'n'.repeat(250)).name).toHaveLength(250);
    // A fox is one character, though JavaScript counts two.
    expect(engine.cache(PROJECT, '🦊'.repeat(250)).name).toBe('🦊'.repeat(250));
    expect(await refusalOf(() => engine.cache(PROJECT, '🦊'.repeat(251)))).toBe('cache_name_too_long');
  });
});

describe('the default expiry', () => {
  test('is never when it is 0', () => {
    expect(cache.defaultExpiresAt()).toBe(NEVER);
  });

  test('is that many seconds from now', () => {
    cache = engineWith({ defaultExpiresInSeconds: 90 }).cache(PROJECT, 'c');
    clock.advance(123);
    expect(cache.defaultExpiresAt()).toBe(clock.now() + 90_000);
  });
});

describe('operations on items', () => {
  test('each way of storing does what its name says', async () => {
    expect(await cache.store('replace', 'k', value('0'))).toBe('not_stored');
    expect(await cache.store('add', 'k', value('b'))).toBe('stored');
    expect(await cache.store('add', 'k', value('x'))).toBe('not_stored');
    expect(await cache.store('append', 'k', value('c'))).toBe('stored');
    expect(await cache.store('prepend', 'k', value('a'))).toBe('stored');
    expect(await text('k')).toBe('abc');
    expect(await cache.store('replace', 'k', value('d'))).toBe('stored');
    expect(await cache.store('set', 'k', value('e'))).toBe('stored');
    expect(await text('k')).toBe('e');
  });

  test('a value is swapped once by each version', async () => {
    await cache.store('set', 'k', value('1'));
    const cas = (await cache.get('k'))?.cas ?? 0;
    expect(await cache.compareAndSwap('k', value('2'), cas)).toBe('stored');
    expect(await cache.compareAndSwap('k', value('3'), cas)).toBe('exists');
    expect(await text('k')).toBe('2');
  });

  test('an increment and a touch keep what the other changes', async () => {
    await cache.store('set', 'k', value('9', { expiresAt: clock.now() + 1000 }));
    const by = { rule: 'signed', delta: 1 } as const;
    expect(await cache.calculate('k', by)).toMatchObject({ status: 'done', value: 10 });
    expect((await cache.peek('k'))?.expiresAt).toBe(clock.now() + 1000);
    expect((await cache.touch('k', clock.now() + 9000))?.value.toString()).toBe('10');
    clock.advance(8999);
    expect(await text('k')).toBe('10');
    clock.advance(1);
    expect(await cache.calculate('k', by)).toEqual({ status: 'not_found' });
  });

  test('an expired item is none to add, and its version none to swap', async () => {
    await cache.store('set', 'k', value('old', { expiresAt: clock.now() + 1000 }));
    const cas = (await cache.get('k'))?.cas ?? 0;
    clock.advance(1000);
    expect(await cache.compareAndSwap('k', value('new'), cas)).toBe('not_found');
    expect(await cache.store('replace', 'k', value('new'))).toBe('not_stored');
    expect(await cache.store('append', 'k', value('new'))).toBe('not_stored');
    expect(await cache.delete('k')).toBe(false);
    expect(await cache.touch('k', NEVER)).toBeUndefined();
    expect(await cache.store('add', 'k', value('new'))).toBe('stored');
  });
});
