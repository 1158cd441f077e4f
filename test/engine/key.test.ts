import { describe, expect, test } from 'vitest';
import { keyFromText } from '../../src/engine/key.ts';

describe('a key', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['with space & 100%', 'with space & 100%'],
    ['\u0000\u007f', '\u0000\u007f'],
    ['é', '\u00c3\u00a9'],
    ['\u0080', '\u00c2\u0080'],
    ['日', '\u00e6\u0097\u00a5'],
    ['😀', '\u00f0\u009f\u0098\u0080'],
  ])('%j is the string of its UTF-8 bytes', (text, key) => {
    expect(keyFromText(text)).toBe(key);
  });

  test('that is sent as text by one door is the key that the other door receives as bytes', () => {
    const received = Buffer.from('größe:ключ', 'utf8').toString('latin1');
    expect(keyFromText('größe:ключ')).toBe(received);
  });
});
