import { expect, test } from 'vitest';
// @ts-expect-error The benchmark is no TypeScript.
import { inTurn, middleSpread, spread } from './pairs.mjs';

test('the spread of the middle half leaves the odd run out, at either end', () => {
  const runs = [1000, 10, 11, 12, 9, 10, 1];
  expect(spread(runs)).toBe(99.9);
  expect(middleSpread(runs)).toBeCloseTo(0.3);
});

test('each round measures everyone once, in an order of its own', async () => {
  const rounds = 64;
  const order: string[] = [];
  const measureOf = (name: string) => async () => order.push(name);
  const runs = await inTurn(rounds, { peer: measureOf('peer'), ours: measureOf('ours') });

  expect(runs.peer).toHaveLength(rounds);
  expect(runs.ours).toHaveLength(rounds);
  const pairs = Array.from({ length: rounds }, (_, round) => order.slice(2 * round, 2 * round + 2).join(' '));
  expect(new Set(pairs)).toEqual(new Set(['peer ours', 'ours peer']));
});

test('whatever the order of the rounds, runs stand in the order in which contestants were named', async () => {
  const names = ['v20', 'v22', 'v24', 'v26', 'v28', 'v30', 'v32', 'v34'];
  const contestants = Object.fromEntries(names.map((name) => [name, async () => name]));

  expect(Object.keys(await inTurn(1, contestants))).toEqual(names);
});
