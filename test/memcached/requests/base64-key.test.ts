import { expect, test } from 'vitest';
import { KeyBytes } from '../../../src/engine/key.ts';
import { keyFromBase64, keyToBase64 } from '../../../src/memcached/requests/base64-key.ts';

/** Reads it from the midst of a buffer, as from a line. */
function decode(text: string): string | undefined {
  const line = Buffer.from(`mg ${text} b`, 'latin1');
  return keyFromBase64(line, 3, 3 + text.length)?.toString();
}

test.each([
  ['YQ==', 'a'],
  ['YWI=', 'ab'],
  ['YWJj', 'abc'],
  ['/w0K', '\xff\r\n'],
  ['Y.W-J_j', 'abc'],
  ['YQ==YQ==', 'a'],
  ['YR==', 'a'],
  ['YQ=a', 'a\0'],
])('%j is the key %j', (text, key) => {
  expect(decode(text)).toBe(key);
});

test.each(['', 'YQ', 'YQ=', 'Y===', '====', '!!!!'])('%j is none', (text) => {
  expect(decode(text)).toBeUndefined();
});

test.each([1, 2, 3, 4, 186, 187])('a key of %i bytes comes back, whatever they are', (length) => {
  for (let first = 0; first < 256; first++) {
    const bytes = Buffer.from(Array.from({ length }, (_, i) => first + i));
    const text = keyToBase64(new KeyBytes(bytes, 0, length));
    expect(text).toBe(bytes.toString('base64'));
    expect(decode(text)).toBe(bytes.toString('latin1'));
  }
});
