import { describe, expect, test } from 'vitest';
import { ExpiryLists } from '../../src/storage/expiry-lists.ts';
import { KeyedHash } from '../../src/storage/keyed-hash.ts';
import { NO_SLOT, SlotTable } from '../../src/storage/slot-table.ts';
import { randomNumbers } from '../support/random.ts';

describe('the index', () => {
  // Takes a slot for a hash and enters it.
  function enter(table: SlotTable, hash: number): number {
    const slot = table.take();
    table.insert(slot, hash);
    return slot;
  }

  function slotsLike(table: SlotTable, hash: number): number[] {
    const slots: number[] = [];
    for (let slot = table.firstLike(hash); slot !== NO_SLOT; slot = table.nextLike(slot, hash))
      slots.push(slot);
    return slots.sort((a, b) => a - b);
  }

  test('finds every slot of a hash and no other, while it grows and shrinks', () => {
    const random = randomNumbers(7);
    const table = new SlotTable(20_000);
    const model = new Map<number, number>();
    for (let round = 0; round < 60_000; round++) {
      const slots = [...model.keys()];
      if (model.size < 12_000 && (random(3) > 0 || slots.length === 0)) {
        // Few hashes at first, so that some have many slots; of both signs.
        const hash = (random(9000) * 0x9e3779b1 * (random(2) * 2 - 1)) | 0;
        model.set(enter(table, hash), hash);
      } else if (round % 50 === 0 || model.size >= 12_000) {
        const slot = slots[random(slots.length)] ?? NO_SLOT;
        table.remove(slot);
        table.release(slot);
        model.delete(slot);
      }
    }
    const byHash = groupByHash(model);
    expect(table.size).toBe(model.size);
    for (const [hash, entries] of byHash) {
      expect(slotsLike(table, hash)).toEqual(entries.map(([slot]) => slot).sort((a, b) => a - b));
    }
    expect(slotsLike(table, 12_345)).toEqual([]);
  });

  function groupByHash(model: Map<number, number>): Map<number, [number, number][]> {
    const groups = new Map<number, [number, number][]>();
    for (const entry of model) groups.set(entry[1], [...(groups.get(entry[1]) ?? []), entry]);
    return groups;
  }

  test('keeps the order of use', () => {
    const table = new SlotTable(10);
    const [a, b, c] = [enter(table, 1), enter(table, 2), enter(table, 3)];
    expect(table.oldest).toBe(a);
    table.use(a);
    expect(table.oldest).toBe(b);
    table.use(a);
    table.remove(b);
    expect(table.oldest).toBe(c);
    table.remove(c);
    table.remove(a);
    expect(table.oldest).toBe(NO_SLOT);
  });
});

describe('the hash', () => {
  test('depends on every byte of the key, on its length, on the salt and on the secret', () => {
    const hash = new KeyedHash(Buffer.from('12345678'));
    const keys = [
      '',
      'a',
      'b',
      'ab',
      'ba',
      'abc',
      'abcd',
      'abcde',
      'abcdf',
      'abcd\0',
      '\0',
      '\0\0',
      'ÿ',
      'x'.repeat(250),
    ];
    const hashes = keys.flatMap((key) => [hash.of(key, 1), hash.of(key, 2)]);
    expect(new Set(hashes).size).toBe(2 * keys.length);
    expect(hash.of('abc', 1)).toBe(new KeyedHash(Buffer.from('12345678')).of('abc', 1));
    expect(hash.of('abc', 1)).not.toBe(new KeyedHash(Buffer.from('12345679')).of('abc', 1));
    expect(new KeyedHash().of('abc', 1)).not.toBe(new KeyedHash().of('abc', 1));
  });

  test('spreads keys that differ little', () => {
    const hash = new KeyedHash(Buffer.from('12345678'));
    const counts = new Uint32Array(256);
    for (let i = 0; i < 25_600; i++) {
      const bucket = hash.of(`user:${i}`, 1) & 255;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(150);
    expect(Math.min(...counts)).toBeGreaterThan(60);
  });
});

const NOW = 1_700_000_000_000;

describe('the expiry lists', () => {
  test('find what is due, and nothing else, whatever was added and removed', () => {
    const random = randomNumbers(3);
    const expiries = new Map<number, number>();
    let now = NOW;
    const lists = new ExpiryLists(new SlotTable(5000), now);
    const expire = (slot: number) => {
      expect(expiries.get(slot)).toBeLessThanOrEqual(now);
      lists.remove(slot, expiries.get(slot) ?? 0);
      expiries.delete(slot);
    };
    for (let slot = 1; slot <= 5000; slot++) {
      const expiresAt = now - 1000 + random(20_000);
      expiries.set(slot, expiresAt);
      lists.add(slot, expiresAt, now);
      if (slot % 5 === 0) {
        lists.remove(slot, expiresAt);
        expiries.delete(slot);
      }
      if (slot % 100 !== 0) continue;
      now += random(300);
      if (slot % 200 === 0) lists.expireFullSeconds(now, 1 + random(50), expire);
      if (slot % 300 !== 0) continue;
      lists.expireFullSeconds(now, Number.POSITIVE_INFINITY, expire);
      lists.expireWithinSecond(now, (due) => (expiries.get(due) ?? 0) <= now, expire);
      expect([...expiries.values()].filter((at) => at <= now)).toEqual([]);
    }
    now += 30_000;
    expect(lists.expireFullSeconds(now, 1, expire)).toBe(0);
    expect(lists.expireFullSeconds(now, Number.POSITIVE_INFINITY, expire)).toBe(Number.POSITIVE_INFINITY);
    expect(expiries.size).toBe(0);
  });

  test('do not look through all other seconds for what is due when it is stored', () => {
    const lists = new ExpiryLists(new SlotTable(200_001), NOW);
    for (let slot = 1; slot <= 200_000; slot++) lists.add(slot, NOW + slot * 1000, NOW);
    // Doing so takes minutes, and this a moment.
    for (let round = 0; round < 20_000; round++) {
      const expired: number[] = [];
      lists.add(200_001, 0, NOW);
      lists.expireFullSeconds(NOW, 16, (slot) => {
        expired.push(slot);
        lists.remove(slot, 0);
      });
      expect(expired).toEqual([200_001]);
    }
  });

  test('keep what is not due yet when the clock is set back', () => {
    const lists = new ExpiryLists(new SlotTable(2), NOW);
    const expired: number[] = [];
    const expire = (slot: number) => {
      expired.push(slot);
      lists.remove(slot, earlier + 5000);
    };
    lists.expireFullSeconds(NOW, 16, expire);
    const earlier = NOW - 3_600_000;
    lists.add(1, earlier + 5000, earlier);
    lists.expireFullSeconds(earlier + 4000, 16, expire);
    expect(expired).toEqual([]);
    lists.expireFullSeconds(earlier + 5000, 16, expire);
    expect(expired).toEqual([1]);
  });
});
