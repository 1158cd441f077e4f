import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { tickClock } from '../src/tick-clock.ts';

test('stands still within a turn of the event loop, and goes on in the next', async () => {
  const { now } = tickClock();
  const before = Date.now();
  const time = now();
  expect(time).toBeGreaterThanOrEqual(before);
  while (Date.now() < time + 3);
  expect(now()).toBe(time);
  await nextTurn();
  expect(now()).toBeGreaterThanOrEqual(time + 3);
});

test('is right after any wait', async () => {
  const { now } = tickClock();
  now();
  for (const wait of [() => delay(2), () => Promise.resolve().then(() => delay(0)), () => nextTurn()]) {
    await wait();
    await nextTurn();
    expect(Math.abs(now() - Date.now())).toBeLessThan(100);
  }
});

test('goes on evenly while the clock of the machine is set', async () => {
  const clock = tickClock();
  const before = clock.now();
  const machine = vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
  await nextTurn();
  await nextTurn();
  expect(clock.unixNow()).toBe(before + 3_600_000);
  expect(clock.now() - before).toBeLessThan(60_000);
  machine.mockRestore();
});
