import { describe, expect, test } from 'vitest';
import { type Arithmetic, type ArithmeticOptions, calculate } from '../../src/engine/arithmetic.ts';
import { type Item, NEVER, type ValueKind } from '../../src/engine/item.ts';

import { itemOf } from '../support/item.ts';

const NEXT_CAS = 42;

const up = (delta: bigint): Arithmetic => ({ rule: 'unsigned', direction: 'up', delta });
const down = (delta: bigint): Arithmetic => ({ rule: 'unsigned', direction: 'down', delta });
const signed = (delta: bigint): Arithmetic => ({ rule: 'signed', delta });

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
  });
}

/** What is stored then and what is told; or why nothing is. */
function reckon(value: string, by: Arithmetic, kind?: ValueKind): [string, bigint] | string {
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
    expect(reckon('41', up(1n))).toEqual(['42', 42n]);
    expect(reckon('41', down(1n))).toEqual(['40', 40n]);
    expect(reckon('99', up(1n))).toEqual(['100', 100n]);
    expect(reckon('5', up(0n))).toEqual(['5', 5n]);
  });

  test('adding wraps around at 2^64', () => {
    expect(reckon(String(UNSIGNED_MAX), up(0n))).toEqual([String(UNSIGNED_MAX), UNSIGNED_MAX]);
    expect(reckon(String(UNSIGNED_MAX), up(1n))).toEqual(['0'.padEnd(20), 0n]);
    expect(reckon('10', up(UNSIGNED_MAX))).toEqual(['9 ', 9n]);
  });

  test('subtracting stops at 0', () => {
    expect(reckon('5', down(5n))).toEqual(['0', 0n]);
    expect(reckon('5', down(6n))).toEqual(['0', 0n]);
    expect(reckon('5', down(UNSIGNED_MAX))).toEqual(['0', 0n]);
  });

  test('all 64 bits count', () => {
    expect(reckon('9007199254740992', up(1n))).toEqual(['9007199254740993', 9007199254740993n]);
    expect(reckon(String(UNSIGNED_MAX), down(1n))).toEqual(['18446744073709551614', UNSIGNED_MAX - 1n]);
  });

  test('a result that is shorter keeps the length, with spaces behind', () => {
    expect(reckon('10', down(1n))).toEqual(['9 ', 9n]);
    expect(reckon('9 ', up(1n))).toEqual(['10', 10n]);
    expect(reckon('9 ', up(991n))).toEqual(['1000', 1000n]);
    expect(reckon('100', down(100n))).toEqual(['0  ', 0n]);
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
    expect(reckon(before, up(1n))).toEqual([after, BigInt(after.trim())]);
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
    expect(reckon(before, up(1n))).toBe('not_numeric');
    expect(reckon(before, down(1n))).toBe('not_numeric');
  });
});

describe('by the rule of REST', () => {
  test('numbers go up and down, below 0 as well', () => {
    expect(reckon('41', signed(1n))).toEqual(['42', 42n]);
    expect(reckon('1', signed(-3n))).toEqual(['-2', -2n]);
    expect(reckon('-2', signed(2n))).toEqual(['0', 0n]);
    expect(reckon('10', signed(-1n))).toEqual(['9', 9n]);
  });

  test('either end is reached exactly, and never passed', () => {
    expect(reckon(String(SIGNED_MAX - 1n), signed(1n))).toEqual([String(SIGNED_MAX), SIGNED_MAX]);
    expect(reckon(String(SIGNED_MAX), signed(1n))).toBe('out_of_range');
    expect(reckon(String(SIGNED_MIN + 1n), signed(-1n))).toEqual([String(SIGNED_MIN), SIGNED_MIN]);
    expect(reckon(String(SIGNED_MIN), signed(-1n))).toBe('out_of_range');
    expect(reckon('0', signed(2n ** 70n))).toBe('out_of_range');
  });

  test('a number that memcached padded is one, and loses the padding', () => {
    expect(reckon('9 ', signed(1n))).toEqual(['10', 10n]);
    expect(reckon(`7${' '.repeat(100)}`, signed(1n))).toEqual(['8', 8n]);
  });

  test.each([
    ['007', 8n],
    ['-0', 1n],
    [`-${'0'.repeat(40)}9`, -8n],
  ])('reads %j as a number', (before, after) => {
    expect(reckon(before, signed(1n))).toEqual([String(after), after]);
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
    expect(reckon(before, signed(1n))).toBe('not_numeric');
  });
});

