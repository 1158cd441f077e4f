import { describe, expect, test } from 'vitest';
import { VALUE_AT, ValueBuffer } from '../../../src/http/items/value-buffer.ts';

const LENGTHS = [1, 2, 3, 4, 5, 255, 256, 257, 1000];

function bufferWith(length: number, at: number, bytes: readonly number[]) {
  const buffer = new ValueBuffer(2000);
  buffer.bytes.fill('a', VALUE_AT, VALUE_AT + length);
  buffer.bytes.set(bytes, VALUE_AT + at);
  return buffer;
}

/** Every place in a value of each length where so many bytes fit. */
function places(bytes: number): [length: number, at: number][] {
  return LENGTHS.filter((length) => length >= bytes).flatMap((length) =>
    Array.from({ length: length - bytes + 1 }, (_, at): [number, number] => [length, at]),
  );
}

describe('a value is not plain JSON text', () => {
  const escaped = [...Array.from({ length: 0x20 }, (_, byte) => byte), 0x22, 0x5c];
  test.each(escaped)('with the byte %i anywhere in it', (byte) => {
    for (const [length, at] of places(1)) {
      const buffer = bufferWith(length, at, [byte]);
      expect(buffer.isPlainUtf8(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(false);
      expect(buffer.isPlain(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(false);
    }
  });
});

test('all other characters are plain', () => {
  for (const text of [' ', '!', '#', '[', ']', '~', '\x7f', 'é', '€', '😀']) {
    const bytes = [...Buffer.from(text)];
    for (const [length, at] of places(bytes.length)) {
      const buffer = bufferWith(length, at, bytes);
      expect(buffer.isPlainUtf8(VALUE_AT + length), `${text}, ${length} bytes`).toBe(true);
      expect(buffer.isPlain(VALUE_AT + length), `${text}, ${length} bytes`).toBe(true);
    }
  }
});

test('bytes that are no UTF-8 are told', () => {
  for (const [length, at] of places(1)) {
    expect(bufferWith(length, at, [0xe9]).isPlainUtf8(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(
      false,
    );
  }
});
