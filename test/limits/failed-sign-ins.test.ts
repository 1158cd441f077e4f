import { describe, expect, test } from 'vitest';
import { FailedSignIns } from '../../src/limits/failed-sign-ins.ts';
import { testClock } from '../support/clock.ts';

function parts(failuresPerAddressMax = 5) {
  const clock = testClock();
  const warned: string[] = [];
  const log = {
    warn: (details: object, message: string) => warned.push(`${message} ${JSON.stringify(details)}`),
  };
  const limits = { failuresPerAddressMax, refusalMs: 60_000, delayMs: 1_000 };
  const signIns = new FailedSignIns(limits, clock.now, log);
  const fail = (address: string, times: number) =>
    Array.from({ length: times }, () => signIns.failed(address));
  return { clock, warned, signIns, fail };
}

describe('failed sign-ins', () => {
  test('are answered at once three times, then later', () => {
    const { fail } = parts();
    expect(fail('a', 5)).toEqual([0, 0, 0, 1_000, 1_000]);
    expect(fail('b', 1)).toEqual([0]);
  });

  test('have an address refused when they are too many, for a while and no longer', () => {
    const { clock, signIns, fail, warned } = parts();
    fail('a', 4);
    expect(signIns.refusedSeconds('a', undefined)).toBeUndefined();
    expect(signIns.isRefusing).toBe(false);
    fail('a', 1);
    expect(signIns.isRefusing).toBe(true);
    expect(signIns.refusedSeconds('a', undefined)).toBe(60);
    expect(signIns.refusedSeconds('b', undefined)).toBeUndefined();
    clock.advance(59_001);
    expect(signIns.refusedSeconds('a', undefined)).toBe(1);
    clock.advance(999);
    expect(signIns.refusedSeconds('a', undefined)).toBeUndefined();
    expect(signIns.isRefusing).toBe(false);
    // From then on they count anew.
    fail('a', 4);
    expect(signIns.refusedSeconds('a', undefined)).toBeUndefined();
    expect(warned).toEqual(['too many failed sign-ins: an address is refused {"address":"a","seconds":60}']);
  });

  test('have each address refused for its own while', () => {
    const { clock, signIns, fail, warned } = parts();
    fail('a', 5);
    clock.advance(40_000);
    fail('b', 5);
    clock.advance(20_000);
    expect(signIns.isRefusing).toBe(true);
    expect([signIns.refusedSeconds('a', undefined), signIns.refusedSeconds('b', undefined)]).toEqual([
      undefined,
      40,
    ]);
    // Nobody can fill the log: what was not said is counted.
    fail('c', 5);
    clock.advance(60_000);
    fail('d', 5);
    const told = [
      '{"address":"a","seconds":60}',
      '{"address":"c","seconds":60,"unsaid":1}',
      '{"address":"d","seconds":60}',
    ];
    expect(warned.map((line) => line.replace(/.* /, ''))).toEqual(told);
  });

  test('are forgotten when there was none for a while', () => {
    const { clock, signIns, fail } = parts();
    for (let round = 0; round < 10; round++) {
      fail('a', 4);
      clock.advance(60_000);
    }
    expect(signIns.refusedSeconds('a', undefined)).toBeUndefined();
  });

  test('of a stranger lock out nobody whose token was right from there before', () => {
    const { signIns, fail } = parts();
    signIns.succeeded('a', 'known');
    signIns.succeeded('b', 'other');
    fail('a', 5);
    expect(signIns.refusedSeconds('a', 'known')).toBeUndefined();
    // A token that is right, but was never used from there, might have been guessed.
    expect(signIns.refusedSeconds('a', 'other')).toBe(60);
  });

  test('have no limit where there is none', () => {
    const { signIns, fail } = parts(0);
    fail('a', 10_000);
    expect(signIns.refusedSeconds('a', undefined)).toBeUndefined();
    expect(signIns.isRefusing).toBe(false);
  });
});
