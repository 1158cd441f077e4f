import { describe, expect, test } from 'vitest';
import { remove, touch } from '../../src/engine/changes.ts';
import { type Item, NEVER } from '../../src/engine/item.ts';
import { itemBytes } from '../../src/storage/arena/arena-item.ts';
import { CHUNK_BYTES_MAX } from '../../src/storage/arena/chunk-heap.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { JournalRecord, stateOf } from '../support/journal-record.ts';
import { randomNumbers } from '../support/random.ts';
import { storeContract } from './contract.ts';

const MIB = 1024 ** 2;

storeContract(
  'arena',
  ({ bytesMax = 64 * MIB, cachesMax = 1000, now }) => new ArenaStore({ bytesMax, cachesMax, now }),
);

describe('the arena', () => {
  const open = (bytesMax: number) => new ArenaStore({ bytesMax, cachesMax: 100_000, now: () => NOW });
  const NOW = 1_700_000_000_000;
  const EMPTY = { value: Buffer.alloc(0), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;

  function put(store: ArenaStore, cacheName: string, key: string, value: Buffer, expiresAt = NEVER): void {
    store.cache('p', cacheName).put(key, { value, kind: 'bytes', flags: 0, expiresAt });
  }

  // Repeats after 31 bytes, which divide no chunk: a piece in the wrong place shows.
  function pattern(length: number, seed: number): Buffer {
    return Buffer.alloc(length, Buffer.from(`${seed}, a prime number of bytes: `.padEnd(31, '.')));
  }

  test('keeps values of every length around the sizes of its chunks', () => {
    const store = open(64 * MIB);
    const edges = [0, 1, CHUNK_BYTES_MAX, 2 * CHUNK_BYTES_MAX, 3 * CHUNK_BYTES_MAX, 1_048_576];
    const lengths = edges.flatMap((edge) => Array.from({ length: 120 }, (_, i) => edge - 100 + i));
    for (const [i, length] of lengths.filter((length) => length >= 0).entries()) {
      const value = pattern(length, i);
      put(store, 'c', 'key', value, i % 2 ? NEVER : NOW + 1);
      const item = store.cache('p', 'c').read('key', false);
      expect(item && Buffer.compare(item.value, value)).toBe(0);
      const target = Buffer.alloc(length + 2, 0xee);
      item?.copyValue(target, 1);
      expect(Buffer.compare(target.subarray(1, -1), value)).toBe(0);
      expect([target[0], target.at(-1)]).toEqual([0xee, 0xee]);
    }
  });

  test('gives an item room for an expiry later on, and takes the expiry back', () => {
    const store = open(16 * MIB);
    const cache = store.cache('p', 'c');
    const value = pattern(50_000, 1);
    put(store, 'c', 'k', value);
    const { cas } = cache.read('k', true) ?? {};
    for (const expiresAt of [NOW + 5000, NEVER, NOW + 7000]) {
      // A touch answers the item as it is afterwards.
      expect(cache.update('k', touch(expiresAt))).toMatchObject({ expiresAt, cas, fetched: true });
      expect(cache.read('k', false)?.value.equals(value)).toBe(true);
    }
  });

  test('leaves an item where it was in the order of use that is moved for an expiry alone', () => {
    const store = open(MIB);
    const cache = store.cache('p', 'c');
    // Fills its chunk: with an expiry, it needs one of the next size, in a page of its own.
    const value = pattern(10_920 - itemBytes(3, EMPTY), 1);
    const keys = Array.from({ length: 30 }, (_, i) => `k${i + 10}`);
    for (const key of keys) put(store, 'c', key, value);
    const amendment = { expiresAt: NOW + 1000, use: false };
    for (const key of ['k12', 'k10']) {
      cache.update(key, () => ({ action: 'amend', amendment, outcome: undefined }));
    }
    const gone: string[] = [];
    for (let i = 0; gone.length < 4; i++) {
      put(store, 'c', `m${i + 10}`, value);
      gone.push(...keys.filter((key) => !gone.includes(key) && !cache.read(key, false)));
    }
    expect(gone.slice(0, 4)).toEqual(['k10', 'k11', 'k12', 'k13']);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    'leaves it there where those that were used before it, of whom there are %i, make room for that, or itself',
    (before) => {
      let now = NOW;
      const store = new ArenaStore({ bytesMax: MIB, cachesMax: 1000, now: () => now });
      const cache = store.cache('p', 'c');
      // Fills its chunk.
      const value = pattern(10_920 - itemBytes(3, EMPTY), 1);
      const keys = Array.from({ length: 60 }, (_, i) => `k${i + 10}`);
      const there = () => keys.filter((key) => cache.read(key, false));
      for (const key of keys) put(store, 'c', key, value);
      for (let i = 10; there().length === keys.length; i++) put(store, 'c', `l${i}`, value);
      const key = there()[before] ?? '';
      now += 5000;
      const amendment = { expiresAt: now + 1000, use: false };
      cache.update(key, () => ({ action: 'amend', amendment, outcome: undefined }));
      expect(cache.read(key, false)).toMatchObject({ expiresAt: now + 1000, accessedAt: NOW });
      const left = there();
      const gone: string[] = [];
      for (let i = 10; gone.length < left.length; i++) {
        put(store, 'c', `m${i}`, value);
        const now = there();
        gone.push(...left.filter((key) => !gone.includes(key) && !now.includes(key)));
      }
      expect(gone).toEqual(left);
    },
  );

  test('gives an item room for an expiry by what it took itself, where nothing else may go', async () => {
    const store = open(MIB);
    const record = new JournalRecord();
    store.journalTo(record);
    store.configure('q', 'kept', { policy: 'none', quota: {} });
    const kept = store.cache('q', 'kept');
    const value = { value: Buffer.alloc(10_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    put(store, 'c', 'k', pattern(20, 1));
    expect(() => {
      for (let i = 0; i < 1000; i++) kept.put(`key-${i}`, value);
    }).toThrow('memory is full');
    const cache = store.cache('p', 'c');
    cache.update('k', touch(NOW + 1000));
    expect(await cache.info()).toMatchObject({ items: 1, evictions: 0 });
    const restarted = open(MIB);
    record.replay(restarted.restoration());
    expect(restarted.cache('p', 'c').read('k', false)).toMatchObject({ expiresAt: NOW + 1000 });
  });

  test('gives an item an expiry where its place has room for it, and else leaves it as it was, where none may go', async () => {
    const store = open(MIB);
    store.configure('p', 'c', { policy: 'none', quota: {} });
    const cache = store.cache('p', 'c');
    put(store, 'c', 'roomy', pattern(10_000, 1));
    // Fills its chunk.
    put(store, 'c', 'tight', pattern(10_920 - itemBytes(5, EMPTY), 2));
    expect(() => {
      for (let i = 0; i < 1000; i++) put(store, 'c', `key-${i}`, pattern(10_000, 3));
    }).toThrow('memory is full');
    cache.update('roomy', touch(NOW + 1000));
    expect(cache.read('roomy', false)).toMatchObject({ expiresAt: NOW + 1000 });
    // A place like its own, and no larger one.
    cache.update('key-0', remove);
    const { items } = await store.totals();
    const before = await stateOf(store);
    expect(() => cache.update('tight', touch(NOW + 1000))).toThrow('memory is full');
    expect(await stateOf(store)).toEqual(before);
    expect(await store.totals()).toMatchObject({ items });
  });

  test('keeps an item, here and by its journal, for whose expiry it finds no room', async () => {
    let now = NOW;
    const store = new ArenaStore({ bytesMax: MIB, cachesMax: 100_000, now: () => now });
    const record = new JournalRecord();
    store.journalTo(record);
    store.configure('q', 'kept', { policy: 'none', quota: {} });
    const kept = store.cache('q', 'kept');
    const keep = (key: string, length: number) =>
      kept.put(key, { value: Buffer.alloc(length), kind: 'bytes', flags: 0, expiresAt: NEVER });
    // Beside the item, so that its page is not free where it goes.
    keep('s', 20);
    put(store, 'c', 'k', pattern(20, 1));
    expect(() => {
      for (let i = 0; i < 1000; i++) keep(`key-${i}`, 10_000);
    }).toThrow('memory is full');
    const cache = store.cache('p', 'c');
    cache.read('k', true);
    now += 5000;
    const before = await stateOf(store);
    expect(() => cache.update('k', touch(now + 1000))).toThrow('memory is full');
    expect(await stateOf(store)).toEqual(before);
    // It is there: it went for nobody.
    expect(await store.totals()).toMatchObject({ evictions: 0 });
    expect(await cache.info()).toMatchObject({ items: 1, evictions: 0 });
    const restarted = open(MIB);
    record.replay(restarted.restoration());
    const item = restarted.cache('p', 'c').read('k', false);
    expect(item?.accessedAt).toBe(NOW);
    expect(item?.value.equals(pattern(20, 1))).toBe(true);
  });

  test('loses nothing while pages change their sizes', async () => {
    const random = randomNumbers(11);
    const store = open(8 * MIB);
    const cache = store.cache('p', 'c');
    const model = new Map<string, number>();
    const sizes = [10, 60, 100, 1000, 5000, 20_000, 100_000];
    for (let i = 0; i < 20_000; i++) {
      // The mix drifts from small values to large ones and back.
      const size = sizes[Math.min(6, Math.floor(Math.abs(10_000 - i) / 1500) + random(2))] ?? 10;
      const key = `k${random(4000)}`;
      put(store, 'c', key, pattern(size, i));
      model.set(key, i);
      if (i % 7 === 0) cache.update(`k${random(4000)}`, remove);
      if (i % 500 !== 0) continue;
      for await (const { key: listed } of cache.list()) {
        const seed = model.get(listed) ?? 0;
        const item = cache.read(listed, false) as Item;
        if (!item.value.equals(pattern(item.valueLength, seed))) throw new Error(`${listed} was damaged`);
      }
    }
    const { items, bytes, evictions } = await store.totals();
    expect(evictions).toBeGreaterThan(0);
    let listed = 0;
    for await (const _item of cache.list()) listed++;
    expect(listed).toBe(items);
    expect(bytes).toBeGreaterThan(8 * MIB * 0.8);
    expect(bytes).toBeLessThanOrEqual(8 * MIB);
  });

  test('keeps ten thousand small caches as cheaply as one', async () => {
    const store = open(64 * MIB);
    for (let cache = 0; cache < 10_000; cache++) {
      for (let i = 0; i < 10; i++) put(store, `cache-${cache}`, `key-${i}`, Buffer.alloc(100));
    }
    const { items, bytes, evictions } = await store.totals();
    expect({ items, evictions }).toEqual({ items: 100_000, evictions: 0 });
    expect(bytes / items).toBeLessThan(105 + 55);
  });

  test('takes less than 50 bytes for an item above its key and value', async () => {
    const store = open(64 * MIB);
    for (let i = 0; i < 10_000; i++) put(store, 'c', String(i).padStart(20, '0'), Buffer.alloc(100));
    expect((await store.totals()).bytes / 10_000 - 120).toBeLessThan(50);
  });

  test('has room for large items after many small ones, and for small ones again', async () => {
    const store = open(2 * MIB);
    const cache = store.cache('p', 'c');
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 60_000; i++) put(store, 'c', `k${i}`, Buffer.alloc(0));
      expect((await store.totals()).items).toBeGreaterThan((1.8 * MIB) / 60);
      for (let i = 0; i < 3; i++) put(store, 'c', `large${i}`, pattern(600_000, i));
      const there = [0, 1, 2].map((i) => cache.read(`large${i}`, false)?.value.equals(pattern(600_000, i)));
      expect(there).toEqual([true, true, true]);
    }
  });

  test('takes no more memory than its limit, whatever the mix of sizes was, and uses again what is free', async () => {
    const store = open(8 * MIB);
    for (const size of [20, 100_000, 1000, 5, 300_000, 20]) {
      for (let i = 0; i < (20 * MIB) / (size + 60); i++) put(store, `c${size}`, `k${i}`, Buffer.alloc(size));
      const { bytes, bytesTaken, bytesResident } = await store.totals();
      expect(bytesResident).toBeLessThanOrEqual(8 * MIB);
      expect(bytesTaken).toBeGreaterThan(8 * MIB * 0.9);
      expect(bytes).toBeGreaterThan(8 * MIB * 0.85);
    }
    for (const size of [20, 100_000, 1000, 5, 300_000]) store.cache('p', `c${size}`).delete();
    while (store.sweep());
    expect(await store.totals()).toMatchObject({
      items: 0,
      bytes: 0,
      bytesTaken: 65_536,
      bytesResident: 8 * MIB,
    });
  });

  test('lists very many keys each once, with none of another cache, and lets others have their turn', async () => {
    const store = new ArenaStore({ bytesMax: 16 * MIB, cachesMax: 2, now: () => NOW });
    const keys = new Set(Array.from({ length: 30_000 }, (_, i) => `k${i}`));
    for (const key of keys) put(store, 'c', key, Buffer.alloc(0));
    for (let i = 0; i < 2_000; i++) put(store, 'other', `k${i}`, Buffer.alloc(0));
    let isOthersTurn = false;
    setImmediate(() => {
      isOthersTurn = true;
    });
    const listed: string[] = [];
    for await (const { key } of store.cache('p', 'c').list()) listed.push(key);
    expect(isOthersTurn).toBe(true);
    expect(listed).toHaveLength(keys.size);
    expect(new Set(listed)).toEqual(keys);
  });

  test('lets others have their turn while very many items expire', async () => {
    let now = NOW;
    const store = new ArenaStore({ bytesMax: 16 * MIB, cachesMax: 1, now: () => now });
    for (let i = 0; i < 20_000; i++) put(store, 'c', `k${i}`, Buffer.alloc(0), NOW + 1000);
    now += 5000;
    let turns = 0;
    const counting = setInterval(() => turns++);
    const info = await store.cache('p', 'c').info();
    clearInterval(counting);
    expect(info).toMatchObject({ items: 0, bytes: 0, expirations: 20_000 });
    expect(turns).toBeGreaterThan(0);
  });

  test('lets others have their turn while very many caches are cleared that are due together', async () => {
    let now = NOW;
    const store = new ArenaStore({ bytesMax: 16 * MIB, cachesMax: 20_000, now: () => now });
    for (let i = 0; i < 20_000; i++) {
      put(store, `c${i}`, 'k', Buffer.alloc(0));
      store.cache('p', `c${i}`).clear(NOW + (i < 10 ? 9000 : 1000));
    }
    now += 5000;
    let turns = 0;
    const counting = setInterval(() => turns++);
    expect(await store.totals()).toMatchObject({ items: 10 });
    clearInterval(counting);
    expect(turns).toBeGreaterThan(0);
    now += 5000;
    expect(await store.totals()).toMatchObject({ items: 0 });
    while (store.sweep());
    expect(await store.totals()).toMatchObject({ items: 0, bytes: 0 });
  });
});
