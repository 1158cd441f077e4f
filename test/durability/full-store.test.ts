import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/engine/errors.ts';
import { NEVER } from '../../src/engine/item.ts';
import type { JournaledStore } from '../../src/engine/journal.ts';
import { BUCKETS_PER_ITEM } from '../../src/storage/arena/hash-index.ts';
import { heldClock } from '../support/clock.ts';
import { type DurableStore, itemsPath, openDurableStore } from '../support/durable-store.ts';
import { stateOf } from '../support/journal-record.ts';
import { randomNumbers } from '../support/random.ts';

const PROJECT = 'a1'.repeat(12);
const ITEM = { kind: 'bytes', flags: 0, expiresAt: NEVER } as const;

describe.each(['log', 'snapshot'] as const)('a full store that is kept with %s', (mode) => {
  describe.each(['none', 'lru'] as const)('by the policy %s', (policy) => {
    test.each([1, 2, 3])('has all its items again after every stop and crash: seed %i', async (seed) => {
      const path = itemsPath();
      const clock = heldClock();
      const random = randomNumbers(seed);
      const bytesMax = (2 + (seed % 2)) * 1024 * 1024;
      const prepare = (store: JournaledStore) => store.configure(PROJECT, 'c', { policy, quota: {} });
      const options = { path, mode, clock, bytesMax, prepare };
      let parts = await openDurableStore(options);
      for (let round = 0; round < 3; round++) {
        change(parts, random);
        fill(parts, random, round);
        const before = await stateOf(parts.store);
        if (mode === 'log') {
          const crashed = itemsPath();
          await parts.durability.kept();
          cpSync(path, crashed, {
            recursive: true,
            filter: (name) => name === path || name.endsWith('.log') || name.endsWith('.base'),
          });
          const again = await openDurableStore({ ...options, path: crashed });
          await expectAsBefore(again, before);
          await again.durability.stop();
        }
        await parts.durability.stop();
        parts = await openDurableStore(options);
        await expectAsBefore(parts, before);
      }
      await parts.durability.stop();
    });
  });

  test('has all its items again also where they had come to be more than its index had got room for', async () => {
    const path = itemsPath();
    const random = randomNumbers(1);
    const prepare = (store: JournaledStore) => store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
    const options = { path, mode, bytesMax: 3 * 1024 * 1024, prepare };
    const first = await openDurableStore(options);
    const cache = first.engine.cache(PROJECT, 'c');
    const put = (key: string, length: number) =>
      unlessFull(() => cache.store('set', key, { ...ITEM, value: Buffer.alloc(length) }));
    for (let i = 0; i < 10_000; i++) put(`small ${i}`, random(150));
    for (let i = 0; put(`large ${i}`, 16_000); i++);
    for (let i = 0; i < 5_000; i++) put(`between ${i}`, random(150));
    // What one page of the index is for.
    expect((await first.engine.totals()).items).toBeGreaterThan(16_384 / BUCKETS_PER_ITEM);
    const before = await stateOf(first.store);
    await first.durability.stop();
    const second = await openDurableStore(options);
    await expectAsBefore(second, before);
    await second.durability.stop();
  });
});

async function expectAsBefore({ engine, store }: DurableStore, before: string[]): Promise<void> {
  expect(await engine.totals()).toMatchObject({ evictions: 0 });
  const after = new Set(await stateOf(store));
  expect(before.filter((item) => !after.has(item))).toEqual([]);
  expect(after.size).toBe(before.length);
}

// Items of all sizes come, change, get an expiry, lose it, and go.
function change({ engine, durability, clock }: DurableStore, random: (limit: number) => number): void {
  const cache = engine.cache(PROJECT, 'c');
  const sizes = [300, 300, 300, 300, 8_000, 60_000];
  for (let i = 0; i < 4000; i++) {
    // As often as with a real clock.
    if (i % 100 === 0) void durability.kept();
    if (random(40) === 0) clock.advance(random(40));
    const key = `k${random(3000)}`;
    const expiresAt = random(3) === 0 ? clock.now() + 1 + random(10_000) : NEVER;
    const what = random(10);
    if (what === 0) cache.delete(key);
    else if (what === 1) unlessFull(() => cache.touch(key, expiresAt));
    else {
      const value = Buffer.alloc(random(sizes[random(sizes.length)] as number), String(i));
      unlessFull(() => cache.store('set', key, { value, kind: 'bytes', flags: random(2), expiresAt }));
    }
  }
}

// Small items come until there is no room even between the others.
function fill({ engine }: DurableStore, random: (limit: number) => number, round: number): void {
  const cache = engine.cache(PROJECT, 'c');
  for (let i = 0, refused = 0; i < 30_000 && refused < 300; i++) {
    const value = Buffer.alloc(random(60));
    if (!unlessFull(() => cache.store('set', `${round}: ${i}`, { ...ITEM, value }))) refused++;
  }
}

// False: it was refused.
function unlessFull(change: () => unknown): boolean {
  try {
    change();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return false;
  }
}
