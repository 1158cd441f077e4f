import { cpSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { NEVER } from '../../src/engine/item.ts';
import type { JournaledStore } from '../../src/engine/journal.ts';
import { heldClock, testClock } from '../support/clock.ts';
import { itemsPath, openDurableStore, reopened } from '../support/durable-store.ts';

const PROJECT = 'a1'.repeat(12);
const MIB = 1024 * 1024;

function text(value: string, expiresAt = NEVER) {
  return { value: Buffer.from(value), kind: 'text', flags: 0, expiresAt } as const;
}

describe.each(['log', 'snapshot'] as const)('a restart with %s', (mode) => {
  test('brings every item back, with all that is about it', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, mode, clock });
    const cache = first.engine.cache(PROJECT, 'Äpfel & Birnen');
    cache.store('set', 'a', text('value'));
    cache.store('set', 'b', { ...text('{"a":1}', clock.now() + 60_000), kind: 'json', flags: 0xffffffff });
    cache.store('set', 'c', { ...text('18446744073709551615'), kind: 'number' });
    cache.store('set', 'd', { ...text(''), value: Buffer.alloc(3_000_000, 'large') });
    clock.advance(5000);
    cache.calculate('c', { rule: 'unsigned', direction: 'up', delta: 2n });
    cache.touch('a', clock.now() + 1_000_000);
    first.engine.cache(PROJECT, 'other').store('set', 'k', text('v'));
    first.engine.cache(PROJECT, 'other').drop();
    const second = await reopened(first, { path, mode, clock });
    expect(second.log.filter(({ level }) => level !== 'info')).toEqual([]);
    await second.durability.stop();
  });

  test('brings nothing back that was deleted, cleared or has expired', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, mode, clock });
    const cache = first.engine.cache(PROJECT, 'c');
    cache.store('set', 'deleted', text('v'));
    cache.delete('deleted');
    cache.store('set', 'expires', text('before'));
    cache.store('set', 'expires', text('v', clock.now() + 1000));
    cache.store('set', 'touched', text('v'));
    cache.touch('touched', clock.now() + 1000);
    cache.store('set', 'stays', text('v'));
    first.engine.cache(PROJECT, 'cleared').store('set', 'k', text('v'));
    first.engine.cache(PROJECT, 'cleared').clear();
    first.engine.cache(PROJECT, 'later').store('set', 'k', text('v'));
    first.engine.cache(PROJECT, 'later').clear(clock.now() + 1000);
    await first.durability.stop();
    clock.advance(1000);
    const second = await openDurableStore({ path, mode, clock });
    expect(await second.engine.totals()).toMatchObject({ items: 1, evictions: 0 });
    expect(await second.engine.cache(PROJECT, 'c').peek('stays')).toBeDefined();
    expect(await second.engine.cache(PROJECT, 'cleared').info()).toMatchObject({ items: 0 });
    await second.durability.stop();
  });

  test('clears what was to be cleared meanwhile once, and nothing that comes after that', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, mode, clock });
    first.engine.cache(PROJECT, 'c').store('set', 'before', text('v'));
    first.engine.cache(PROJECT, 'c').clear(clock.now() + 1000);
    await first.durability.stop();
    clock.advance(2000);
    const second = await openDurableStore({ path, mode, clock });
    second.engine.cache(PROJECT, 'c').store('set', 'after', text('v'));
    expect(await second.engine.totals()).toMatchObject({ items: 1 });
    await second.durability.stop();
    const third = await openDurableStore({ path, mode, clock });
    expect(await third.engine.cache(PROJECT, 'c').peek('after')).toBeDefined();
    expect(await third.engine.totals()).toMatchObject({ items: 1 });
    await third.durability.stop();
  });

  test('gives no version a number that was given before', async () => {
    const path = itemsPath();
    const given = new Set<unknown>();
    for (let start = 0; start < 4; start++) {
      const { engine, durability } = await openDurableStore({ path, mode });
      for (let i = 0; i < 10; i++) {
        await engine.cache(PROJECT, 'c').store('set', `k${i}`, text('v'));
        given.add((await engine.cache(PROJECT, 'c').peek(`k${i}`))?.cas);
      }
      expect(given.size).toBe(10 * (start + 1));
      await durability.stop();
    }
    expect([...given].every((cas) => Number.isSafeInteger(cas))).toBe(true);
  });
});

