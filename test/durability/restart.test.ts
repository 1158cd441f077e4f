import { describe, expect, test } from 'vitest';
import { NEVER } from '../../src/engine/item.ts';
import { testClock } from '../support/clock.ts';
import { itemsPath, openDurableStore } from '../support/durable-store.ts';
import { stateOf } from '../support/journal-record.ts';

const PROJECT = 'a1'.repeat(12);

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
    const before = await stateOf(first.store);
    await first.durability.stop();
    const second = await openDurableStore({ path, mode, clock });
    expect(await stateOf(second.store)).toEqual(before);
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
