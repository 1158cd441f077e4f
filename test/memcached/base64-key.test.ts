import { expect, test } from 'vitest';
import { keyFromBase64, keyToBase64 } from '../../src/memcached/base64-key.ts';

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
  expect(keyFromBase64(text)).toBe(key);
});

test.each(['', 'YQ', 'YQ=', 'Y===', '====', '!!!!'])('%j is none', (text) => {
  expect(keyFromBase64(text)).toBeUndefined();
});

test('a key of any bytes comes back', () => {
  const key = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1');
  expect(keyFromBase64(keyToBase64(key))).toBe(key);
});
