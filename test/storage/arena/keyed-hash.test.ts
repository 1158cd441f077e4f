import { describe, expect, test } from 'vitest';
import { KeyBytes } from '../../../src/engine/key.ts';
import { KeyedHash } from '../../../src/storage/arena/keyed-hash.ts';

/** Somewhere within a buffer, as keys lie in what a client sends. */
function bytesOf(key: string): KeyBytes {
  return new KeyBytes(Buffer.from(`..${key}..`, 'latin1'), 2, key.length);
}

describe('the hash', () => {
  test('depends on every byte of the key, on its length, on the salt and on the secret', () => {
    const hash = new KeyedHash(Buffer.from('12345678'));
    const keys = [
      '',
      'a',
      'b',
      'ab',
      'ba',
      'abc',
      'abcd',
      'abcde',
      'abcdf',
      'abcd\0',
      '\0',
      '\0\0',
      'ÿ',
      'x'.repeat(250),
    ];
    const hashes = keys.flatMap((key) => [hash.of(bytesOf(key), 1), hash.of(bytesOf(key), 2)]);
    expect(new Set(hashes).size).toBe(2 * keys.length);
    expect(hash.of(bytesOf('abc'), 1)).toBe(new KeyedHash(Buffer.from('12345678')).of(bytesOf('abc'), 1));
    expect(hash.of(bytesOf('abc'), 1)).not.toBe(new KeyedHash(Buffer.from('12345679')).of(bytesOf('abc'), 1));
    expect(new KeyedHash().of(bytesOf('abc'), 1)).not.toBe(new KeyedHash().of(bytesOf('abc'), 1));
  });

  test('spreads keys that differ little', () => {
    const hash = new KeyedHash(Buffer.from('12345678'));
    const counts = new Uint32Array(256);
    for (let i = 0; i < 25_600; i++) {
      const bucket = hash.of(bytesOf(`user:${i}`), 1) & 255;
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    expect(Math.max(...counts)).toBeLessThan(150);
    expect(Math.min(...counts)).toBeGreaterThan(60);
  });
});
