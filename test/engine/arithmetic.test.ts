import { describe, expect, test } from 'vitest';
import { type Arithmetic, type ArithmeticOptions, calculate } from '../../src/engine/arithmetic.ts';
import { type Item, NEVER, type ValueKind } from '../../src/engine/item.ts';
import { type Whole, wholeFrom } from '../../src/engine/whole.ts';

import { itemOf } from '../support/item.ts';

const NEXT_CAS = 42;

const up = (delta: Whole): Arithmetic => ({ rule: 'unsigned', direction: 'up', delta });
const down = (delta: Whole): Arithmetic => ({ rule: 'unsigned', direction: 'down', delta });
const signed = (delta: Whole): Arithmetic => ({ rule: 'signed', delta });

const UNSIGNED_MAX = 2n ** 64n - 1n;
const SIGNED_MAX = 2n ** 63n - 1n;
const SIGNED_MIN = -(2n ** 63n);

function item(value: string, kind: ValueKind = 'bytes'): Item {
  return itemOf({
    value: Buffer.from(value, 'latin1'),
    kind,
    flags: 7,
    expiresAt: 1000,
    cas: 17,
    stale: false,
    recaching: false,
    accessedAt: 500,
    fetched: false,
    hasExpiry: false,
  });
}

/** What is stored then and what is told; or why nothing is. */
function reckon(value: string, by: Arithmetic, kind?: ValueKind): [string, Whole] | string {
  const decision = calculate(by)(item(value, kind), NEXT_CAS);
  const { outcome } = decision;
  if (outcome.status !== 'done') {
    expect(decision.action).toBe('keep');
    return outcome.status;
  }
  if (decision.action !== 'put') throw new Error(`done, but ${decision.action}`);
  return [decision.draft.value.toString('latin1'), outcome.value];
}

describe('by memcached’s rule', () => {
  test('numbers go up and down', () => {
    expect(reckon('41', up(1))).toEqual(['42', 42]);
    expect(reckon('41', down(1))).toEqual(['40', 40]);
    expect(reckon('99', up(1))).toEqual(['100', 100]);
    expect(reckon('5', up(0))).toEqual(['5', 5]);
  });

  test('adding wraps around at 2^64', () => {
    expect(reckon(String(UNSIGNED_MAX), up(0))).toEqual([String(UNSIGNED_MAX), UNSIGNED_MAX]);
    expect(reckon(String(UNSIGNED_MAX), up(1))).toEqual(['0'.padEnd(20), 0]);
    expect(reckon('10', up(UNSIGNED_MAX))).toEqual(['9 ', 9]);
  });

  test('subtracting stops at 0', () => {
    expect(reckon('5', down(5))).toEqual(['0', 0]);
    expect(reckon('5', down(6))).toEqual(['0', 0]);
    expect(reckon('5', down(UNSIGNED_MAX))).toEqual(['0', 0]);
  });

  test('all 64 bits count', () => {
    expect(reckon('9007199254740992', up(1))).toEqual(['9007199254740993', 9007199254740993n]);
    expect(reckon(String(UNSIGNED_MAX), down(1))).toEqual(['18446744073709551614', UNSIGNED_MAX - 1n]);
  });

  test('a result that is shorter keeps the length, with spaces behind', () => {
    expect(reckon('10', down(1))).toEqual(['9 ', 9]);
    expect(reckon('9 ', up(1))).toEqual(['10', 10]);
    expect(reckon('9 ', up(991))).toEqual(['1000', 1000]);
    expect(reckon('100', down(100))).toEqual(['0  ', 0]);
  });

  // Each of these was answered so by memcached 1.6.18, to `incr k 1`.
  test.each([
    ['0', '1'],
    [' 5', '6 '],
    ['5 ', '6 '],
    ['+5', '6 '],
    [' +5', '6  '],
    ['-0', '1 '],
    ['0005', '6   '],
    ['0'.repeat(30), '1'.padEnd(30)],
    [`${'0'.repeat(30)}5`, '6'.padEnd(31)],
    [`${' '.repeat(30)}5`, '6'.padEnd(31)],
    [`5${' '.repeat(30)}`, '6'.padEnd(31)],
    ['5\t', '6 '],
    ['5\n', '6 '],
    ['5\v', '6 '],
    ['5\f', '6 '],
    ['5\r', '6 '],
    ['\n5', '6 '],
    ['5 x', '6  '],
    [' 5 6', '6   '],
    ['5\0', '6 '],
    ['5\0x', '6  '],
    ['18446744073709551615', '0'.padEnd(20)],
    ['00018446744073709551615', '0'.padEnd(23)],
    ['9223372036854775808', '9223372036854775809'],
    ['-9223372036854775809', '9223372036854775808 '],
    ['-18446744073709551615', '2'.padEnd(21)],
  ])('reads %j as a number', (before, after) => {
    expect(reckon(before, up(1))).toEqual([after, wholeFrom(BigInt(after.trim()))]);
  });

  // And these were refused.
  test.each([
    '',
    ' ',
    '  ',
    '\t',
    '\0',
    ' \0',
    '\u00005',
    'x',
    ' x',
    '\tx',
    'x5',
    'abc 5',
    '5x',
    '5-',
    '5,',
    '5.0',
    '1e3',
    '0x10',
    '5\xa0',
    '\xa05',
    '+',
    '-',
    ' +',
    '- 5',
    '+ 5',
    '--5',
    '+-5',
    '-5',
    ' -5',
    '-9223372036854775808',
    '18446744073709551616',
    '123456789012345678901',
    '99999999999999999999999',
    '-18446744073709551616',
  ])('refuses %j', (before) => {
    expect(reckon(before, up(1))).toBe('not_numeric');
    expect(reckon(before, down(1))).toBe('not_numeric');
  });
});

