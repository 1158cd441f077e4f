import { expect, test } from 'vitest';
import { BufferPool } from '../../../src/memcached/connections/buffer-pool.ts';

const MIB = 1024 * 1024;

test('a buffer has what is asked for, at most twice as much, and is lent again', () => {
  const pool = new BufferPool();
  for (const bytes of [MIB / 64 + 1, 300_000, MIB, 2 * MIB + 500, 4 * MIB]) {
    const buffer = pool.take(bytes);
    expect(buffer.bytes.length).toBeGreaterThanOrEqual(bytes);
    expect(buffer.bytes.length).toBeLessThan(2 * bytes);
    buffer.giveBack();
    expect(pool.take(bytes)).toBe(buffer);
  }
});

test('nobody has the buffer of another', () => {
  const pool = new BufferPool();
  const taken = Array.from({ length: 20 }, () => pool.take(300_000));
  expect(new Set(taken.map(({ bytes }) => bytes.buffer)).size).toBe(20);
  for (const buffer of taken) buffer.giveBack();
  expect(new Set(Array.from({ length: 20 }, () => pool.take(300_000)))).toEqual(new Set(taken));
});

test('the largest get a buffer of their own, which is not kept', () => {
  const pool = new BufferPool();
  const buffer = pool.take(5 * MIB);
  expect(buffer.bytes.length).toBe(5 * MIB);
  buffer.giveBack();
  expect(pool.take(5 * MIB)).not.toBe(buffer);
});

test('what is needed again and again stays; what is not is let go of', () => {
  const pool = new BufferPool();
  const [one, other] = [pool.take(MIB), pool.take(MIB)];
  other.giveBack();
  one.giveBack();
  // Both were needed until now.
  pool.trim();
  for (let i = 0; i < 3; i++) {
    const again = pool.take(MIB);
    expect(again).toBe(one);
    again.giveBack();
    pool.trim();
  }
  const two = [pool.take(MIB), pool.take(MIB)];
  expect(two[0]).toBe(one);
  expect(two[1]).not.toBe(other);
});

test('views of a buffer are its own bytes, and kept', () => {
  const buffer = new BufferPool().take();
  buffer.bytes.write('hello');
  expect(buffer.first(4).toString()).toBe('hell');
  for (const length of [4, 100_000]) expect(buffer.first(length)).toBe(buffer.first(length));
});
