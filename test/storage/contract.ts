import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Refusal } from '../../src/engine/errors.ts';
import { type Cas, type Draft, NEVER } from '../../src/engine/item.ts';
import type { JournaledStore } from '../../src/engine/journal.ts';
import type { Amendment, Store, StoredCache } from '../../src/engine/store.ts';
import { type TestClock, testClock } from '../support/clock.ts';
import { JournalRecord, stateOf } from '../support/journal-record.ts';

/** What a store is opened with; without `bytesMax` and `cachesMax`, more than these tests need. */
interface StoreOptions {
  bytesMax?: number;
  cachesMax?: number;
  now: () => number;
}

const PROJECT = 'a1'.repeat(12);
const OTHER_PROJECT = 'b2'.repeat(12);
const MIB = 1024 * 1024;
const ALL_BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

/** What every way of keeping items promises; see src/engine/store.ts. */
export function storeContract(name: string, open: (options: StoreOptions) => JournaledStore): void {
  describe(`the ${name} store`, () => {
    let clock: TestClock;
    let store: JournaledStore;
    let cache: StoredCache;

    beforeEach(async () => {
      clock = testClock();
      await start({});
    });
    afterEach(() => store.close());

    async function start(options: Omit<StoreOptions, 'now'>): Promise<void> {
      store = open({ ...options, now: clock.now });
      cache = store.cache(PROJECT, 'c');
    }

    async function restart(options: Omit<StoreOptions, 'now'>): Promise<void> {
      await store.close();
      await start(options);
    }

    test('a glance tells the same as a look, or nothing where there is no cache', async () => {
      expect(cache.glance()).toBeUndefined();
      await put(cache, 'k', 'value');
      expect(cache.glance()).toEqual(await cache.info());
    });

    test('takes of its limit what the items take, and no more than all', async () => {
      await put(cache, 'k', 'value');
      const { bytes, bytesTaken, bytesMax } = await store.totals();
      expect(bytesTaken).toBeGreaterThanOrEqual(bytes);
      expect(bytesTaken).toBeLessThanOrEqual(bytesMax);
    });

    const bytesKept = async () => (await store.totals()).bytes;

    describe('reads and updates', () => {
      test('a key that was never written holds nothing', async () => {
        expect(await cache.read('k', true)).toBeUndefined();
        await put(cache, 'other', 'x');
        expect(await cache.read('k', true)).toBeUndefined();
      });

      test('an item comes back as it was put', async () => {
        await put(cache, 'k', 'value', { kind: 'text', flags: 0xffffffff, expiresAt: clock.now() + 5 });
        expect(await cache.read('k', false)).toMatchObject({
          value: Buffer.from('value'),
          kind: 'text',
          flags: 0xffffffff,
          expiresAt: clock.now() + 5,
          stale: false,
          recaching: false,
          fetched: false,
          accessedAt: clock.now(),
        });
      });

      test('an update tells its outcome, whatever it decides', async () => {
        await put(cache, 'k', '1');
        for (const action of ['keep', 'remove'] as const) {
          const outcome = { it: action };
          expect(await cache.update('k', () => ({ action, outcome }))).toBe(outcome);
        }
      });

      test('a decision is given the item as it is now, or nothing', async () => {
        const seen: (string | undefined)[] = [];
        const look = () =>
          cache.update('k', (current) => {
            seen.push(current?.value.toString('latin1'));
            return { action: 'keep', outcome: undefined };
          });
        await look();
        await put(cache, 'k', 'one');
        await look();
        await put(cache, 'k', 'two');
        await look();
        await remove(cache, 'k');
        await look();
        expect(seen).toEqual([undefined, 'one', 'two', undefined]);
      });

      test('to keep changes nothing and makes no cache', async () => {
        await cache.update('k', () => ({ action: 'keep', outcome: undefined }));
        expect(await cache.info()).toBeUndefined();
        const cas = await put(cache, 'k', 'v');
        await cache.update('k', () => ({ action: 'keep', outcome: undefined }));
        expect(await cache.read('k', false)).toMatchObject({ cas, value: Buffer.from('v') });
      });

      test('to put needs no decision, and tells the cas', async () => {
        const first = await cache.put('k', {
          value: Buffer.from('one'),
          kind: 'text',
          flags: 3,
          expiresAt: NEVER,
        });
        expect(await cache.read('k', false)).toMatchObject({ cas: first, kind: 'text', flags: 3 });
        await amend(cache, 'k', { stale: true, recaching: true });
        const expiresAt = clock.now() + 1000;
        const cas = await cache.put('k', { value: Buffer.from('two'), kind: 'bytes', flags: 0, expiresAt });
        expect(cas).not.toBe(first);
        expect(await cache.read('k', false)).toMatchObject({
          value: Buffer.from('two'),
          kind: 'bytes',
          flags: 0,
          cas,
          expiresAt,
          stale: false,
          recaching: false,
          fetched: false,
        });
      });

      test('to remove takes the item away, and nothing else', async () => {
        await put(cache, 'k', 'v');
        await put(cache, 'l', 'w');
        await remove(cache, 'k');
        expect(await valueAt(cache, 'k')).toBeUndefined();
        expect(await valueAt(cache, 'l')).toBe('w');
      });

      test('to remove or amend what is not there does nothing', async () => {
        await put(cache, 'other', 'v');
        await remove(cache, 'k');
        await amend(cache, 'k', { expiresAt: NEVER });
        expect(await cache.info()).toMatchObject({ items: 1 });
        expect(await valueAt(cache, 'k')).toBeUndefined();
      });

      test('a decision that throws changes nothing', async () => {
        await put(cache, 'k', 'v');
        const failing = async () =>
          cache.update('k', () => {
            throw new RangeError('by the test');
          });
        await expect(failing()).rejects.toThrow('by the test');
        expect(await valueAt(cache, 'k')).toBe('v');
      });

      test('a hundred updates at once lose nothing', async () => {
        await put(cache, 'k', '0');
        const addOne = () =>
          cache.update('k', (current, cas) => ({
            action: 'put',
            draft: draft(String(Number(current?.value.toString()) + 1), cas),
            outcome: undefined,
          }));
        await Promise.all(Array.from({ length: 100 }, addOne));
        expect(await valueAt(cache, 'k')).toBe('100');
      });

      test('two handles of one cache see the same items', async () => {
        const second = store.cache(PROJECT, 'c');
        await put(cache, 'k', 'v');
        expect(await valueAt(second, 'k')).toBe('v');
        await remove(second, 'k');
        expect(await valueAt(cache, 'k')).toBeUndefined();
      });

      test('a read counts as a use only if it says so', async () => {
        const writtenAt = clock.now();
        await put(cache, 'k', 'v');
        clock.advance(1000);
        await cache.read('k', false);
        expect(await cache.read('k', false)).toMatchObject({ fetched: false, accessedAt: writtenAt });
        await cache.read('k', true);
        expect(await cache.read('k', false)).toMatchObject({ fetched: true, accessedAt: writtenAt + 1000 });
        await put(cache, 'k', 'w');
        expect(await cache.read('k', false)).toMatchObject({ fetched: false });
      });

      test('the time of the last use is that of the second in which it was', async () => {
        const second = clock.now();
        clock.advance(900);
        await put(cache, 'k', 'v');
        expect(await cache.read('k', true)).toMatchObject({ accessedAt: second });
        clock.advance(1000);
        await cache.read('k', true);
        expect(await cache.read('k', false)).toMatchObject({ accessedAt: second + 1000 });
      });
    });

    describe('values and keys', () => {
      test('a value is copied: writing to the buffer it came in changes nothing', async () => {
        const chunk = Buffer.from('...value...');
        await put(cache, 'k', chunk.subarray(3, 8));
        chunk.fill('#');
        expect(await valueAt(cache, 'k')).toBe('value');
      });

      test('all 256 byte values are kept in a value', async () => {
        await put(cache, 'k', ALL_BYTES);
        expect((await cache.read('k', false))?.value).toEqual(ALL_BYTES);
      });

      test('a value may be empty, and become empty', async () => {
        await put(cache, 'k', '');
        expect(await valueAt(cache, 'k')).toBe('');
        await put(cache, 'k', 'x');
        await put(cache, 'k', '');
        expect(await valueAt(cache, 'k')).toBe('');
        expect(await cache.info()).toMatchObject({ items: 1 });
      });

      test('a value of a megabyte is kept', async () => {
        const large = Buffer.alloc(MIB, ALL_BYTES);
        await put(cache, 'k', large);
        expect((await cache.read('k', false))?.value.equals(large)).toBe(true);
      });

      test('keys of every byte value are keys of their own, and are listed so', async () => {
        const keys = [...ALL_BYTES].map((byte) => String.fromCharCode(byte));
        for (const key of keys) await put(cache, key, key);
        for (const key of keys) expect(await valueAt(cache, key)).toBe(key);
        expect((await keysOf(cache)).sort()).toEqual(keys);
      });

      test('a key of 250 bytes is not mistaken for another of the same beginning', async () => {
        const long = '\u00ff'.repeat(249);
        await put(cache, `${long}a`, '1');
        await put(cache, `${long}b`, '2');
        expect(await valueAt(cache, `${long}a`)).toBe('1');
        expect(await valueAt(cache, long)).toBeUndefined();
      });

      test('keys that are names of object members are ordinary', async () => {
        for (const key of ['__proto__', 'constructor', 'toString']) {
          expect(await valueAt(cache, key)).toBeUndefined();
          await put(cache, key, key);
          expect(await valueAt(cache, key)).toBe(key);
        }
      });
    });

    describe('cas', () => {
      test('every version has a number of its own, and later versions higher ones', async () => {
        const numbers: Cas[] = [];
        for (const key of ['a', 'b', 'a', 'a', 'c']) numbers.push(await put(cache, key, 'v'));
        numbers.push(await put(store.cache(OTHER_PROJECT, 'c'), 'a', 'v'));
        await remove(cache, 'a');
        numbers.push(await put(cache, 'a', 'v'));
        expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => Number(a) - Number(b)));
        expect((await cache.read('a', false))?.cas).toBe(numbers.at(-1));
      });

      test('a client may set a number of its own, also one beyond 2^53', async () => {
        for (const cas of [123456789, 2n ** 64n - 1n]) {
          await put(cache, 'k', 'v', { cas });
          expect((await cache.read('k', false))?.cas).toBe(cas);
        }
      });

      test('a number that a client set does not disturb those of others', async () => {
        const first = await put(cache, 'k', 'v');
        await put(cache, 'k', 'v', { cas: 2n ** 64n - 1n });
        const next = await put(cache, 'k', 'v');
        expect(next).toBeGreaterThan(Number(first));
        expect(next).toBeLessThan(2 ** 53);
        expect(Number.isSafeInteger(next)).toBe(true);
      });

      test('a client that sets the very next number does not make two versions alike', async () => {
        const first = await put(cache, 'k', 'v');
        await put(cache, 'k', 'v', { cas: Number(first) + 1 });
        expect(await put(cache, 'k', 'v')).toBeGreaterThan(Number(first) + 1);
      });

      test('to amend keeps the number, or changes it when that is asked for', async () => {
        const cas = await put(cache, 'k', 'v');
        await amend(cache, 'k', { expiresAt: clock.now() + 9 });
        expect((await cache.read('k', false))?.cas).toBe(cas);
        await amend(cache, 'k', { cas: 77 });
        expect((await cache.read('k', false))?.cas).toBe(77);
        await cache.update('k', (_current, next) => ({
          action: 'amend',
          amendment: { cas: next },
          outcome: next,
        }));
        const amended = (await cache.read('k', false))?.cas;
        expect(await put(cache, 'k', 'v')).toBeGreaterThan(Number(amended));
      });
    });

    describe('amendments', () => {
      test('change what is about the value, and leave the rest', async () => {
        await put(cache, 'k', 'v', { kind: 'json', flags: 7 });
        await amend(cache, 'k', { stale: true });
        await amend(cache, 'k', { recaching: true });
        await amend(cache, 'k', { expiresAt: clock.now() + 10 });
        expect(await cache.read('k', false)).toMatchObject({
          value: Buffer.from('v'),
          kind: 'json',
          flags: 7,
          stale: true,
          recaching: true,
          expiresAt: clock.now() + 10,
        });
        await amend(cache, 'k', { stale: false, recaching: false });
        expect(await cache.read('k', false)).toMatchObject({ stale: false, recaching: false });
      });

      test('a new version is neither stale nor recaching unless it says so', async () => {
        await put(cache, 'k', 'v', { stale: true, recaching: true });
        expect(await cache.read('k', false)).toMatchObject({ stale: true, recaching: true });
        await put(cache, 'k', 'v');
        expect(await cache.read('k', false)).toMatchObject({ stale: false, recaching: false });
      });

      test('count as a read only where they do not say otherwise', async () => {
        await put(cache, 'k', 'v');
        await amend(cache, 'k', { fetch: false });
        expect(await cache.read('k', false)).toMatchObject({ fetched: false });
        await amend(cache, 'k', {});
        expect(await cache.read('k', false)).toMatchObject({ fetched: true });
      });

      test('leave an item read that was stored as read', async () => {
        await put(cache, 'k', 'v', { fetched: true });
        expect(await cache.read('k', false)).toMatchObject({ fetched: true });
        await put(cache, 'k', 'w');
        expect(await cache.read('k', false)).toMatchObject({ fetched: false });
      });

      test('count as a use unless they say no', async () => {
        const writtenAt = clock.now();
        await put(cache, 'k', 'v');
        clock.advance(2000);
        for (const expiresAt of [undefined, clock.now() + 9000, NEVER]) {
          await amend(cache, 'k', { use: false, expiresAt });
          expect(await cache.read('k', false)).toMatchObject({ fetched: false, accessedAt: writtenAt });
        }
        await amend(cache, 'k', {});
        expect(await cache.read('k', false)).toMatchObject({ accessedAt: writtenAt + 2000 });
      });
    });

    describe('expiry', () => {
      const lives = 12_345;

      beforeEach(async () => {
        await put(cache, 'k', 'v', { expiresAt: clock.now() + lives });
        await put(cache, 'stays', 'v');
      });

      const observers: [string, () => Promise<unknown>, unknown, unknown][] = [
        ['a read', () => valueAt(cache, 'k'), 'v', undefined],
        [
          'a decision',
          async () => cache.update('k', (current) => ({ action: 'keep', outcome: current !== undefined })),
          true,
          false,
        ],
        ['the item count', async () => (await cache.info())?.items, 2, 1],
        ['the list of keys', async () => (await keysOf(cache)).sort(), ['k', 'stays'], ['stays']],
        ['the totals', async () => (await store.totals()).items, 2, 1],
        [
          'the list of caches',
          async () => (await store.list(PROJECT, 0, 9)).map(({ items }) => items),
          [2],
          [1],
        ],
      ];
      test.each(observers)('is exact to the millisecond for %s', async (_name, look, before, after) => {
        clock.advance(lives - 1);
        expect(await look()).toEqual(before);
        clock.advance(1);
        expect(await look()).toEqual(after);
      });

      test('an item that never expires is there after a hundred years', async () => {
        clock.advance(100 * 365 * 86_400_000);
        expect(await valueAt(cache, 'stays')).toBe('v');
      });

      test('a later write or amendment decides, whether it gives more time or less', async () => {
        const start = clock.now();
        for (const key of ['a', 'b', 'c', 'd']) await put(cache, key, 'v', { expiresAt: start + 2000 });
        await put(cache, 'a', 'w', { expiresAt: NEVER });
        await put(cache, 'b', 'w', { expiresAt: start + 1001 });
        await amend(cache, 'c', { expiresAt: NEVER });
        await amend(cache, 'd', { expiresAt: start + 1001 });
        clock.set(start + 1001);
        expect((await keysOf(cache)).sort()).toEqual(['a', 'c', 'k', 'stays']);
        clock.set(start + lives);
        expect((await keysOf(cache)).sort()).toEqual(['a', 'c', 'stays']);
        expect(await cache.info()).toMatchObject({ items: 3 });
      });

      test('an item that was expired when it was written or amended is not there', async () => {
        await put(cache, 'past', 'v', { expiresAt: clock.now() - 1 });
        await put(cache, 'long past', 'v', { expiresAt: 0 });
        await put(cache, 'now', 'v', { expiresAt: clock.now() });
        await amend(cache, 'k', { expiresAt: clock.now() });
        expect(await keysOf(cache)).toEqual(['stays']);
        expect(await cache.info()).toMatchObject({ items: 1 });
        for (const key of ['past', 'long past', 'now', 'k'])
          expect(await valueAt(cache, key)).toBeUndefined();
      });

      test('what expired comes back as memory by sweeping alone', async () => {
        await remove(cache, 'stays');
        const before = await bytesKept();
        expect(before).toBeGreaterThan(0);
        clock.advance(lives);
        await sweepAll(store);
        expect(await store.totals()).toMatchObject({ bytes: 0, items: 0, expirations: 1 });
      });

      test('is counted once, by its cache and in all', async () => {
        clock.advance(lives);
        await valueAt(cache, 'k');
        await valueAt(cache, 'k');
        await sweepAll(store);
        expect(await cache.info()).toMatchObject({ expirations: 1, evictions: 0 });
        expect(cache.glance()).toEqual(await cache.info());
        expect(await store.totals()).toMatchObject({ expirations: 1, evictions: 0 });
      });

      test('thousands that expire in the same second are all gone, by the millisecond', async () => {
        const start = clock.now();
        for (let i = 0; i < 5000; i++)
          await put(cache, `n${i}`, 'v', { expiresAt: start + 3000 + (i % 1000) });
        clock.set(start + 3499);
        expect((await cache.info())?.items).toBe(2 + 2500);
        clock.set(start + 3999);
        expect((await cache.info())?.items).toBe(2);
        await sweepAll(store);
        expect(await keysOf(cache)).toHaveLength(2);
      });
    });

    describe('caches', () => {
      test('the first write makes a cache, with an id of 24 hexadecimal digits', async () => {
        expect(await cache.info()).toBeUndefined();
        expect(await keysOf(cache)).toEqual([]);
        await put(cache, 'k', 'v');
        expect(await cache.info()).toMatchObject({
          id: expect.stringMatching(/^[0-9a-f]{24}$/),
          projectId: PROJECT,
          name: 'c',
          items: 1,
        });
      });

      test('the id stays through writes, clearing and emptiness', async () => {
        await put(cache, 'k', 'v');
        const id = (await cache.info())?.id;
        await remove(cache, 'k');
        await cache.clear();
        expect(await cache.info()).toMatchObject({ id, items: 0, bytes: 0 });
      });

      test('to delete a cache takes its items and its place in the list', async () => {
        await put(cache, 'k', 'v');
        expect(await cache.delete()).toBe(true);
        expect(await cache.info()).toBeUndefined();
        expect(await valueAt(cache, 'k')).toBeUndefined();
        expect(await keysOf(cache)).toEqual([]);
        expect(await store.list(PROJECT, 0, 9)).toEqual([]);
        expect((await store.totals()).items).toBe(0);
        expect(await cache.delete()).toBe(false);
      });

      test('a handle goes on after the deletion, and the next write makes the cache anew', async () => {
        await put(cache, 'k', 'v');
        const other = store.cache(PROJECT, 'c');
        await valueAt(other, 'k');
        const before = await cache.info();
        await other.delete();
        await put(cache, 'l', 'w');
        expect((await cache.info())?.id).not.toBe(before?.id);
        expect(await cache.info()).toMatchObject({ items: 1, evictions: 0, expirations: 0 });
        expect(await valueAt(other, 'l')).toBe('w');
        expect(await valueAt(other, 'k')).toBeUndefined();
      });

      test('two projects with the same cache and key names never see each other', async () => {
        const others = store.cache(OTHER_PROJECT, 'c');
        await put(cache, 'k', 'mine');
        expect(await valueAt(others, 'k')).toBeUndefined();
        await put(others, 'k', 'theirs');
        expect(await valueAt(cache, 'k')).toBe('mine');
        await others.clear();
        expect(await valueAt(cache, 'k')).toBe('mine');
        await put(others, 'k', 'theirs');
        await cache.delete();
        expect(await valueAt(others, 'k')).toBe('theirs');
        expect(await store.list(PROJECT, 0, 9)).toEqual([]);
        expect(await store.list(OTHER_PROJECT, 0, 9)).toHaveLength(1);
      });

      test('a page lists caches by name, in an order that stays', async () => {
        const names = ['b', 'a b', 'é', 'B', 'a', '10', '9', '__proto__'];
        for (const name of names) await put(store.cache(PROJECT, name), 'k', 'v');
        const sorted = [...names].sort();
        const page = async (skip: number, limit: number) =>
          (await store.list(PROJECT, skip, limit)).map(({ name }) => name);
        expect(await page(0, 100)).toEqual(sorted);
        expect([...(await page(0, 3)), ...(await page(3, 3)), ...(await page(6, 3))]).toEqual(sorted);
        expect(await page(8, 3)).toEqual([]);
        const behind = async (name: string, skip: number) =>
          (await store.list(PROJECT, skip, 2, name)).map((each) => each.name);
        for (const [place, name] of sorted.entries()) {
          expect(await behind(name, 0)).toEqual(sorted.slice(place + 1, place + 3));
          expect(await behind(name, 2)).toEqual(sorted.slice(place + 3, place + 5));
        }
        // No cache need have the name.
        expect(await behind('a a', 0)).toEqual(['a b', 'b']);
        await put(store.cache(PROJECT, 'a'), 'more', 'v');
        expect(await page(0, 100)).toEqual(sorted);
        await store.cache(PROJECT, 'a').delete();
        expect(await page(0, 100)).toEqual(sorted.filter((name) => name !== 'a'));
      });

      test('a page says of each cache what the cache says of itself', async () => {
        await put(cache, 'k', 'v');
        await put(store.cache(PROJECT, 'd'), 'k', 'v');
        const infos = [await cache.info(), await store.cache(PROJECT, 'd').info()];
        expect(await store.list(PROJECT, 0, 9)).toEqual(infos);
      });

      test('the totals are the sums of all caches', async () => {
        const caches = [cache, store.cache(PROJECT, 'd'), store.cache(OTHER_PROJECT, 'c')];
        for (const each of caches) for (let i = 0; i < 50; i++) await put(each, `k${i}`, 'v'.repeat(i));
        const infos = await Promise.all(caches.map((each) => each.info()));
        const bytes = infos.reduce((sum, info) => sum + (info?.bytes ?? 0), 0);
        expect(await store.totals()).toMatchObject({ items: 150, bytes });
      });

      test('a project without caches lists none', async () => {
        await put(cache, 'k', 'v');
        expect(await store.list(OTHER_PROJECT, 0, 9)).toEqual([]);
      });

      test('more caches than a project may have are refused, and the others go on', async () => {
        await restart({ cachesMax: 2 });
        await put(cache, 'k', 'v');
        await put(store.cache(PROJECT, 'd'), 'k', 'v');
        const third = store.cache(PROJECT, 'e');
        expect(await refusal(() => put(third, 'k', 'v'))).toBe('too_many_caches');
        expect(await third.info()).toBeUndefined();
        await put(cache, 'l', 'v');
        await put(store.cache(OTHER_PROJECT, 'e'), 'k', 'v');
        await cache.delete();
        await put(third, 'k', 'v');
        expect(await valueAt(third, 'k')).toBe('v');
      });
    });

    describe('clearing', () => {
      test('removes all items of this cache at once', async () => {
        for (const key of ['a', 'b']) await put(cache, key, 'v');
        await put(store.cache(PROJECT, 'd'), 'a', 'v');
        expect(await cache.clear()).toBe(true);
        expect(await cache.info()).toMatchObject({ items: 0, bytes: 0, evictions: 0, expirations: 0 });
        expect(await keysOf(cache)).toEqual([]);
        expect(await valueAt(cache, 'a')).toBeUndefined();
        expect(await store.totals()).toMatchObject({ items: 1, evictions: 0, expirations: 0 });
        await put(cache, 'a', 'new');
        await sweepAll(store);
        expect(await keysOf(cache)).toEqual(['a']);
        expect(await valueAt(store.cache(PROJECT, 'd'), 'a')).toBe('v');
      });

      test('gives the memory back by sweeping, however much was cleared', async () => {
        for (let i = 0; i < 5000; i++) await put(cache, `k${i}`, 'v');
        await cache.clear();
        await put(cache, 'k', 'v');
        const one = (await cache.info())?.bytes;
        await sweepAll(store);
        expect(await bytesKept()).toBe(one);
        await cache.delete();
        await sweepAll(store);
        expect(await bytesKept()).toBe(0);
      });

      test('leaves nothing that could expire later', async () => {
        await put(cache, 'k', 'v', { expiresAt: clock.now() + 1000 });
        await cache.clear();
        clock.advance(1000);
        await sweepAll(store);
        expect(await store.totals()).toMatchObject({ items: 0, expirations: 0 });
        expect(await cache.info()).toMatchObject({ expirations: 0 });
      });

      test('of a cache that does not exist says so, and makes none', async () => {
        expect(await cache.clear()).toBe(false);
        expect(await cache.clear(clock.now() + 1)).toBe(false);
        expect(await cache.info()).toBeUndefined();
        clock.advance(2);
        await put(cache, 'k', 'v');
        expect(await valueAt(cache, 'k')).toBe('v');
      });

      describe('at a later time', () => {
        beforeEach(async () => {
          await put(cache, 'before', 'v');
          await cache.clear(clock.now() + 1000);
          await put(cache, 'after', 'v');
        });

        const observers: [string, () => Promise<unknown>, unknown, unknown][] = [
          ['a read', () => valueAt(cache, 'before'), 'v', undefined],
          ['the item count', async () => (await cache.info())?.items, 2, 0],
          ['the list of keys', async () => (await keysOf(cache)).sort(), ['after', 'before'], []],
          ['the totals', async () => (await store.totals()).items, 2, 0],
        ];
        test.each(observers)('is exact to the millisecond for %s', async (_name, look, before, after) => {
          clock.advance(999);
          expect(await look()).toEqual(before);
          clock.advance(1);
          expect(await look()).toEqual(after);
        });

        test('leaves alone what is written from that time on', async () => {
          clock.advance(1000);
          await put(cache, 'k', 'v');
          clock.advance(1000);
          await sweepAll(store);
          expect(await keysOf(cache)).toEqual(['k']);
          expect(await store.totals()).toMatchObject({ items: 1, evictions: 0, expirations: 0 });
        });

        test('gives way to a later word about when', async () => {
          await cache.clear(clock.now() + 5000);
          clock.advance(4999);
          expect(await cache.info()).toMatchObject({ items: 2 });
          clock.advance(1);
          expect(await cache.info()).toMatchObject({ items: 0 });
        });

        test('cannot be put off once it has passed', async () => {
          clock.advance(1000);
          await cache.clear(clock.now() + 5000);
          expect(await keysOf(cache)).toEqual([]);
        });

        test('is over with when the cache is cleared at once', async () => {
          await cache.clear();
          await put(cache, 'k', 'v');
          clock.advance(1000);
          expect(await keysOf(cache)).toEqual(['k']);
        });

        test('does not reach a new cache of that name', async () => {
          await cache.delete();
          await put(cache, 'k', 'v');
          clock.advance(1000);
          expect(await keysOf(cache)).toEqual(['k']);
        });

        test('that has passed already is now', async () => {
          await cache.clear(clock.now());
          expect(await keysOf(cache)).toEqual([]);
        });
      });
    });

    describe('listing while items change', () => {
      test('shows everything that stays exactly once, and nothing that has gone', async () => {
        for (let i = 0; i < 200; i++) await put(cache, `k${i}`, 'v');
        const removed = new Set<string>();
        const seen: string[] = [];
        for await (const { key } of cache.list()) {
          expect(removed).not.toContain(key);
          seen.push(key);
          const number = Number(key.slice(1));
          if (number % 2 !== 0 || number >= 200) continue;
          await remove(cache, `k${number + 1}`);
          removed.add(`k${number + 1}`);
          await put(cache, `k${(number + 10) % 200}`, 'overwritten with something longer');
          if (number < 10) await put(cache, `k${1000 + number}`, 'new');
        }
        const staying = Array.from({ length: 100 }, (_, i) => `k${2 * i}`);
        expect(seen.filter((key) => staying.includes(key)).sort()).toEqual(staying.sort());
        expect(new Set(seen).size).toBe(seen.length);
      });

      test('ends when the cache is cleared or deleted', async () => {
        for (const end of [() => cache.clear(), () => cache.delete()]) {
          for (let i = 0; i < 10; i++) await put(cache, `k${i}`, 'v');
          const seen: string[] = [];
          for await (const { key } of cache.list()) {
            seen.push(key);
            if (seen.length === 3) await end();
          }
          expect(seen).toHaveLength(3);
        }
      });

      test('shows nothing that expired in the meantime', async () => {
        for (let i = 0; i < 10; i++) await put(cache, `k${i}`, 'v', { expiresAt: clock.now() + 1000 });
        const seen: string[] = [];
        for await (const { key } of cache.list()) {
          seen.push(key);
          if (seen.length === 4) clock.advance(1000);
        }
        expect(seen).toHaveLength(4);
      });
    });

    describe('memory', () => {
      const bytesMax = 4 * MIB;
      const value = Buffer.alloc(10_000, 'v');
      const keyOf = (i: number) => `key-${String(i).padStart(6, '0')}`;

      beforeEach(() => restart({ bytesMax }));

      // Writes items of one size until the first had to go, and says how many there were before.
      async function fill(): Promise<number> {
        for (let i = 0; i < 10_000; i++) {
          await put(cache, keyOf(i), value);
          if ((await store.totals()).evictions > 0) return i;
        }
        throw new RangeError('nothing was ever evicted');
      }

      test('an item takes its key, its value and something more', async () => {
        await put(cache, 'four', Buffer.alloc(1000));
        const first = await bytesKept();
        expect(first).toBeGreaterThan(1004);
        expect((await cache.info())?.bytes).toBe(first);
        await put(cache, 'five!', Buffer.alloc(2000));
        expect((await bytesKept()) - first).toBeGreaterThan(2005);
      });

      test('follows each overwriting, and comes back whole', async () => {
        await put(cache, 'k', '');
        const empty = await bytesKept();
        for (const size of [10_000, 333, 200_000, 1, 10_000]) {
          await put(cache, 'k', Buffer.alloc(size));
          expect(await bytesKept()).toBeGreaterThan(size);
          expect((await cache.info())?.bytes).toBe(await bytesKept());
          await put(cache, 'k', '');
          expect(await bytesKept()).toBe(empty);
        }
        await remove(cache, 'k');
        expect(await bytesKept()).toBe(0);
        expect((await cache.info())?.bytes).toBe(0);
      });

      test('is made as well when an item is overwritten by a larger one', async () => {
        for (let i = 0; i < 100; i++) await put(cache, keyOf(i), '');
        for (let i = 0; i < 100; i++) await put(cache, keyOf(i), Buffer.alloc(100_000));
        const { bytes, items } = await store.totals();
        expect(bytes).toBeLessThanOrEqual(bytesMax);
        expect(items).toBeLessThan(bytesMax / 100_000);
        expect(await keysOf(cache)).toHaveLength(items);
        expect(await cache.read(keyOf(99), false)).toBeDefined();
      });

      test('stays within the limit, whatever is written', async () => {
        const sizes = [100_000, 10, 3_000, 900_000, 0, 50_000, 50_001, 1_500_000];
        for (let i = 0; i < 300; i++) {
          await put(cache, keyOf((i * 7) % 90), Buffer.alloc(sizes[i % sizes.length] ?? 0));
          expect(await bytesKept()).toBeLessThanOrEqual(bytesMax);
        }
        const { bytes, items, evictions } = await store.totals();
        expect(evictions).toBeGreaterThan(0);
        expect(await cache.info()).toMatchObject({ bytes, items, evictions });
        expect(await keysOf(cache)).toHaveLength(items);
      });

      test('of a full store is used, not wasted', async () => {
        const count = await fill();
        expect(count * value.length).toBeGreaterThan(bytesMax * 0.8);
      });

      test('is made by the least recently used item', async () => {
        const count = await fill();
        expect(await valueAt(cache, keyOf(0))).toBeUndefined();
        for (let i = 1; i <= 5; i++) {
          await put(cache, keyOf(count + i), value);
          expect(await cache.read(keyOf(i), false)).toBeUndefined();
          expect(await cache.read(keyOf(i + 1), false)).toBeDefined();
        }
      });

      test('is not made by an item that was read or amended, but by one that was only looked at', async () => {
        const count = await fill();
        await cache.read(keyOf(1), true);
        await cache.read(keyOf(2), false);
        await amend(cache, keyOf(3), {});
        await amend(cache, keyOf(4), { use: false });
        await put(cache, keyOf(5), value);
        for (let i = 1; i <= 3; i++) await put(cache, keyOf(count + i), value);
        const there = await Promise.all(
          [1, 2, 3, 4, 5, 6].map(async (i) => (await cache.read(keyOf(i), false)) !== undefined),
        );
        expect(there).toEqual([true, false, true, false, true, false]);
      });

      test('is made by an item that was only given another expiry as by one that was left alone', async () => {
        const count = await fill();
        const unused = { use: false, expiresAt: clock.now() + 1000 };
        for (const i of [2, 4, 1]) await amend(cache, keyOf(i), unused);
        for (let i = 1; i <= 5; i++) {
          await put(cache, keyOf(count + i), value);
          expect(await cache.read(keyOf(i), false)).toBeUndefined();
          expect(await cache.read(keyOf(i + 1), false)).toBeDefined();
        }
      });

      test('may be made by the items of another cache, which counts them', async () => {
        const other = store.cache(PROJECT, 'd');
        for (let i = 0; i < 3; i++) await put(other, keyOf(i), value);
        clock.advance(1000);
        await fill();
        expect(await other.info()).toMatchObject({ items: 2, evictions: 1 });
        expect(await cache.info()).toMatchObject({ evictions: 0 });
        expect(await store.totals()).toMatchObject({ evictions: 1 });
      });

      test('the item count stays exact through evictions', async () => {
        const count = await fill();
        for (let i = 0; i < 100; i++) await put(cache, keyOf(count + 1 + i), value);
        const { items } = await store.totals();
        expect(items).toBe(count);
        expect(await cache.info()).toMatchObject({ items, evictions: 101 });
        expect(await keysOf(cache)).toHaveLength(items);
      });

      test('is taken by no item for what others were before they became small', async () => {
        for (let i = 0; i < 9; i++) {
          await put(cache, keyOf(i), Buffer.alloc(bytesMax / 4));
          await put(cache, keyOf(i), '');
        }
        expect(await keysOf(cache)).toHaveLength(9);
        expect(await cache.info()).toMatchObject({ items: 9, evictions: 0 });
      });

      test('an item larger than the limit is refused, and what was there stays', async () => {
        await put(cache, 'k', 'v');
        expect(await refusal(() => put(cache, 'k', Buffer.alloc(bytesMax)))).toBe('out_of_memory');
        expect(await refusal(() => put(cache, 'l', Buffer.alloc(bytesMax)))).toBe('out_of_memory');
        expect(await keysOf(cache)).toEqual(['k']);
        expect(await valueAt(cache, 'k')).toBe('v');
        expect(await store.totals()).toMatchObject({ evictions: 0 });
      });

      test('a first write that is refused makes no cache', async () => {
        expect(await refusal(() => put(cache, 'k', Buffer.alloc(bytesMax)))).toBe('out_of_memory');
        expect(await cache.info()).toBeUndefined();
        expect(await store.list(PROJECT, 0, 9)).toEqual([]);
      });

      test('that was cleared, deleted or expired can be filled again, without evictions', async () => {
        const count = (await fill()) - 1;
        for (const free of [() => cache.clear(), () => cache.delete(), () => clock.advance(1000)]) {
          await cache.clear();
          await sweepAll(store);
          for (let i = 0; i < count; i++)
            await put(cache, keyOf(i), value, { expiresAt: clock.now() + 1000 });
          await free();
          await sweepAll(store);
          expect(await bytesKept()).toBe(0);
        }
        expect(await store.totals()).toMatchObject({ evictions: 1, expirations: count });
      });

      test('that is taken from cleared items is no eviction', async () => {
        const count = await fill();
        await cache.clear();
        for (let i = 0; i < count; i++) await put(cache, keyOf(i), value);
        expect(await cache.info()).toMatchObject({ items: count, evictions: 1 });
        expect(await store.totals()).toMatchObject({ items: count, evictions: 1 });
      });

      test('that is taken from expired items is no eviction', async () => {
        const count = await fill();
        await cache.clear();
        await sweepAll(store);
        for (let i = 0; i < count; i++) await put(cache, keyOf(i), value, { expiresAt: clock.now() + 1000 });
        clock.advance(1000);
        for (let i = 0; i < count; i++) await put(cache, keyOf(count + i), value);
        expect(await cache.info()).toMatchObject({ items: count, evictions: 1, expirations: count });
      });

      test('says what its limit is', async () => {
        expect((await store.totals()).bytesMax).toBe(bytesMax);
      });
    });

    describe('who makes room', () => {
      const bytesMax = 4 * MIB;
      const value = Buffer.alloc(10_000, 'v');

      beforeEach(() => restart({ bytesMax }));

      // Writes so many items, all under keys of their own.
      async function write(target: StoredCache, count: number, name = 'key'): Promise<void> {
        for (let i = 0; i < count; i++) await put(target, `${name}-${i}`, value);
      }

      const heldBy = async (target: StoredCache) => ((await target.info())?.bytes ?? 0) / bytesMax;

      test("one project's flood takes nothing from another below its share", async () => {
        const modest = store.cache(OTHER_PROJECT, 'c');
        await write(modest, 100);
        clock.advance(60_000);
        await write(cache, 2000);
        expect(await modest.info()).toMatchObject({ items: 100, evictions: 0 });
        expect((await cache.info())?.evictions).toBeGreaterThan(1000);
      });

      test('a project that comes later gets its share from those above theirs', async () => {
        await write(cache, 1000);
        const late = store.cache(OTHER_PROJECT, 'c');
        await write(late, 1000);
        expect(await heldBy(late)).toBeGreaterThan(0.4);
        expect(await heldBy(cache)).toBeGreaterThan(0.4);
      });

      test('projects with quotas share by them', async () => {
        store.setQuota(PROJECT, { bytesMax: 4 * bytesMax });
        store.setQuota(OTHER_PROJECT, { bytesMax });
        const small = store.cache(OTHER_PROJECT, 'c');
        await write(cache, 1000);
        await write(small, 1000);
        await write(cache, 1000, 'more');
        expect(await heldBy(cache)).toBeGreaterThan(0.7);
        expect(await heldBy(small)).toBeGreaterThan(0.15);
      });

      test('twenty projects that all write get about the same', async () => {
        const all = Array.from({ length: 20 }, (_, i) => store.cache(String(i).padStart(24, '0'), 'c'));
        for (let i = 0; i < 50; i++) for (const each of all) await put(each, `key-${i}`, value);
        const items = await Promise.all(all.map(async (each) => (await each.info())?.items ?? 0));
        expect(Math.min(...items)).toBeGreaterThan(Math.max(...items) * 0.6);
      });

      test('those go on making room who hold something, when another has none any more', async () => {
        await put(cache, 'k', 'v');
        const full = store.cache(OTHER_PROJECT, 'c');
        await write(full, 300);
        await remove(cache, 'k');
        const late = store.cache('c3'.repeat(12), 'c');
        await write(late, 150);
        expect(await late.info()).toMatchObject({ items: 150, evictions: 0 });
        expect((await full.info())?.evictions).toBeGreaterThan(0);
      });

      test('one of very many projects that deletes its items makes room for nobody any more', async () => {
        const small = Array.from({ length: 200 }, (_, i) => store.cache(String(i).padStart(24, '0'), 'c'));
        for (const each of small) await put(each, 'k', 'v');
        // Up to some moment at which it was found to hold most.
        await write(cache, 1000);
        for (const key of await keysOf(cache)) if (key !== 'key-999') await remove(cache, key);
        const next = store.cache(OTHER_PROJECT, 'c');
        expect(await refusal(() => write(next, 1000))).toBeUndefined();
        for (const each of [cache, ...small]) expect(await each.info()).toMatchObject({ items: 1 });
      });

      test('a cache that evicts nothing keeps all it has, and refuses what does not fit', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        let stored = 0;
        while ((await refusal(() => put(cache, `key-${stored}`, value))) === undefined) stored++;
        expect(stored * value.length).toBeGreaterThan(bytesMax * 0.8);
        expect(await refusal(() => put(cache, 'another', value))).toBe('out_of_memory');
        // What is there may be overwritten, and a refusal leaves it as it was.
        expect(await refusal(() => put(cache, 'key-0', Buffer.alloc(10_000, 'w')))).toBeUndefined();
        expect(await refusal(() => put(cache, 'key-0', Buffer.alloc(200_000)))).toBe('out_of_memory');
        expect(await valueAt(cache, 'key-0')).toBe('w'.repeat(10_000));
        expect(await keysOf(cache)).toHaveLength(stored);
        expect(await cache.info()).toMatchObject({ items: stored, evictions: 0 });
        await remove(cache, 'key-1');
        expect(await refusal(() => put(cache, 'another', value))).toBeUndefined();
      });

      test('what does not fit takes nothing of the room that others need', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        let stored = 0;
        while ((await refusal(() => put(cache, `key-${stored}`, value))) === undefined) stored++;
        for (let i = 0; i < stored / 2; i++) await remove(cache, `key-${i}`);
        const large = Buffer.alloc(bytesMax * 0.8);
        for (let i = 0; i < 3; i++) expect(await refusal(() => put(cache, 'l', large))).toBe('out_of_memory');
        expect(await refusal(() => write(cache, Math.floor(stored / 2)))).toBeUndefined();
      });

      test('a cache that evicts nothing has room as soon as its items have expired, however many do together', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        const options = { expiresAt: clock.now() + 3000 };
        for (let i = 0; (await refusal(() => put(cache, `key-${i}`, value, options))) === undefined; i++);
        clock.advance(3000);
        expect(await refusal(() => put(cache, 'another', value))).toBeUndefined();
      });

      test('is what was to be cleared by now, and nothing else', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        const others = store.cache(OTHER_PROJECT, 'c');
        await write(others, 20);
        for (let i = 0; (await refusal(() => put(cache, `key-${i}`, value))) === undefined; i++);
        const { evictions = 0 } = (await others.info()) ?? {};
        await cache.clear(clock.now() + 1000);
        clock.advance(1000);
        expect(await refusal(() => write(others, 100, 'more'))).toBeUndefined();
        expect(await others.info()).toMatchObject({ items: 120 - evictions, evictions });
      });

      test('a cache that evicts nothing is given room by those that do', async () => {
        store.configure(PROJECT, 'kept', { policy: 'none', quota: {} });
        await write(cache, 1000);
        const kept = store.cache(PROJECT, 'kept');
        await write(kept, 200);
        await write(cache, 1000);
        expect(await kept.info()).toMatchObject({ items: 200, evictions: 0 });
      });

      test('a cache that evicts nothing takes nothing from a project below its share', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        const modest = store.cache(OTHER_PROJECT, 'c');
        await write(modest, 100);
        let stored = 0;
        while ((await refusal(() => put(cache, `key-${stored}`, value))) === undefined) stored++;
        expect(await modest.info()).toMatchObject({ items: 100, evictions: 0 });
        // And the others go on within what they have.
        await write(modest, 200, 'more');
        expect((await modest.info())?.items).toBeGreaterThan(90);
      });

      test('nothing makes room for what would not fit even if all went that may', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        await write(cache, 260);
        await put(cache, 'large', Buffer.alloc(500_000));
        const others = store.cache(OTHER_PROJECT, 'c');
        await write(others, 20);
        const stranger = store.cache('c3'.repeat(12), 'c');
        const large = Buffer.alloc(1_000_000);
        for (const writer of [stranger, others]) {
          expect(await refusal(() => put(writer, 'key-0', large))).toBe('out_of_memory');
        }
        expect(await refusal(() => put(cache, 'large', Buffer.alloc(1_500_000)))).toBe('out_of_memory');
        expect(await others.info()).toMatchObject({ items: 20, evictions: 0 });
        // That holds by what there is now.
        await remove(cache, 'large');
        expect(await refusal(() => put(stranger, 'k', large))).toBeUndefined();
        store.configure(PROJECT, 'c', undefined);
        expect(await refusal(() => put(stranger, 'k', Buffer.alloc(3_000_000)))).toBeUndefined();
      });

      test('a policy may change while there are items', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        await write(cache, 300);
        store.configure(PROJECT, 'c', undefined);
        await write(cache, 300, 'more');
        expect((await cache.info())?.evictions).toBeGreaterThan(100);
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        expect(await refusal(() => write(cache, 300, 'again'))).toBe('out_of_memory');
      });
    });

    describe('quotas', () => {
      const value = Buffer.alloc(1000, 'v');

      async function write(target: StoredCache, count: number): Promise<void> {
        for (let i = 0; i < count; i++) await put(target, `key-${i}`, value);
      }

      test.each(['cache', 'project'])('of items hold for a %s, which evicts its oldest', async (whose) => {
        const quota = { itemsMax: 10 };
        if (whose === 'cache') store.configure(PROJECT, 'c', { policy: 'lru', quota });
        else store.setQuota(PROJECT, quota);
        const stranger = store.cache(OTHER_PROJECT, 'c');
        await write(stranger, 20);
        await write(cache, 30);
        expect(await cache.info()).toMatchObject({ items: 10, evictions: 20 });
        expect((await keysOf(cache)).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `key-${20 + i}`));
        expect(await stranger.info()).toMatchObject({ items: 20 });
        // To overwrite needs no room.
        await put(cache, 'key-20', 'new');
        expect(await cache.info()).toMatchObject({ items: 10, evictions: 20 });
      });

      test.each(['cache', 'project'])('of bytes hold for a %s, which evicts its oldest', async (whose) => {
        const quota = { bytesMax: 20_000 };
        if (whose === 'cache') store.configure(PROJECT, 'c', { policy: 'lru', quota });
        else store.setQuota(PROJECT, quota);
        await write(cache, 100);
        const { items = 0, bytes = 0 } = (await cache.info()) ?? {};
        expect(bytes).toBeLessThanOrEqual(20_000);
        expect(items).toBeGreaterThan(10);
        expect(await valueAt(cache, 'key-99')).toBeDefined();
        // An item that alone is too much is refused, and nothing goes for it.
        expect(await refusal(() => put(cache, 'key-99', Buffer.alloc(20_000)))).toBe('over_quota');
        expect(await cache.info()).toMatchObject({ items, bytes });
        // A larger version of an item evicts others, and in the end its own older one.
        await put(cache, 'key-99', Buffer.alloc(19_000));
        expect(await keysOf(cache)).toEqual(['key-99']);
      });

      test('hold when the oldest item is overwritten by a larger one', async () => {
        store.configure(PROJECT, 'c', { policy: 'lru', quota: { bytesMax: 20_000 } });
        await write(cache, 100);
        const [oldest = ''] = (await keysOf(cache)).sort();
        await put(cache, oldest, Buffer.alloc(10_000));
        expect((await cache.info())?.bytes).toBeLessThanOrEqual(20_000);
        expect((await cache.read(oldest, false))?.valueLength).toBe(10_000);
        store.configure(PROJECT, 'c', { policy: 'lru', quota: { itemsMax: 1 } });
        for (let i = 0; i < 3; i++) await put(cache, 'k', 'v');
        expect(await keysOf(cache)).toEqual(['k']);
      });

      test('are for all caches of a project together', async () => {
        store.setQuota(PROJECT, { itemsMax: 10 });
        const second = store.cache(PROJECT, 'd');
        await write(cache, 8);
        clock.advance(1000);
        await write(second, 8);
        expect(await cache.info()).toMatchObject({ items: 2 });
        expect(await second.info()).toMatchObject({ items: 8 });
      });

      test('let go what is cleared, and only once, whenever it is freed', async () => {
        store.setQuota(PROJECT, { itemsMax: 10 });
        const second = store.cache(PROJECT, 'd');
        await write(second, 6);
        await second.clear();
        await write(cache, 10);
        expect(await cache.info()).toMatchObject({ items: 10, evictions: 0 });
        await sweepAll(store);
        clock.advance(1000);
        await put(second, 'k', 'v');
        expect(await cache.info()).toMatchObject({ items: 9, evictions: 1 });
      });

      test('refuse where nothing may be evicted, and let go what is deleted', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: { itemsMax: 3 } });
        await write(cache, 3);
        expect(await refusal(() => put(cache, 'more', 'x'))).toBe('over_quota');
        expect((await keysOf(cache)).sort()).toEqual(['key-0', 'key-1', 'key-2']);
        await remove(cache, 'key-1');
        await put(cache, 'more', 'x');
        await cache.clear();
        await write(cache, 3);
        expect(await cache.info()).toMatchObject({ items: 3, evictions: 0 });
      });

      test('let nothing go for what would be too much even if all went that may', async () => {
        const evicting = store.cache(PROJECT, 'evicting');
        store.setQuota(PROJECT, { bytesMax: 100_000 });
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        await put(cache, 'large', Buffer.alloc(50_000));
        await put(evicting, 'k', Buffer.alloc(20_000));
        await put(evicting, 'l', value);
        for (const key of ['k', 'new']) {
          expect(await refusal(() => put(evicting, key, Buffer.alloc(60_000)))).toBe('over_quota');
          expect(await refusal(() => put(cache, key, Buffer.alloc(60_000)))).toBe('over_quota');
        }
        expect((await keysOf(evicting)).sort()).toEqual(['k', 'l']);
        // That holds by the policy that there is now.
        store.configure(PROJECT, 'c', { policy: 'lru', quota: {} });
        await put(evicting, 'new', Buffer.alloc(60_000));
        expect(await keysOf(cache)).toEqual([]);
        await put(evicting, 'l', value);
        store.configure(PROJECT, 'evicting', { policy: 'none', quota: {} });
        expect(await refusal(() => put(cache, 'large', Buffer.alloc(50_000)))).toBe('over_quota');
        await evicting.clear();
        await put(cache, 'large', Buffer.alloc(50_000));
        // What replaces an item that evicts nothing needs only what it is larger by.
        store.configure(PROJECT, 'c', { policy: 'none', quota: {} });
        store.configure(PROJECT, 'evicting', undefined);
        await put(evicting, 'k', Buffer.alloc(45_000));
        await put(cache, 'large', Buffer.alloc(60_000));
        expect(await keysOf(evicting)).toEqual([]);
        // And it may take all that there is.
        const { bytes: bytesMax = 0 } = (await cache.info()) ?? {};
        await put(cache, 'large', Buffer.alloc(50_000));
        store.setQuota(PROJECT, { bytesMax });
        await put(evicting, 'k', value);
        await put(cache, 'large', Buffer.alloc(60_000));
        expect(await cache.info()).toMatchObject({ items: 1, bytes: bytesMax });
      });

      const policies = ['none', 'lru'] as const;
      const cases = ['cache', 'project'].flatMap((whose) =>
        policies.map((policy) => [whose, policy] as const),
      );
      test.each(cases)('of a %s count nothing that has expired, with policy %s', async (whose, policy) => {
        const quota = { itemsMax: 5 };
        store.configure(PROJECT, 'c', { policy, quota: whose === 'cache' ? quota : {} });
        if (whose === 'project') store.setQuota(PROJECT, quota);
        const stranger = store.cache(OTHER_PROJECT, 'c');
        const expiresAt = clock.now() + 1000;
        for (let i = 0; i < 100; i++) await put(stranger, `key-${i}`, 'v', { expiresAt: expiresAt - 1 });
        // What stays was used longest ago, so it would be evicted first.
        for (const key of ['a', 'b']) await put(cache, key, 'v');
        for (const key of ['c', 'd', 'e']) await put(cache, key, 'v', { expiresAt });
        clock.set(expiresAt);
        for (const key of ['f', 'g', 'h']) await put(cache, key, 'v');
        expect((await keysOf(cache)).sort()).toEqual(['a', 'b', 'f', 'g', 'h']);
        expect(await cache.info()).toMatchObject({ evictions: 0, expirations: 3 });
        // Now it is full.
        const answer = await refusal(() => put(cache, 'i', 'v'));
        expect(answer).toBe(policy === 'none' ? 'over_quota' : undefined);
        expect(await cache.info()).toMatchObject({ items: 5 });
      });

      test('of a project count nothing that was to be cleared by now', async () => {
        store.setQuota(PROJECT, { itemsMax: 5 });
        const kept = store.cache(PROJECT, 'kept');
        store.configure(PROJECT, 'kept', { policy: 'none', quota: {} });
        await write(cache, 2);
        await write(kept, 3);
        await kept.clear(clock.now() + 1000);
        clock.advance(999);
        expect(await refusal(() => put(kept, 'more', 'v'))).toBeUndefined();
        expect(await cache.info()).toMatchObject({ items: 1, evictions: 1 });
        clock.advance(1);
        for (const key of ['a', 'b', 'c', 'd']) await put(cache, key, 'v');
        expect(await cache.info()).toMatchObject({ items: 5, evictions: 1 });
      });

      test('of bytes make room for a larger version by what has expired', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: { bytesMax: 20_000 } });
        await put(cache, 'k', Buffer.alloc(1000));
        await put(cache, 'l', Buffer.alloc(15_000), { expiresAt: clock.now() + 1000 });
        expect(await refusal(() => put(cache, 'k', Buffer.alloc(10_000)))).toBe('over_quota');
        clock.advance(1000);
        await put(cache, 'k', Buffer.alloc(10_000, 'w'));
        expect(await valueAt(cache, 'k')).toBe('w'.repeat(10_000));
        expect(await cache.info()).toMatchObject({ items: 1, expirations: 1 });
      });

      test.each(['cache', 'project'])('of bytes for a %s refuse no item another expiry', async (whose) => {
        for (let i = 0; i < 20; i++) await put(cache, `key-${i}`, Buffer.alloc(8 * i));
        const { bytes: bytesMax = 0 } = (await cache.info()) ?? {};
        store.configure(PROJECT, 'c', { policy: 'none', quota: whose === 'cache' ? { bytesMax } : {} });
        if (whose === 'project') store.setQuota(PROJECT, { bytesMax });
        const expiresAt = clock.now() + 1000;
        for (let i = 0; i < 20; i++) await amend(cache, `key-${i}`, { expiresAt });
        expect(await refusal(() => put(cache, 'more', 'x'))).toBe('over_quota');
        expect(await cache.info()).toMatchObject({ items: 20, evictions: 0 });
        clock.set(expiresAt);
        expect(await cache.info()).toMatchObject({ items: 0, bytes: 0 });
      });

      test('that are lowered let nothing go for an item that alone is too much', async () => {
        await write(cache, 20);
        store.setQuota(PROJECT, { bytesMax: 5_000 });
        expect(await refusal(() => put(cache, 'key-0', Buffer.alloc(6_000)))).toBe('over_quota');
        expect(await cache.info()).toMatchObject({ items: 20, evictions: 0 });
      });

      test('that are lowered let a little more go with each write, not all at once', async () => {
        await write(cache, 1000);
        store.setQuota(PROJECT, { itemsMax: 10 });
        await put(cache, 'first', 'x');
        const { items: after = 0 } = (await cache.info()) ?? {};
        expect(after).toBeGreaterThan(900);
        for (let i = 0; i < 100; i++) await put(cache, `more-${i}`, 'x');
        expect(await cache.info()).toMatchObject({ items: 10 });
      });

      test.each([{ itemsMax: 10 }, { bytesMax: 2_000 }])(
        'that are lowered to %o are kept where writes add nothing, too',
        async (quota) => {
          await write(cache, 1000);
          store.setQuota(PROJECT, quota);
          for (let i = 0; i < 100; i++) await put(cache, 'key-999', 'x');
          const { items = 0, bytes = 0 } = (await cache.info()) ?? {};
          expect(items).toBeGreaterThan(0);
          expect(items).toBeLessThanOrEqual(10);
          expect(bytes).toBeLessThanOrEqual(quota.bytesMax ?? bytes);
          expect(await valueAt(cache, 'key-999')).toBe('x');
        },
      );

      test('that are lowered refuse nothing that adds nothing where nothing may be evicted', async () => {
        await write(cache, 20);
        store.configure(PROJECT, 'c', { policy: 'none', quota: { itemsMax: 10, bytesMax: 1_000 } });
        store.setQuota(PROJECT, { itemsMax: 5, bytesMax: 500 });
        await put(cache, 'key-3', 'x');
        expect(await valueAt(cache, 'key-3')).toBe('x');
        expect(await refusal(() => put(cache, 'more', 'x'))).toBe('over_quota');
        expect(await cache.info()).toMatchObject({ items: 20, evictions: 0 });
        // What may be evicted is not refused either, when nothing else can go.
        const evicting = store.cache(PROJECT, 'd');
        store.setQuota(PROJECT, {});
        await put(evicting, 'k', 'x');
        store.setQuota(PROJECT, { itemsMax: 5 });
        await put(evicting, 'k', 'y');
        expect(await valueAt(evicting, 'k')).toBe('y');
      });

      test('say for whom they are and how much they allow', async () => {
        store.configure(PROJECT, 'c', { policy: 'none', quota: { itemsMax: 1, bytesMax: 50_000 } });
        await put(cache, 'k', 'v');
        await expect(put(cache, 'l', 'v')).rejects.toThrow(
          'the cache c may hold at most 50000 bytes and 1 items',
        );
      });

      test('and policies stay when the cache is deleted, and go when they are taken back', async () => {
        const settings = { policy: 'none', quota: { itemsMax: 1 } } as const;
        store.configure(PROJECT, 'c', settings);
        expect(await cache.info()).toBeUndefined();
        await put(cache, 'k', 'v');
        await cache.delete();
        expect(store.settings(PROJECT, 'c')).toEqual(settings);
        await put(cache, 'k', 'v');
        expect(await refusal(() => put(cache, 'l', 'v'))).toBe('over_quota');
        store.configure(PROJECT, 'c', undefined);
        expect(store.settings(PROJECT, 'c')).toEqual({ policy: 'lru', quota: {} });
        await put(cache, 'l', 'v');
        expect(store.settings(OTHER_PROJECT, 'c')).toEqual({ policy: 'lru', quota: {} });
      });
    });

    describe('a journal', () => {
      let record: JournalRecord;
      beforeEach(() => {
        record = new JournalRecord();
        store.journalTo(record);
      });

      async function replayed(): Promise<JournaledStore> {
        const other = open({ now: clock.now });
        record.replay(other.restoration());
        return other;
      }

      test('that is replayed gives the same caches and items', async () => {
        const more = { kind: 'json', flags: 7, expiresAt: clock.now() + 5000, stale: true } as const;
        await put(cache, 'a', 'value', more);
        await put(cache, 'b', 'first');
        await put(cache, 'b', Buffer.alloc(100_000, ALL_BYTES), { recaching: true, fetched: true });
        await put(store.cache(OTHER_PROJECT, 'ä'), 'ü', '1', { cas: 2n ** 64n - 1n });
        clock.advance(1000);
        await put(cache, 'c', '', { expiresAt: NEVER });
        expect(await stateOf(await replayed())).toEqual(await stateOf(store));
        expect(await stateOf(store)).toHaveLength(2 + 4);
      });

      test('is told what is about a value when that changes, and not when an item is but used', async () => {
        for (const key of ['a', 'b', 'c', 'd']) await put(cache, key, 'value');
        await put(cache, 'e', 'value', { expiresAt: clock.now() + 1000 });
        const told = record.length;
        await cache.read('a', true);
        await amend(cache, 'b', { fetch: false });
        expect(record.length).toBe(told);
        await amend(cache, 'a', { expiresAt: clock.now() + 5000 });
        await amend(cache, 'b', { cas: 99, stale: true });
        await amend(cache, 'c', { recaching: true });
        await amend(cache, 'e', { expiresAt: NEVER });
        expect(record.length).toBe(told + 4);
        expect(await stateOf(await replayed())).toEqual(await stateOf(store));
      });

      test('is told what is removed, cleared, deleted and made anew', async () => {
        for (const key of ['a', 'b']) await put(cache, key, 'value');
        const [other, third] = [store.cache(PROJECT, 'other'), store.cache(PROJECT, 'third')];
        await put(other, 'k', 'value');
        await put(third, 'k', 'value');
        await remove(cache, 'a');
        await other.clear();
        await third.delete();
        await put(third, 'l', 'value');
        expect(await stateOf(await replayed())).toEqual(await stateOf(store));
        expect((await other.info())?.id).toBe((await (await replayed()).cache(PROJECT, 'other').info())?.id);
      });

      test('is told when a cache will be cleared, and when it was', async () => {
        await put(cache, 'a', 'value');
        await cache.clear(clock.now() + 1000);
        await put(cache, 'b', 'value');
        const before = await replayed();
        clock.advance(1000);
        await put(cache, 'c', 'value');
        expect(await keysOf(before.cache(PROJECT, 'c'))).toEqual([]);
        expect(await keysOf((await replayed()).cache(PROJECT, 'c'))).toEqual(['c']);
      });

      test('is told what had to make room, so that it does not come back', async () => {
        store.journalTo(undefined);
        await restart({ bytesMax: MIB });
        store.journalTo(record);
        store.configure(PROJECT, 'c', { policy: 'lru', quota: { itemsMax: 5 } });
        for (let i = 0; i < 10; i++) await put(cache, `key-${i}`, 'value');
        for (let i = 0; i < 40; i++)
          await put(store.cache(PROJECT, 'other'), `key-${i}`, Buffer.alloc(50_000));
        const { items, evictions } = await store.totals();
        expect(evictions).toBeGreaterThan(5);
        const other = await replayed();
        expect(await other.totals()).toMatchObject({ items, evictions: 0 });
        expect(await stateOf(other)).toEqual(await stateOf(store));
      });

      test('is told that an item is there which made room for its own expiry', async () => {
        store.journalTo(undefined);
        await restart({ bytesMax: MIB });
        store.journalTo(record);
        await put(cache, 'k', 'value');
        const other = store.cache(PROJECT, 'other');
        for (let i = 0; i < 100; i++) {
          await put(other, `key-${i}`, Buffer.alloc(16_000));
          await cache.read('k', true);
        }
        clock.advance(1000);
        for (const key of await keysOf(other)) await other.read(key, true);
        await amend(cache, 'k', { expiresAt: clock.now() + 1000 });
        const after = (await replayed()).cache(PROJECT, 'c');
        expect(await after.read('k', false)).toMatchObject({ expiresAt: clock.now() + 1000 });
        expect(await valueAt(after, 'k')).toBe('value');
      });

      test('that refuses leaves everything as it was, but for reading', async () => {
        await put(cache, 'a', 'value');
        const before = await stateOf(store);
        record.isRefusing = true;
        for (const change of [
          () => put(cache, 'a', 'new'),
          () => put(store.cache(PROJECT, 'new'), 'a', 'new'),
          () => remove(cache, 'a'),
          () => amend(cache, 'a', { expiresAt: clock.now() }),
          async () => cache.clear(),
          async () => cache.delete(),
        ]) {
          expect(await refusal(change)).toBe('store_unavailable');
        }
        await amend(cache, 'a', { fetch: false });
        expect(await valueAt(cache, 'a')).toBe('value');
        expect(await stateOf(store)).toEqual(before);
      });

      test('is told nothing of what expires, nor when it is no more attached', async () => {
        await put(cache, 'a', 'value', { expiresAt: clock.now() + 1000 });
        const told = record.length;
        clock.advance(1000);
        expect(await cache.read('a', true)).toBeUndefined();
        store.journalTo(undefined);
        await put(cache, 'b', 'value');
        expect(record.length).toBe(told);
      });

      test('brings items back in the order of their last use', async () => {
        const quota = { itemsMax: 100 };
        for (let i = 0; i < 100; i++) {
          clock.advance(1000);
          await put(cache, `key-${i}`, 'value');
        }
        clock.advance(1000);
        for (let i = 0; i < 100; i += 3) await cache.read(`key-${i}`, true);
        const shuffled = new JournalRecord();
        for (const cached of store.journaledCaches()) {
          const later: (() => void)[] = [];
          visitAll(store, (_cache, given, item) => {
            const key = String(given);
            const { value, kind, flags, cas, expiresAt, accessedAt } = item;
            const tell = () =>
              shuffled.itemPut(cached, key, { value, kind, flags, cas, expiresAt }, accessedAt);
            if (later.length % 2 === 0) later.push(tell);
            else later.unshift(tell);
          });
          for (const tell of later) tell();
        }
        const other = open({ now: clock.now });
        shuffled.replay(other.restoration());
        for (const each of [store, other]) each.configure(PROJECT, 'c', { policy: 'lru', quota });
        for (let i = 0; i < 60; i++) {
          for (const each of [store, other]) await put(each.cache(PROJECT, 'c'), `new-${i}`, 'value');
        }
        const left = async (each: Store) => (await keysOf(each.cache(PROJECT, 'c'))).sort();
        expect(await left(other)).toEqual(await left(store));
      });

      test('that is put back is bound by no quota', async () => {
        for (let i = 0; i < 10; i++) await put(cache, `key-${i}`, 'value');
        const other = open({ now: clock.now });
        other.configure(PROJECT, 'c', { policy: 'none', quota: { itemsMax: 3 } });
        record.replay(other.restoration());
        expect(await other.totals()).toMatchObject({ items: 10, evictions: 0 });
        expect(await refusal(() => put(other.cache(PROJECT, 'c'), 'new', 'value'))).toBe('over_quota');
      });

      test('changes nothing of what was put back and had to make room', async () => {
        const before = clock.now();
        for (let i = 0; i < 100; i++) await put(cache, `key-${i}`, Buffer.alloc(20_000));
        for (let i = 0; i < 100; i++) await amend(cache, `key-${i}`, { expiresAt: before + 5000 });
        const other = open({ bytesMax: MIB, now: clock.now });
        record.replay(other.restoration());
        expect((await other.totals()).evictions).toBeGreaterThan(40);
        const left = [] as [number, number][];
        visitAll(other, (_cache, _key, { value, expiresAt }) => left.push([value.length, expiresAt]));
        expect(left.length).toBeLessThan(60);
        expect(left).toEqual(left.map(() => [20_000, before + 5000]));
      });

      test('that is put back goes on with numbers of caches that nobody had', async () => {
        await put(cache, 'k', 'v');
        const other = await replayed();
        await put(other.cache(PROJECT, 'new'), 'k', 'v');
        const numbers = [...other.journaledCaches()].map(({ number }) => number);
        expect(new Set(numbers).size).toBe(2);
      });

      test('ignores what is said of caches that it does not know', async () => {
        await put(cache, 'k', 'v');
        const restoration = open({ now: clock.now }).restoration();
        expect(restoration.itemPut(9, 'k', draft('v', 1), clock.now())).toBe(false);
        restoration.itemRemoved(9, 'k');
        const marks = { expiresAt: NEVER, cas: 1, stale: false, recaching: false, fetched: false };
        restoration.itemAmended(9, 'k', { ...marks, accessedAt: clock.now() });
        restoration.cacheCleared(9);
        restoration.clearPlanned(9, clock.now());
        restoration.cacheDeleted(9);
      });
    });

    test('a visit meets every live item once, while others come and go', async () => {
      for (let i = 0; i < 500; i++) await put(store.cache(PROJECT, `c${i % 3}`), `stays-${i}`, 'v');
      await put(cache, 'expired', 'v', { expiresAt: clock.now() });
      const seen: string[] = [];
      let turn = 0;
      visitAll(store, (_cache, given) => {
        const key = String(given);
        if (key.startsWith('stays')) seen.push(key);
        turn++;
      });
      expect(turn).toBe(500);
      for (let place = 0, more = true; more; more = place !== 0) {
        place = store.visit(place, (_cache, given) => {
          const key = String(given);
          if (key.startsWith('stays')) seen.push(key);
        });
        await put(cache, `comes-${turn++}`, 'v');
        await remove(cache, `comes-${turn - 20}`);
      }
      expect(seen).toHaveLength(1000);
      expect(new Set(seen).size).toBe(500);
    });
  });
}