describe('by the rule of REST', () => {
  test('numbers go up and down, below 0 as well', () => {
    expect(reckon('41', signed(1))).toEqual(['42', 42]);
    expect(reckon('1', signed(-3))).toEqual(['-2', -2]);
    expect(reckon('-2', signed(2))).toEqual(['0', 0]);
    expect(reckon('10', signed(-1))).toEqual(['9', 9]);
  });

  test('either end is reached exactly, and never passed', () => {
    expect(reckon(String(SIGNED_MAX - 1n), signed(1))).toEqual([String(SIGNED_MAX), SIGNED_MAX]);
    expect(reckon(String(SIGNED_MAX), signed(1))).toBe('out_of_range');
    expect(reckon(String(SIGNED_MIN + 1n), signed(-1))).toEqual([String(SIGNED_MIN), SIGNED_MIN]);
    expect(reckon(String(SIGNED_MIN), signed(-1))).toBe('out_of_range');
    expect(reckon('0', signed(2n ** 70n))).toBe('out_of_range');
  });

  test('a number that memcached padded is one, and loses the padding', () => {
    expect(reckon('9 ', signed(1))).toEqual(['10', 10]);
    expect(reckon(`7${' '.repeat(100)}`, signed(1))).toEqual(['8', 8]);
  });

  test.each([
    ['007', 8],
    ['-0', 1],
    [`-${'0'.repeat(40)}9`, -8],
  ])('reads %j as a number', (before, after) => {
    expect(reckon(before, signed(1))).toEqual([String(after), after]);
  });

  test.each([
    '',
    ' ',
    '-',
    '+5',
    ' 5',
    '5\n',
    '5\xa0',
    '1.5',
    '1e3',
    'five',
    '5 6',
    String(SIGNED_MAX + 1n),
    String(SIGNED_MIN - 1n),
    '9'.repeat(1000),
  ])('refuses %j', (before) => {
    expect(reckon(before, signed(1))).toBe('not_numeric');
  });
});

// Where numbers stop being plain: of fifteen digits they are read as such, and up to 2^53-1 they are reckoned so.
describe('around the largest plain numbers', () => {
  const borders = [10n ** 15n, 2n ** 53n, 2n ** 63n - 4n].flatMap((border) =>
    Array.from({ length: 7 }, (_, i) => border + BigInt(i) - 3n),
  );
  const deltas = [0n, 1n, 2n, 5n, 10n ** 15n, 2n ** 53n - 1n, 2n ** 53n];

  test('sums and differences are exact', () => {
    for (const before of borders) {
      for (const delta of deltas) {
        const larger = before + delta;
        const smaller = before > delta ? before - delta : 0n;
        const padded = String(smaller).padEnd(String(before).length);
        expect(reckon(String(before), up(wholeFrom(delta)))).toEqual([String(larger), wholeFrom(larger)]);
        expect(reckon(String(before), down(wholeFrom(delta)))).toEqual([padded, wholeFrom(smaller)]);
        const signedSum = larger > SIGNED_MAX ? 'out_of_range' : [String(larger), wholeFrom(larger)];
        expect(reckon(String(before), signed(wholeFrom(delta)))).toEqual(signedSum);
        const back = [String(delta - before), wholeFrom(delta - before)];
        expect(reckon(String(-before), signed(wholeFrom(delta)))).toEqual(back);
      }
    }
  });
});

