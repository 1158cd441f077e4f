import { describe, expect, test } from 'vitest';
import { int32From, uint32From, uint64From } from '../../../src/memcached/requests/numbers.ts';

describe('a 32-bit signed number', () => {
  test.each([
    ['0', 0],
    ['12', 12],
    ['-1', -1],
    ['+5', 5],
    ['007', 7],
    ['2147483647', 2_147_483_647],
    ['-2147483648', -2_147_483_648],
    [' \t7', 7],
    ['7\tx', 7],
    // Only the low 32 bits are looked at.
    ['2147483648', -2_147_483_648],
    ['4294967296', 0],
    ['9223372036854775807', -1],
  ])('%s is %s', (text, expected) => {
    expect(int32From(text)).toBe(expected);
  });

  test.each(['', '-', '+', 'x', '1x', '1.5', '0x10', '1e3', '--1', ' ', '9223372036854775808', '١'])(
    '%j is none',
    (text) => {
      expect(int32From(text)).toBeUndefined();
    },
  );
});

describe('a 32-bit unsigned number', () => {
  test.each([
    ['0', 0],
    ['999999999', 999_999_999],
    ['4294967295', 4_294_967_295],
    ['4294967296', 0],
    ['4294967301', 5],
    ['18446744073709551615', 4_294_967_295],
    ['-18446744073709551611', 5],
  ])('%s is %s', (text, expected) => {
    expect(uint32From(text)).toBe(expected);
  });

  test.each(['', '-1', '18446744073709551616', 'abc', '1a'])('%j is none', (text) => {
    expect(uint32From(text)).toBeUndefined();
  });
});

describe('a 64-bit unsigned number', () => {
  test.each([
    ['0', 0],
    ['9007199254740993', 9_007_199_254_740_993n],
    ['18446744073709551615', 18_446_744_073_709_551_615n],
    ['+1', 1],
    ['-18446744073709551611', 5],
  ])('%s is %s', (text, expected) => {
    expect(uint64From(text)).toBe(expected);
  });

  test.each(['', '-1', '18446744073709551616', '-9223372036854775808', 'one', '1-'])('%j is none', (text) => {
    expect(uint64From(text)).toBeUndefined();
  });
});