describe('after a restart', () => {
  test('a cache that was cleared at once is not cleared again when it would have been', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, clock });
    const cache = first.engine.cache(PROJECT, 'c');
    cache.store('set', 'k', text('v'));
    cache.clear(clock.now() + 1000);
    cache.clear();
    cache.store('set', 'k', text('v'));
    await first.durability.stop();
    const second = await openDurableStore({ path, clock });
    clock.advance(1000);
    expect(await second.engine.totals()).toMatchObject({ items: 1 });
    await second.durability.stop();
  });

  test('gives no version the number of one that a crash swallowed', async () => {
    const [path, crashed] = [itemsPath(), itemsPath()];
    const first = await openDurableStore({ path });
    await first.durability.kept();
    cpSync(path, crashed, { recursive: true, filter: (name) => name === path || name.endsWith('.log') });
    await first.engine.cache(PROJECT, 'c').store('set', 'k', text('swallowed'));
    const swallowed = await first.engine.cache(PROJECT, 'c').peek('k');
    await first.durability.stop();
    const second = await openDurableStore({ path: crashed });
    await second.engine.cache(PROJECT, 'c').store('set', 'k', text('v'));
    expect((await second.engine.cache(PROJECT, 'c').peek('k'))?.cas).toBeGreaterThan(
      swallowed?.cas as number,
    );
    await second.durability.stop();
  });

  test('has those make room first that were used longest ago, whatever the order in which they were told', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, mode: 'snapshot', clock });
    const cache = first.engine.cache(PROJECT, 'c');
    for (let i = 0; i < 100; i++) cache.store('set', `k${i}`, text('v'));
    clock.advance(1000);
    const used = Array.from({ length: 50 }, (_, i) => `k${(37 * i) % 100}`);
    for (const key of used) cache.get(key);
    await first.durability.stop();
    const second = await openDurableStore({ path, mode: 'snapshot', clock });
    second.store.setQuota(PROJECT, { itemsMax: 100 });
    const again = second.engine.cache(PROJECT, 'c');
    for (let i = 0; i < 50; i++) await again.store('set', `new ${i}`, text('v'));
    expect(used.filter((key) => again.peek(key) === undefined)).toEqual([]);
    await second.durability.stop();
  });

  test.each([0, 5000])(
    'what had expired does not come back by a clock that was set back, after %i ms forward',
    async (step) => {
      const [path, crashed] = [itemsPath(), itemsPath()];
      const clock = testClock();
      const first = await openDurableStore({ path, clock });
      clock.step(step);
      const cache = first.engine.cache(PROJECT, 'c');
      cache.store('set', 'expires', text('v', clock.now() + 1000));
      cache.store('set', 'later', text('v', clock.now() + 100_000));
      await first.durability.kept();
      clock.advance(2000);
      cache.store('set', 'k', text('v'));
      await first.durability.kept();
      cpSync(path, crashed, { recursive: true, filter: (name) => name === path || name.endsWith('.log') });
      await first.durability.stop();
      const second = await openDurableStore({ path: crashed, clock: testClock(clock.unixNow() - 2000) });
      expect(await second.engine.cache(PROJECT, 'c').peek('expires')).toBeUndefined();
      expect(await second.engine.totals()).toMatchObject({ items: 2 });
      await second.durability.stop();
    },
  );

  test('what was given a later expiry lives on, though the one that it was stored with has passed', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, clock });
    const cache = first.engine.cache(PROJECT, 'c');
    const soon = text('v', clock.now() + 1000);
    const later = clock.now() + 100_000;
    for (const key of ['touched', 'twice', 'stale', 'expires']) cache.store('set', key, soon);
    cache.store('set', 'shortened', text('v', later));
    cache.touch('touched', later);
    cache.touch('twice', clock.now() + 500);
    cache.touch('twice', later);
    cache.invalidate('stale', { markStale: true, expiresAt: later });
    cache.touch('shortened', clock.now() + 500);
    clock.advance(2000);
    const second = await reopened(first, { path, clock });
    expect(await second.engine.totals()).toMatchObject({ items: 3 });
    await second.durability.stop();
  });

  test.each([0, 3_600_000, -3_600_000])(
    'it lives on where it was told only after that had passed, too, and all times stay where the clock was set by %i ms since',
    async (step) => {
      const path = itemsPath();
      const clock = heldClock();
      const first = await openDurableStore({ path, clock });
      const cache = first.engine.cache(PROJECT, 'c');
      cache.store('set', 'k', text('v', clock.now() + 1000));
      cache.store('set', 'put', text('v'));
      cache.store('set', 'gone', text('v', clock.now() + 1000));
      const due = clock.now() + 1500;
      first.engine.cache(PROJECT, 'cleared').store('set', 'k', text('v'));
      first.engine.cache(PROJECT, 'cleared').clear(due);
      await first.durability.kept();
      clock.advance(950);
      const later = clock.now() + 100_000_000;
      cache.touch('k', later);
      clock.advance(100);
      await first.durability.stop();
      clock.step(step);
      const second = await openDurableStore({ path, clock });
      const again = second.engine.cache(PROJECT, 'c');
      const used = { accessedAt: clock.now() - step - 1050 };
      expect(again.peek('put')).toMatchObject(used);
      expect(again.peek('k')).toMatchObject({ ...used, expiresAt: later - step });
      const cleared = await second.engine.cache(PROJECT, 'cleared').info();
      expect(cleared?.items).toBe(clock.unixNow() < due ? 1 : 0);
      await again.store('set', 'next', text('v', clock.now() + 1000));
      expect(await again.info()).toMatchObject({ items: 3 });
      clock.advance(1000);
      expect(await again.info()).toMatchObject({ items: 2 });
      await second.durability.stop();
    },
  );

  test('it lives on where the log tells of more than there is room for at a time, too', async () => {
    const path = itemsPath();
    const clock = heldClock();
    const bytesMax = 3 * 1024 * 1024;
    const first = await openDurableStore({ path, clock, bytesMax });
    const cache = first.engine.cache(PROJECT, 'c');
    const passing = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0 } as const;
    for (let i = 0; i < 20; i++) cache.store('set', `session ${i}`, text('v', clock.now() + 500));
    cache.store('set', 'stays', text('v'));
    for (let turn = 0; turn < 10; turn++) {
      for (let i = 0; i < 20; i++) cache.touch(`session ${i}`, clock.now() + 500);
      for (let i = 0; i < 100; i++) {
        cache.store('set', `${turn}: ${i}`, { ...passing, expiresAt: clock.now() + 300 });
      }
      await first.durability.kept();
      clock.advance(400);
      while (await first.store.sweep());
    }
    expect(await first.engine.totals()).toMatchObject({ items: 21, evictions: 0 });
    const second = await reopened(first, { path, clock, bytesMax });
    expect(await second.engine.totals()).toMatchObject({ items: 21, evictions: 0 });
    await second.durability.stop();
  });

  test('it lives on, though what gave it more time was long in coming to disk', async () => {
    const path = itemsPath();
    const clock = heldClock();
    const bytesMax = 3 * 1024 * 1024;
    const first = await openDurableStore({ path, clock, bytesMax });
    const cache = first.engine.cache(PROJECT, 'c');
    const value = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    for (let i = 0; i < 400; i++) cache.store('set', `before ${i}`, value);
    for (let i = 0; i < 20; i++) cache.store('set', `session ${i}`, text('v', clock.now() + 3000));
    await first.durability.kept();
    clock.advance(2000);
    for (let i = 0; i < 40; i++) cache.store('set', `after ${i}`, value);
    for (let i = 0; i < 20; i++) cache.touch(`session ${i}`, clock.now() + 100_000);
    // The process is stopped for a while, or the disk is busy.
    clock.advance(10_000);
    await first.durability.stop();
    const second = await openDurableStore({ path, clock, bytesMax });
    for (let i = 0; i < 20; i++) {
      expect(await second.engine.cache(PROJECT, 'c').peek(`session ${i}`)).toBeDefined();
    }
    await second.durability.stop();
  });

  test('what was given more time just before it expired lives on where others made room by expiring just before that', async () => {
    const path = itemsPath();
    const clock = heldClock();
    const bytesMax = 3 * 1024 * 1024;
    const first = await openDurableStore({ path, clock, bytesMax });
    const cache = first.engine.cache(PROJECT, 'c');
    const value = { value: Buffer.alloc(1000), kind: 'bytes', flags: 0 } as const;
    for (let i = 0; i < 2170; i++) cache.store('set', `stays ${i}`, { ...value, expiresAt: NEVER });
    await first.durability.kept();
    cache.store('set', 'session', text('v', clock.now() + 60));
    for (let i = 0; i < 400; i++) cache.store('set', `short ${i}`, { ...value, expiresAt: clock.now() + 45 });
    await first.durability.kept();
    clock.advance(13);
    cache.store('set', 'tiny', text('v'));
    clock.advance(37);
    for (let i = 0; i < 40; i++) cache.store('set', `new ${i}`, { ...value, expiresAt: NEVER });
    clock.advance(5);
    cache.touch('session', clock.now() + 600_000);
    clock.advance(40);
    await first.durability.kept();
    cache.store('set', 'x', text('v'));
    const second = await reopened(first, { path, clock, bytesMax });
    expect(await second.engine.cache(PROJECT, 'c').peek('session')).toBeDefined();
    await second.durability.stop();
  });

  test.each(['lru', 'none'] as const)(
    'what took the room of something that had just expired has it again, where nothing or anything else may go: %s',
    async (policy) => {
      const path = itemsPath();
      const clock = heldClock();
      const bytesMax = 3 * 1024 * 1024;
      const prepare = (store: JournaledStore) => store.configure(PROJECT, 'c', { policy, quota: {} });
      const first = await openDurableStore({ path, clock, bytesMax, prepare });
      const cache = first.engine.cache(PROJECT, 'c');
      const value = { value: Buffer.alloc(1000), kind: 'bytes', flags: 0 } as const;
      for (let i = 0; i < 2300; i++) cache.store('set', `stays ${i}`, { ...value, expiresAt: NEVER });
      for (let turn = 0; turn < 10; turn++) {
        await first.durability.kept();
        // Half of the last ones are gone by the time of the next: all are told in one frame.
        for (let i = 0; i < 400; i++) {
          if (i === 200) clock.advance(50);
          cache.store('set', `${turn}: ${i}`, { ...value, expiresAt: clock.now() + 45 });
        }
        clock.advance(50);
      }
      expect(await first.engine.totals()).toMatchObject({ evictions: 0 });
      const second = await reopened(first, { path, clock, bytesMax, prepare });
      expect(await second.engine.totals()).toMatchObject({ evictions: 0 });
      await second.durability.stop();
    },
  );

  test.each([3_600_000, -3_600_000])(
    'it lives on, though the clock was set by %i ms meanwhile',
    async (ms) => {
      const path = itemsPath();
      const clock = heldClock();
      const first = await openDurableStore({ path, clock });
      const cache = first.engine.cache(PROJECT, 'c');
      cache.store('set', 'before', text('v', clock.now() + 60_000));
      await first.durability.kept();
      clock.step(ms);
      cache.store('set', 'after', text('v', clock.now() + 1000));
      await first.durability.kept();
      cache.touch('before', clock.now() + 600_000);
      cache.touch('after', clock.now() + 600_000);
      clock.advance(10_000);
      const second = await reopened(first, { path, clock: heldClock(clock) });
      expect(await second.engine.totals()).toMatchObject({ items: 2 });
      await second.durability.stop();
    },
  );

  test('each cache has its own items, also of those that were made when all numbers had been given', async () => {
    const path = itemsPath();
    const first = await openDurableStore({ path });
    const put = (name: string) => first.engine.cache(PROJECT, name).store('set', `of ${name}`, text(name));
    put('first');
    const lastButOne = { number: 2 ** 32 - 2, id: 'f'.repeat(24), projectId: PROJECT, name: 'last but one' };
    first.store.restoration().cache(lastButOne);
    for (const name of ['last but one', 'last', 'second', 'third']) put(name);
    first.engine.cache(PROJECT, 'second').drop();
    put('fourth');
    const second = await reopened(first, { path });
    expect(await second.engine.totals()).toMatchObject({ items: 5 });
    await second.durability.stop();
  });

  test.each([3_600_000, -3_600_000])(
    'nothing goes or comes back because the clock was set by %i ms',
    async (ms) => {
      const path = itemsPath();
      const clock = testClock();
      const first = await openDurableStore({ path, clock });
      const cache = first.engine.cache(PROJECT, 'c');
      cache.store('set', 'expires', text('v', clock.now() + 1000));
      cache.store('set', 'later', text('v', clock.now() + 100_000));
      await first.durability.kept();
      clock.step(ms);
      clock.advance(2000);
      await vi.waitFor(() => expect(first.durability.figures.savedAt).toBeDefined(), { timeout: 10_000 });
      const second = await reopened(first, { path, clock });
      expect(await second.engine.totals()).toMatchObject({ items: 1 });
      await second.durability.stop();
    },
  );

  test('nothing goes too early because the clock was ahead once', async () => {
    const path = itemsPath();
    const clock = testClock();
    clock.step(7_200_000);
    const first = await openDurableStore({ path, clock });
    const cache = first.engine.cache(PROJECT, 'c');
    cache.store('set', 'k', text('v'));
    await vi.waitFor(() => expect(first.durability.figures.lagBytes).toBe(0), { timeout: 10_000 });
    clock.step(-7_200_000);
    cache.store('set', 'expires', text('v', clock.now() + 3_600_000));
    await first.durability.stop();
    const second = await openDurableStore({ path, clock });
    expect((await second.engine.cache(PROJECT, 'c').peek('expires'))?.expiresAt).toBe(
      clock.now() + 3_600_000,
    );
    await second.durability.stop();
  });

  test('what expired at once does not come back because the clock was set back before', async () => {
    const path = itemsPath();
    const clock = testClock();
    const first = await openDurableStore({ path, clock });
    clock.step(-10_000);
    const cache = first.engine.cache(PROJECT, 'c');
    cache.store('set', 'stored', text('v', 0));
    cache.store('set', 'touched', text('v'));
    cache.touch('touched', 0);
    await first.durability.stop();
    const second = await openDurableStore({ path, clock: testClock(clock.unixNow()) });
    expect(await second.engine.totals()).toMatchObject({ items: 0 });
    await second.durability.stop();
  });

  test.each(['log', 'snapshot'] as const)(
    'with less memory the least recently used items go, and stay away (%s)',
    async (mode) => {
      const path = itemsPath();
      const clock = testClock();
      const value = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
      const first = await openDurableStore({ path, mode, clock });
      const cache = first.engine.cache(PROJECT, 'c');
      for (let i = 0; i < 300; i++) {
        clock.advance(1000);
        cache.store('set', `k${i}`, value);
      }
      await first.durability.stop();
      const second = await openDurableStore({ path, mode, clock, bytesMax: 2 * 1024 * 1024 });
      const { items } = await second.engine.totals();
      expect(items).toBeLessThan(220);
      const there = (i: number) => second.engine.cache(PROJECT, 'c').peek(`k${i}`) !== undefined;
      const newest = Array.from({ length: 100 }, (_, i) => 299 - i);
      expect(newest.filter((i) => !there(i))).toEqual([]);
      expect(there(150)).toBe(true);
      await second.durability.stop();
      const third = await openDurableStore({ path, mode, clock });
      expect(await third.engine.totals()).toMatchObject({ items });
      await third.durability.stop();
    },
  );

  test('items that may not make room are not thrown away where there is less memory', async () => {
    const path = itemsPath();
    const value = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    const prepare = (store: JournaledStore) => store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
    const first = await openDurableStore({ path, prepare });
    for (let i = 0; i < 300; i++) first.engine.cache(PROJECT, 'c').store('set', `k${i}`, value);
    await first.durability.stop();
    await expect(openDurableStore({ path, prepare, bytesMax: 2 * 1024 * 1024 })).rejects.toThrow(
      /^the items do not fit, since some may not make room .*: raise IRONCACHED_MEMORY_LIMIT$/,
    );
    const second = await openDurableStore({ path, prepare });
    expect(await second.engine.totals()).toMatchObject({ items: 300 });
    await second.durability.stop();
  });
});