describe('either rule', () => {
  test.each(['bytes', 'text', 'number'] as const)('counts in %s, and makes a number of it', (kind) => {
    for (const by of [up(1), signed(1)]) {
      expect(calculate(by)(item('5', kind), NEXT_CAS)).toMatchObject({ draft: { kind: 'number' } });
    }
  });

  test('does not count in other JSON values', () => {
    expect(reckon('5', up(1), 'json')).toBe('not_numeric');
    expect(reckon('5', signed(1), 'json')).toBe('not_numeric');
  });

  test('keeps the flags and the expiry, and gives the next cas', () => {
    expect(calculate(up(1))(item('5'), NEXT_CAS)).toEqual({
      action: 'put',
      draft: {
        value: Buffer.from('6'),
        kind: 'number',
        flags: 7,
        expiresAt: 1000,
        cas: NEXT_CAS,
        stale: false,
        recaching: false,
        fetched: false,
      },
      outcome: { status: 'done', value: 6, cas: NEXT_CAS, expiredAt: 1000, created: false },
    });
  });

  test('gives another expiry when asked to, and tells the old one', () => {
    expect(calculate(signed(1), { expiresAt: NEVER })(item('5'), NEXT_CAS)).toMatchObject({
      draft: { expiresAt: NEVER },
      outcome: { expiredAt: 1000 },
    });
  });

  test('gives another cas when asked to', () => {
    const options = { explicitCas: 99, initial: { value: 1, expiresAt: NEVER } };
    for (const current of [item('5'), undefined]) {
      expect(calculate(up(1), options)(current, NEXT_CAS)).toMatchObject({
        draft: { cas: 99 },
        outcome: { cas: 99 },
      });
    }
  });

  test('changes only the expected version', () => {
    expect(calculate(up(1), { compareCas: 17 })(item('5'), NEXT_CAS).outcome.status).toBe('done');
    expect(calculate(up(1), { compareCas: 18 })(item('5'), NEXT_CAS)).toEqual({
      action: 'keep',
      outcome: { status: 'exists' },
    });
    expect(calculate(up(1), { compareCas: 18 })(item('x'), NEXT_CAS).outcome.status).toBe('exists');
  });

  test('has nothing to do where no item is', () => {
    const nothing = { action: 'keep', outcome: { status: 'not_found' } };
    expect(calculate(up(1))(undefined, NEXT_CAS)).toEqual(nothing);
    expect(calculate(signed(1), { compareCas: 17 })(undefined, NEXT_CAS)).toEqual(nothing);
  });
});

describe('a missing item with an initial value', () => {
  const starting = (value: Whole): ArithmeticOptions => ({ initial: { value, expiresAt: 3000 } });

  test('begins with that value, as it is', () => {
    expect(calculate(up(5), starting(7))(undefined, NEXT_CAS)).toEqual({
      action: 'put',
      draft: { value: Buffer.from('7'), kind: 'number', flags: 0, expiresAt: 3000, cas: NEXT_CAS },
      outcome: { status: 'done', value: 7, cas: NEXT_CAS, expiredAt: NEVER, created: true },
    });
  });

  test('may begin with any number of its rule, and no other', () => {
    const begun = (by: Arithmetic, value: Whole) =>
      calculate(by, starting(value))(undefined, NEXT_CAS).outcome.status;
    expect(begun(up(1), UNSIGNED_MAX)).toBe('done');
    expect(begun(signed(1), SIGNED_MIN)).toBe('done');
    expect(begun(signed(1), SIGNED_MAX)).toBe('done');
    expect(begun(signed(1), SIGNED_MAX + 1n)).toBe('out_of_range');
    expect(begun(signed(1), SIGNED_MIN - 1n)).toBe('out_of_range');
  });
});