describe('either rule', () => {
  test.each(['bytes', 'text', 'number'] as const)('counts in %s, and makes a number of it', (kind) => {
    for (const by of [up(1n), signed(1n)]) {
      expect(calculate(by)(item('5', kind), NEXT_CAS)).toMatchObject({ draft: { kind: 'number' } });
    }
  });

  test('does not count in other JSON values', () => {
    expect(reckon('5', up(1n), 'json')).toBe('not_numeric');
    expect(reckon('5', signed(1n), 'json')).toBe('not_numeric');
  });

  test('keeps the flags and the expiry, and gives the next cas', () => {
    expect(calculate(up(1n))(item('5'), NEXT_CAS)).toEqual({
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
      outcome: { status: 'done', value: 6n, cas: NEXT_CAS, expiredAt: 1000, created: false },
    });
  });

  test('gives another expiry when asked to, and tells the old one', () => {
    expect(calculate(signed(1n), { expiresAt: NEVER })(item('5'), NEXT_CAS)).toMatchObject({
      draft: { expiresAt: NEVER },
      outcome: { expiredAt: 1000 },
    });
  });

  test('gives another cas when asked to', () => {
    const options = { explicitCas: 99, initial: { value: 1n, expiresAt: NEVER } };
    for (const current of [item('5'), undefined]) {
      expect(calculate(up(1n), options)(current, NEXT_CAS)).toMatchObject({
        draft: { cas: 99 },
        outcome: { cas: 99 },
      });
    }
  });

  test('changes only the expected version', () => {
    expect(calculate(up(1n), { onlyIf: 17 })(item('5'), NEXT_CAS).outcome.status).toBe('done');
    expect(calculate(up(1n), { onlyIf: 18 })(item('5'), NEXT_CAS)).toEqual({
      action: 'keep',
      outcome: { status: 'exists' },
    });
    expect(calculate(up(1n), { onlyIf: 18 })(item('x'), NEXT_CAS).outcome.status).toBe('exists');
  });

  test('has nothing to do where no item is', () => {
    const nothing = { action: 'keep', outcome: { status: 'not_found' } };
    expect(calculate(up(1n))(undefined, NEXT_CAS)).toEqual(nothing);
    expect(calculate(signed(1n), { onlyIf: 17 })(undefined, NEXT_CAS)).toEqual(nothing);
  });
});

describe('a missing item with an initial value', () => {
  const starting = (value: bigint): ArithmeticOptions => ({ initial: { value, expiresAt: 3000 } });

  test('begins with that value, as it is', () => {
    expect(calculate(up(5n), starting(7n))(undefined, NEXT_CAS)).toEqual({
      action: 'put',
      draft: { value: Buffer.from('7'), kind: 'number', flags: 0, expiresAt: 3000, cas: NEXT_CAS },
      outcome: { status: 'done', value: 7n, cas: NEXT_CAS, expiredAt: NEVER, created: true },
    });
  });

  test('may begin with any number of its rule, and no other', () => {
    const begun = (by: Arithmetic, value: bigint) =>
      calculate(by, starting(value))(undefined, NEXT_CAS).outcome.status;
    expect(begun(up(1n), UNSIGNED_MAX)).toBe('done');
    expect(begun(signed(1n), SIGNED_MIN)).toBe('done');
    expect(begun(signed(1n), SIGNED_MAX)).toBe('done');
    expect(begun(signed(1n), SIGNED_MAX + 1n)).toBe('out_of_range');
    expect(begun(signed(1n), SIGNED_MIN - 1n)).toBe('out_of_range');
  });
});