function visitAll(store: JournaledStore, visit: Parameters<JournaledStore['visit']>[1]): void {
  for (let place = 0, more = true; more; more = place !== 0) place = store.visit(place, visit);
}

/** Puts a value and answers the cas that it was offered. */
async function put(
  cache: StoredCache,
  key: string,
  value: Buffer | string,
  more?: Partial<Draft>,
): Promise<Cas> {
  if (!more) return cache.put(key, draft(value, 0));
  return cache.update(key, (_current, cas) => ({
    action: 'put',
    draft: { ...draft(value, cas), ...more },
    outcome: cas,
  }));
}

function draft(value: Buffer | string, cas: Cas): Draft {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return { value: bytes, kind: 'bytes', flags: 0, expiresAt: NEVER, cas };
}

async function amend(cache: StoredCache, key: string, amendment: Amendment): Promise<void> {
  await cache.update(key, () => ({ action: 'amend', amendment, outcome: undefined }));
}

async function remove(cache: StoredCache, key: string): Promise<void> {
  await cache.update(key, () => ({ action: 'remove', outcome: undefined }));
}

async function valueAt(cache: StoredCache, key: string): Promise<string | undefined> {
  return (await cache.read(key, false))?.value.toString('latin1');
}

async function keysOf(cache: StoredCache): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of cache.list()) keys.push(key);
  return keys;
}

async function refusal(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return undefined;
}

async function sweepAll(store: Store): Promise<void> {
  for (let more = true, sweeps = 0; more; sweeps++) {
    if (sweeps > 1000) throw new RangeError('sweeping never ends');
    more = await store.sweep();
  }
}
