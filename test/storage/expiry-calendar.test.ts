import { describe, expect, test } from 'vitest';
import { NEVER } from '../../src/engine/item.ts';
import { ExpiryCalendar } from '../../src/storage/expiry-calendar.ts';

interface Entry {
  readonly name: string;
  expiresAt: number;
}

function calendarOf(...times: number[]) {
  const calendar = new ExpiryCalendar<Entry>();
  const entries = times.map((expiresAt): Entry => ({ name: String(expiresAt), expiresAt }));
  for (const entry of entries) calendar.add(entry, 0);
  /** Takes up to `most` of what is due, as a sweep does. */
  const take = (now: number, most = Number.POSITIVE_INFINITY): string[] => {
    const names: string[] = [];
    for (const entry of calendar.due(now)) {
      if (names.length === most) break;
      calendar.remove(entry);
      names.push(entry.name);
    }
    return names.sort();
  };
  return { calendar, entries, take };
}

describe('what is due', () => {
  test('is what expires now or before, to the millisecond', () => {
    const { take } = calendarOf(1_000_000, 1_000_001, 1_000_999, 1_001_000, 1_001_001);
    expect(take(999_999)).toEqual([]);
    expect(take(1_000_000)).toEqual(['1000000']);
    expect(take(1_000_998)).toEqual(['1000001']);
    expect(take(1_001_000)).toEqual(['1000999', '1001000']);
    expect(take(1_001_001)).toEqual(['1001001']);
  });

  test('is found after a jump of years as well as after a second', () => {
    const { take } = calendarOf(5_000, 1_000_000, 900_000_000_000, 2_000_000_000_000);
    expect(take(4_999)).toEqual([]);
    expect(take(5_000)).toEqual(['5000']);
    expect(take(1_000_000_000_000)).toEqual(['1000000', '900000000000']);
    expect(take(3_000_000_000_000)).toEqual(['2000000000000']);
  });

  test('never is what lives for ever', () => {
    const { take } = calendarOf(NEVER);
    expect(take(Number.MAX_SAFE_INTEGER)).toEqual([]);
  });

  test('is found although its time was looked at before it was entered', () => {
    const { calendar, take } = calendarOf();
    expect(take(2_000_000)).toEqual([]);
    calendar.add({ name: 'late', expiresAt: 1_000_000 }, 2_000_000);
    calendar.add({ name: 'of old', expiresAt: 0 }, 2_000_000);
    expect(take(2_000_000)).toEqual(['late', 'of old']);
  });

  test('waits for the next look when a look ends early', () => {
    const { take } = calendarOf(1_000, 1_000, 1_001, 2_000, 3_000);
    expect(take(9_000, 2)).toHaveLength(2);
    expect(take(9_000, 2)).toHaveLength(2);
    expect(take(9_000, 2)).toHaveLength(1);
    expect(take(9_000, 2)).toEqual([]);
  });
});

describe('an entry that was taken out', () => {
  test('is not due any more', () => {
    const { calendar, entries, take } = calendarOf(1_000, 1_000, 1_500);
    const [first] = entries;
    if (first) calendar.remove(first);
    expect(take(5_000)).toEqual(['1000', '1500']);
  });

  test('may come back with another time', () => {
    const { calendar, entries, take } = calendarOf(1_000);
    const [entry] = entries;
    if (!entry) throw new Error('no entry');
    calendar.remove(entry);
    entry.expiresAt = 8_000;
    calendar.add(entry, 0);
    expect(take(7_999)).toEqual([]);
    expect(take(8_000)).toEqual(['1000']);
  });
});
