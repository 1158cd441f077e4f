import { describe, expect, test } from 'vitest';
import { type Requester, RequestRates } from '../../src/limits/request-rate.ts';
import { testClock } from '../support/clock.ts';

function requester(tokenId: string | undefined, projectId = 'p', requestsPerSecond?: number): Requester {
  return {
    token: tokenId === undefined ? undefined : { id: tokenId },
    project: { id: projectId, quotas: { requestsPerSecond } },
  };
}

/** How many requests are carried out, one after the other, until one is refused. */
function takeAll(rates: RequestRates, who: Requester): number {
  for (let taken = 0; ; taken++) if (rates.of(who)?.take(1)) return taken;
}

describe('the rate of a token', () => {
  test('is no matter where there is no limit', () => {
    expect(new RequestRates(0, testClock().now).of(requester('t'))).toBeUndefined();
  });

  test('is as many requests as a second has, whichever project they are for', () => {
    const clock = testClock();
    const rates = new RequestRates(10, clock.now);
    expect(takeAll(rates, requester('t'))).toBe(10);
    expect(takeAll(rates, requester('t', 'another project'))).toBe(0);
    expect(takeAll(rates, requester('another token'))).toBe(10);
    clock.advance(500);
    expect(takeAll(rates, requester('t'))).toBe(5);
    clock.advance(60_000);
    expect(takeAll(rates, requester('t'))).toBe(10);
  });

  test('may be exceeded by one request of many keys, which is then owed', () => {
    const clock = testClock();
    const rates = new RequestRates(10, clock.now);
    expect(rates.of(requester('t'))?.take(35)).toBeUndefined();
    expect(rates.of(requester('t'))?.take(1)).toEqual({
      owner: 'token',
      perSecond: 10,
      retryAfterSeconds: 3,
    });
    clock.advance(2_500);
    expect(rates.of(requester('t'))?.take(1)).toEqual({
      owner: 'token',
      perSecond: 10,
      retryAfterSeconds: 1,
    });
    clock.advance(100);
    expect(takeAll(rates, requester('t'))).toBe(1);
  });
});

describe('the quota of a project', () => {
  test('is shared by its tokens and its listeners without sign-in', () => {
    const clock = testClock();
    const rates = new RequestRates(0, clock.now);
    expect(takeAll(rates, requester('t', 'p', 3))).toBe(3);
    expect(rates.of(requester('u', 'p', 3))?.take(1)).toMatchObject({ owner: 'project', perSecond: 3 });
    expect(takeAll(rates, requester(undefined, 'p', 3))).toBe(0);
    expect(takeAll(rates, requester('t', 'another project', 3))).toBe(3);
  });

  test('takes nothing from a token where it is what refuses', () => {
    const clock = testClock();
    const rates = new RequestRates(10, clock.now);
    expect(takeAll(rates, requester('t', 'small', 2))).toBe(2);
    expect(takeAll(rates, requester('t', 'large', 100))).toBe(8);
  });

  test('holds from the moment when it is changed', () => {
    const clock = testClock();
    const rates = new RequestRates(0, clock.now);
    expect(takeAll(rates, requester('t', 'p', 3))).toBe(3);
    expect(takeAll(rates, requester('t', 'p', 5))).toBe(5);
    expect(rates.of(requester('t', 'p'))).toBeUndefined();
  });
});

describe('work that can wait', () => {
  test('is done once there is room for all of it, and who cannot wait goes before', () => {
    const clock = testClock();
    const rates = new RequestRates(10, clock.now);
    expect(rates.of(requester('t'))?.take(8)).toBeUndefined();
    expect(rates.of(requester('t'))?.takeLater(5)).toBe(300);
    expect(rates.of(requester('t'))?.take(1)).toBeUndefined();
    clock.advance(300);
    expect(rates.of(requester('t'))?.takeLater(5)).toBe(100);
    clock.advance(100);
    expect(rates.of(requester('t'))?.takeLater(5)).toBe(0);
    expect(takeAll(rates, requester('t'))).toBe(0);
  });

  test('that is more than a second allows is owed', () => {
    const clock = testClock();
    const rates = new RequestRates(10, clock.now);
    expect(rates.of(requester('t'))?.takeLater(35)).toBe(0);
    expect(rates.of(requester('t'))?.takeLater(1)).toBe(2_600);
  });

  test('keeps to the rates of token and project', () => {
    const rates = new RequestRates(10, testClock().now);
    expect(rates.of(requester('t', 'p', 5))?.takeLater(7)).toBe(0);
    expect(rates.of(requester('t', 'p', 5))?.takeLater(1)).toBe(600);
    expect(rates.of(requester('t', 'another'))?.takeLater(3)).toBe(0);
    expect(rates.of(requester('t', 'another'))?.takeLater(1)).toBe(100);
  });
});
