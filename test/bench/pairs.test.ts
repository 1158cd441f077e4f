import { expect, test } from 'vitest';
// @ts-expect-error The benchmark is no TypeScript.
import { middleSpread, spread } from './pairs.mjs';

test('the spread of the middle half leaves the odd run out, at either end', () => {
  const runs = [1000, 10, 11, 12, 9, 10, 1];
  expect(spread(runs)).toBe(99.9);
  expect(middleSpread(runs)).toBeCloseTo(0.3);
});
