import { expect, test } from 'vitest';
import { freeNumber } from '../../src/storage/free-number.ts';

test('numbers begin again when all were given, without those that are in use', () => {
  const inUse = new Map([
    [1, 'one'],
    [2, 'two'],
    [4, 'four'],
  ]);
  expect(freeNumber(0, inUse)).toBe(3);
  expect(freeNumber(4, inUse)).toBe(5);
  expect(freeNumber(4, inUse, 4)).toBe(3);
  expect(freeNumber(2 ** 32 - 2, inUse)).toBe(2 ** 32 - 1);
  expect(freeNumber(2 ** 32 - 1, inUse)).toBe(3);
});
