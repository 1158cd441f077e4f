import { describe, expect, test } from 'vitest';
import { VALUE_AT, ValueRoom } from '../../../src/http/items/value-room.ts';

const LENGTHS = [1, 2, 3, 4, 5, 255, 256, 257, 1000];

function roomWith(length: number, at: number, bytes: readonly number[]) {
  const room = new ValueRoom(2000);
  room.bytes.fill('a', VALUE_AT, VALUE_AT + length);
  room.bytes.set(bytes, VALUE_AT + at);
  return room;
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
      const room = roomWith(length, at, [byte]);
      expect(room.isPlainUtf8(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(false);
      expect(room.isPlain(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(false);
    }
  });
});

test('all other characters are plain', () => {
  for (const text of [' ', '!', '#', '[', ']', '~', '\x7f', 'é', '€', '😀']) {
    const bytes = [...Buffer.from(text)];
    for (const [length, at] of places(bytes.length)) {
      const room = roomWith(length, at, bytes);
      expect(room.isPlainUtf8(VALUE_AT + length), `${text}, ${length} bytes`).toBe(true);
      expect(room.isPlain(VALUE_AT + length), `${text}, ${length} bytes`).toBe(true);
    }
  }
});

test('bytes that are no UTF-8 are told', () => {
  for (const [length, at] of places(1)) {
    expect(roomWith(length, at, [0xe9]).isPlainUtf8(VALUE_AT + length), `${length} bytes, at ${at}`).toBe(
      false,
    );
  }
});
