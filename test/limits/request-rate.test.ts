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

  test('is its own, even if a token has the id of the project', () => {
    const rates = new RequestRates(3, testClock().now);
    expect(takeAll(rates, requester('one id', 'one id', 3))).toBe(3);
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
  test('waits for a portion, and leaves others half of what a second allows', () => {
    const clock = testClock();
    const rates = new RequestRates(20, clock.now);
    const { taken } = rates.of(requester('t'))?.takeLater(35) ?? {};
    expect(taken).toBe(10);
    expect(rates.of(requester('t'))?.takeLater(25)).toEqual({ taken: 0, waitMs: 250 });
    expect(rates.of(requester('t'))?.takeLater(2)).toEqual({ taken: 0, waitMs: 100 });
    clock.advance(250);
    expect(rates.of(requester('t'))?.takeLater(25)).toEqual({ taken: 5, waitMs: 0 });
    expect(takeAll(rates, requester('t'))).toBe(10);
    expect(rates.of(requester('t'))?.takeLater(1)).toEqual({ taken: 0, waitMs: 550 });
  });

  test('takes no more than it needs', () => {
    const rates = new RequestRates(20, testClock().now);
    expect(rates.of(requester('t'))?.takeLater(3)).toEqual({ taken: 3, waitMs: 0 });
    expect(takeAll(rates, requester('t'))).toBe(17);
  });

  test('takes all that others leave, who feel nothing of it', () => {
    const clock = testClock();
    const rates = new RequestRates(0, clock.now);
    const who = requester('t', 'p', 50);
    let taken = 0;
    let refused = 0;
    for (let ms = 0, dueAt = 0; ms < 10_000; ms++, clock.advance(1)) {
      while (ms >= dueAt) {
        const later = rates.of(who)?.takeLater(300) ?? { taken: 0, waitMs: 1 };
        taken += later.taken;
        dueAt = ms + later.waitMs;
        if (later.waitMs > 0) break;
      }
      // Ten a second come one after the other, and ten at once now and then.
      const count = ms % 2_000 === 1_999 ? 10 : Number(ms % 100 === 0);
      for (let i = 0; i < count; i++) if (rates.of(who)?.take(1)) refused++;
    }
    expect(refused).toBe(0);
    expect(taken).toBeGreaterThan(350);
  });

  test('is done where a second allows no more than one request, too', () => {
    const clock = testClock();
    const rates = new RequestRates(1, clock.now);
    expect(rates.of(requester('t'))?.takeLater(3)).toEqual({ taken: 1, waitMs: 0 });
    expect(rates.of(requester('t'))?.takeLater(2)).toEqual({ taken: 0, waitMs: 1_000 });
  });

  test('keeps to the rates of token and project', () => {
    const rates = new RequestRates(40, testClock().now);
    expect(rates.of(requester('t', 'p', 4))?.takeLater(7)).toEqual({ taken: 2, waitMs: 0 });
    expect(rates.of(requester('t', 'p', 4))?.takeLater(5)).toEqual({ taken: 0, waitMs: 250 });
    expect(rates.of(requester('t', 'another'))?.takeLater(30)).toEqual({ taken: 18, waitMs: 0 });
    expect(rates.of(requester('t', 'p', 4))?.takeLater(5)).toEqual({ taken: 0, waitMs: 250 });
  });
});
