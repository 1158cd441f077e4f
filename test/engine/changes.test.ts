import { describe, expect, test } from 'vitest';
import { add, append, compareAndSwap, prepend, remove, replace, touch } from '../../src/engine/changes.ts';
import { NEVER, type NewValue } from '../../src/engine/item.ts';
import { itemOf } from '../support/item.ts';

const NEXT_CAS = 42;
const BYTES_MAX = 10;

const value: NewValue = { value: Buffer.from('new'), kind: 'text', flags: 5, expiresAt: 2000 };

const current = itemOf({
  value: Buffer.from('old'),
  kind: 'json',
  flags: 7,
  expiresAt: 1000,
  cas: 17,
  stale: true,
  recaching: true,
  accessedAt: 500,
  fetched: true,
  hasExpiry: true,
});

const putsTheNewValue = { action: 'put', draft: { ...value, cas: NEXT_CAS }, outcome: 'stored' };

describe('add', () => {
  test('stores where nothing is', () => {
    expect(add(value)(undefined, NEXT_CAS)).toEqual(putsTheNewValue);
  });

  test('changes nothing about an item that is there, but counts as a use of it (not as a read)', () => {
    const amendment = { fetch: false };
    expect(add(value)(current, NEXT_CAS)).toEqual({ action: 'amend', amendment, outcome: 'not_stored' });
  });
});

describe('replace', () => {
  test('stores where an item is', () => {
    expect(replace(value)(current, NEXT_CAS)).toEqual(putsTheNewValue);
  });

  test('does nothing where none is', () => {
    expect(replace(value)(undefined, NEXT_CAS)).toEqual({ action: 'keep', outcome: 'not_stored' });
  });
});

describe('append and prepend', () => {
  test.each([
    ['append', append, 'oldnew'],
    ['prepend', prepend, 'newold'],
  ] as const)('%s joins the values as bytes and keeps the flags and the expiry', (_name, change, joined) => {
    expect(change(value, BYTES_MAX)(current, NEXT_CAS)).toEqual({
      action: 'put',
      draft: { value: Buffer.from(joined), kind: 'bytes', flags: 7, expiresAt: 1000, cas: NEXT_CAS },
      outcome: 'stored',
    });
  });

  test.each([append, prepend])('do nothing where no item is', (change) => {
    expect(change(value, BYTES_MAX)(undefined, NEXT_CAS)).toEqual({ action: 'keep', outcome: 'not_stored' });
  });

  test.each([append, prepend])('store up to the largest value, and nothing beyond', (change) => {
    const fitting = { ...value, value: Buffer.alloc(BYTES_MAX - current.value.length) };
    expect(change(fitting, BYTES_MAX)(current, NEXT_CAS)).toMatchObject({ outcome: 'stored' });
    const larger = { ...value, value: Buffer.alloc(BYTES_MAX - current.value.length + 1) };
    expect(change(larger, BYTES_MAX)(current, NEXT_CAS)).toEqual({ action: 'keep', outcome: 'not_stored' });
  });

  test('join values of any length, one after the other', () => {
    const lengths = [0, 1, 65_531, 65_534, 10, 1_048_573, 1_048_574, 3_000_000, 2];
    for (const [i, length] of lengths.entries()) {
      const addition = { ...value, value: Buffer.alloc(length, 0x61 + i) };
      const joined = [Buffer.from('old'), addition.value];
      for (const [change, expected] of [
        [append, joined],
        [prepend, joined.toReversed()],
      ] as const) {
        const decision = change(addition, 2 ** 22)(current, NEXT_CAS);
        if (decision.action !== 'put') throw new Error(decision.action);
        expect(decision.draft.value.equals(Buffer.concat(expected))).toBe(true);
      }
    }
  });

  test.each([append, prepend])('take an empty addition', (change) => {
    const empty = { ...value, value: Buffer.alloc(0) };
    expect(change(empty, BYTES_MAX)(current, NEXT_CAS)).toMatchObject({
      outcome: 'stored',
      draft: { value: Buffer.from('old') },
    });
  });
});

describe('compare and swap', () => {
  test('stores when the version is the expected one', () => {
    expect(compareAndSwap(value, 17)(current, NEXT_CAS)).toEqual(putsTheNewValue);
  });

  test('tells another version from a missing item', () => {
    expect(compareAndSwap(value, 18)(current, NEXT_CAS)).toEqual({ action: 'keep', outcome: 'exists' });
    expect(compareAndSwap(value, 17)(undefined, NEXT_CAS)).toEqual({ action: 'keep', outcome: 'not_found' });
  });

  test('compares exactly beyond 2^53', () => {
    const huge = { ...current, cas: 2n ** 64n - 1n };
    expect(compareAndSwap(value, 2n ** 64n - 1n)(huge, NEXT_CAS)).toEqual(putsTheNewValue);
    expect(compareAndSwap(value, 2n ** 64n - 2n)(huge, NEXT_CAS)).toMatchObject({ outcome: 'exists' });
  });
});

describe('remove', () => {
  test('removes what is there', () => {
    expect(remove(current, NEXT_CAS)).toEqual({ action: 'remove', outcome: true });
    expect(remove(undefined, NEXT_CAS)).toEqual({ action: 'keep', outcome: false });
  });
});

describe('touch', () => {
  test('gives another expiry, leaves value and cas alone, and answers the item', () => {
    const decision = touch(NEVER)(current, NEXT_CAS);
    expect(decision).toEqual({ action: 'amend', amendment: { expiresAt: NEVER }, outcome: current });
  });

  test('does nothing where no item is', () => {
    expect(touch(NEVER)(undefined, NEXT_CAS)).toEqual({ action: 'keep', outcome: undefined });
  });
});
