import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { TickClock } from '../../src/event-loop/tick-clock.ts';

test('stands still within a turn of the event loop, and goes on in the next', async () => {
  const { now } = new TickClock();
  const before = Date.now();
  const time = now();
  expect(time).toBeGreaterThanOrEqual(before);
  while (Date.now() < time + 3);
  expect(now()).toBe(time);
  await nextTurn();
  expect(now()).toBeGreaterThanOrEqual(time + 3);
});

test('stands still while it is held, at the time that it is told, and then goes on within the turn', () => {
  const clock = new TickClock();
  const early = clock.now();
  const at = performance.now() + 2;
  clock.hold(at);
  const held = clock.now();
  expect(held).toBe(Math.floor(performance.timeOrigin + at));
  while (Date.now() < early + 5);
  expect(clock.now()).toBe(held);
  clock.release();
  expect(clock.now()).toBeGreaterThanOrEqual(early + 5);
});

test('the machine’s clock is read again once time goes on', async () => {
  const clock = new TickClock();
  const at = performance.now();
  const machine = vi.spyOn(Date, 'now').mockReturnValue(1000);
  clock.hold(at);
  expect(clock.unixNow()).toBe(1000);
  machine.mockReturnValue(2000);
  expect(clock.unixNow()).toBe(1000);
  clock.hold(at + 1);
  expect(clock.unixNow()).toBe(2000);
  machine.mockRestore();
});

test('is right after any wait', async () => {
  const { now } = new TickClock();
  now();
  for (const wait of [() => delay(2), () => Promise.resolve().then(() => delay(0)), () => nextTurn()]) {
    await wait();
    await nextTurn();
    expect(Math.abs(now() - Date.now())).toBeLessThan(100);
  }
});

test('goes on evenly while the clock of the machine is set', async () => {
  const clock = new TickClock();
  const before = clock.now();
  const machine = vi.spyOn(Date, 'now').mockReturnValue(before + 3_600_000);
  await nextTurn();
  await nextTurn();
  expect(clock.unixNow()).toBe(before + 3_600_000);
  expect(clock.now() - before).toBeLessThan(60_000);
  machine.mockRestore();
});
