import { describe, expect, test } from 'vitest';
import { NEVER } from '../../src/engine/item.ts';
import { expiresAtFrom, ttlFrom } from '../../src/memcached/exptime.ts';

const NOW = Date.UTC(2030, 0, 1);
const DAY_SECONDS = 86_400;

describe('an exptime', () => {
  test.each([
    ['0 is never', 0, NEVER],
    ['a negative one is at once', -1, 0],
    ['a small one counts from now', 10, NOW + 10_000],
    ['30 days count from now', 30 * DAY_SECONDS, NOW + 30 * DAY_SECONDS * 1000],
    ['a second more is a time long ago', 30 * DAY_SECONDS + 1, (30 * DAY_SECONDS + 1) * 1000],
    ['a large one is a Unix time', NOW / 1000 + 60, NOW + 60_000],
  ])('%s', (_name, exptime, expected) => {
    expect(expiresAtFrom(exptime, { now: () => NOW, unixNow: () => NOW })).toBe(expected);
  });
});

describe('a time to live', () => {
  test.each([
    ['-1 for an item that never expires', NEVER, -1],
    ['the seconds that are left', NOW + 10_000, 10],
    ['a begun second counts', NOW + 9_001, 10],
    ['never below 0', NOW - 5_000, 0],
  ])('%s', (_name, expiresAt, expected) => {
    expect(ttlFrom(expiresAt, NOW)).toBe(expected);
  });
});
