import { describe, expect, test } from 'vitest';
import { ChunkHeap, PAGE_BYTES, wordOf } from '../../../src/storage/arena/chunk-heap.ts';
import { ExpiryWheel } from '../../../src/storage/arena/expiry-wheel.ts';
import { EXPIRES } from '../../../src/storage/arena/item-layout.ts';
import { randomNumbers } from '../../support/random.ts';

const NOW = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** A wheel with items that are nothing but a header, and what ought to be in it. */
class Expiring {
  readonly heap = new ChunkHeap({ bytesMax: 512 * PAGE_BYTES, moved: () => {} });
  readonly wheel: ExpiryWheel;
  /** When each address expires. */
  readonly model = new Map<number, number>();
  now: number;

  constructor(now = NOW) {
    this.now = now;
    this.wheel = new ExpiryWheel(this.heap, now);
  }

  add(expiresAt: number): number {
    const address = this.heap.allocate(64);
    const words = this.heap.words(address);
    words[wordOf(address)] = 1;
    words[wordOf(address) + EXPIRES] = expiresAt >>> 0;
    words[wordOf(address) + EXPIRES + 1] = Math.floor(expiresAt / 2 ** 32);
    this.wheel.add(address, this.now);
    this.model.set(address, expiresAt);
    return address;
  }

  remove(address: number): void {
    this.wheel.remove(address);
    this.heap.free(address);
    this.model.delete(address);
  }

  move(from: number): void {
    const to = this.heap.allocate(64);
    this.heap.words(from).copyWithin(wordOf(to), wordOf(from), wordOf(from) + 16);
    this.wheel.moved(from, to);
    this.heap.free(from);
    this.model.set(to, this.model.get(from) ?? 0);
    this.model.delete(from);
  }

  /** Frees what is due, in up to `most` steps; says how many more it might have taken. */
  expire(most: number): number {
    return this.wheel.expire(this.now, most, (address) => this.#expire(address));
  }

  /** Frees all that is due, and finds that nothing due is left. */
  expireAll(): void {
    while (this.expire(100) === 0);
    expect([...this.model.values()].filter((expiresAt) => expiresAt <= this.now)).toEqual([]);
  }

  #expire(address: number): void {
    expect(this.model.get(address)).toBeLessThanOrEqual(this.now);
    this.remove(address);
  }
}

describe('the expiry wheel', () => {
  test.each([
    ['within seconds', 20_000, 300],
    ['within a day', 24 * HOUR_MS, HOUR_MS / 2],
    ['within years', 3 * YEAR_MS, YEAR_MS / 20],
  ])('frees what is due and nothing else, whatever comes and goes: %s', (_name, span, step) => {
    const random = randomNumbers(3);
    const expiring = new Expiring();
    const { model } = expiring;
    for (let i = 1; i <= 10_000; i++) {
      const address = expiring.add(expiring.now - span / 20 + random(span));
      if (i % 5 === 0) expiring.remove(address);
      const [first] = model.keys();
      if (i % 7 === 0 && first !== undefined) expiring.move(first);
      if (i % 100 !== 0) continue;
      expiring.now += random(step);
      if (i % 200 === 0) expiring.expire(1 + random(50));
      if (i % 300 === 0) expiring.expireAll();
    }
    expiring.now += 2 * span;
    expect(expiring.expire(1)).toBe(0);
    expiring.expireAll();
    expect(model.size).toBe(0);
  });

  test('is exact to the millisecond around the beginning of a second and of a block', () => {
    const start = Math.ceil(NOW / 4_096_000) * 4_096_000;
    for (const offset of [-2000, -1000, -999, -1, 0, 1, 999, 1000, 1001]) {
      const expiring = new Expiring(start - 10_000);
      expiring.add(start + offset);
      for (const time of [start + offset - 1, start + offset]) {
        expiring.now = time;
        expiring.expireAll();
        expect(expiring.model.size).toBe(time < start + offset ? 1 : 0);
      }
    }
  });

  test.each([999, 1000, 1500, 10_000])(
    'is exact %i ms after a block began, too, where time passed in one go',
    (ms) => {
      const start = Math.ceil(NOW / 4_096_000) * 4_096_000;
      const expiring = new Expiring(start - 10_000);
      expiring.add(start + 5);
      expiring.add(start + HOUR_MS);
      expiring.now = start + ms;
      expiring.expireAll();
      expect(expiring.model.size).toBe(1);
      expiring.add(expiring.now + 5);
      expiring.now += 5;
      expiring.expireAll();
      expect(expiring.model.size).toBe(1);
    },
  );

  test('takes a jump of years, and goes round more than once', () => {
    const expiring = new Expiring();
    expiring.add(NOW + 3 * YEAR_MS);
    expiring.now += 2.5 * YEAR_MS;
    expiring.expireAll();
    expect(expiring.model.size).toBe(1);
    expiring.now += YEAR_MS;
    expiring.expireAll();
    expect(expiring.model.size).toBe(0);
  });

  test('takes no more steps at a time than it may, also where a block begins with very many items', () => {
    const expiring = new Expiring();
    for (let i = 0; i < 50_000; i++) expiring.add(NOW + 3 * HOUR_MS + (i % 1000));
    expiring.now += 2.9 * HOUR_MS;
    let steps = 0;
    while (expiring.expire(1000) === 0) steps++;
    expect(expiring.model.size).toBe(50_000);
    expiring.now += HOUR_MS;
    while (expiring.expire(1000) === 0) steps++;
    expect(expiring.model.size).toBe(0);
    // Each item once when its block begins, once when its second does, and once when it expires.
    expect(steps).toBeLessThanOrEqual(151);
    expect(steps).toBeGreaterThan(140);
  });
});
