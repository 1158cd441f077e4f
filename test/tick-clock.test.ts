import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tickClock } from '../src/tick-clock.ts';

test('stands still within a turn of the event loop, and goes on in the next', async () => {
  const now = tickClock();
  const before = Date.now();
  const time = now();
  expect(time).toBeGreaterThanOrEqual(before);
  while (Date.now() < time + 3);
  expect(now()).toBe(time);
  await nextTurn();
  expect(now()).toBeGreaterThanOrEqual(time + 3);
});

test('is right after any wait', async () => {
  const now = tickClock();
  now();
  for (const wait of [() => delay(2), () => Promise.resolve().then(() => delay(0)), () => nextTurn()]) {
    await wait();
    await nextTurn();
    expect(Math.abs(now() - Date.now())).toBeLessThan(100);
  }
});