test.each(['log', 'snapshot'] as const)(
  'the size of the files is told as it is on disk, however often it starts (%s)',
  async (mode) => {
    const path = itemsPath();
    const sizes = (names: RegExp) =>
      readdirSync(path)
        .filter((name) => names.test(name))
        .reduce((sum, name) => sum + statSync(join(path, name)).size, 0);
    const value = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    let saved = 0;
    // In the third, there is less memory, so that all is written anew.
    for (const bytesMax of [MIB, MIB, MIB / 2, MIB]) {
      const { engine, durability } = await openDurableStore({ path, mode, bytesMax });
      expect(durability.figures.fileBytes).toBe(sizes(/\.(log|base)$/));
      if (mode === 'snapshot' || bytesMax < MIB) saved = sizes(/\.base$/);
      expect(durability.figures.savedBytes).toBe(saved);
      for (let i = 0; i < 60; i++) engine.cache(PROJECT, 'c').store('set', `k${i}`, value);
      if (mode === 'log') await durability.kept();
      expect(durability.figures.fileBytes).toBe(sizes(/\.(log|base)$/));
      await durability.stop();
    }
  },
);

test('a log that has grown is written anew while it is changed, and says everything by itself then', async () => {
  const path = itemsPath();
  const parts = await openDurableStore({ path, compactionBytesMin: 65_536 });
  const cache = parts.engine.cache(PROJECT, 'c');
  let writes = 0;
  const isSaved = () => parts.log.some(({ message }) => message === 'all items are saved');
  while (!isSaved()) {
    for (let i = 0; i < 20; i++) cache.store('set', `k${writes++ % 500}`, text('v'.repeat(writes % 300)));
    if (writes % 3 === 0) cache.delete(`k${writes % 500}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const files = readdirSync(path);
  expect(files.filter((name) => name.endsWith('.base'))).toHaveLength(1);
  expect(files.filter((name) => name.endsWith('.log'))).toHaveLength(0);
  cache.store('set', 'last', text('v'));
  const second = await reopened(parts, { path });
  await second.durability.stop();
});
