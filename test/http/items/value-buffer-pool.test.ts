import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { VALUE_AT, type ValueBuffer } from '../../../src/http/items/value-buffer.ts';
import { ValueBufferPool } from '../../../src/http/items/value-buffer-pool.ts';

const KIB = 1024;

/** A buffer for an answer that is sent at once. */
function forSentAnswer(pool: ValueBufferPool, bytes: number): ValueBuffer {
  const response = unsent();
  const buffer = pool.forAnswer(bytes, response);
  response.emit('finish');
  return buffer;
}

function unsent(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

test.each([1, 32 * KIB, 32 * KIB + 1, 128 * KIB, 128 * KIB + 1, 512 * KIB + 1, 1024 * KIB, 1024 * KIB + 1])(
  'there is room for a value of %i bytes and what stands around it, for an answer of at most twice that or 32 KB',
  (bytes) => {
    const pool = new ValueBufferPool();
    const answer = forSentAnswer(pool, bytes);
    for (const buffer of [pool.forValue(bytes), answer]) {
      expect(buffer.bytes.length).toBeGreaterThan(VALUE_AT + bytes);
    }
    expect(answer.valueBytesMax).toBeLessThanOrEqual(Math.max(32 * KIB, 2 * bytes));
  },
);

test.each([
  [20 * KIB, 17],
  [100 * KIB, 8],
  [500 * KIB, 2],
])('answers with %i bytes take turns with the memory of %i', (bytes, count) => {
  const pool = new ValueBufferPool();
  const buffers = Array.from({ length: 3 * count }, () => forSentAnswer(pool, bytes));
  expect(new Set(buffers).size).toBe(count);
});

test('an answer that is not finished keeps its memory to itself', () => {
  const pool = new ValueBufferPool();
  const kept = Array.from({ length: 20 }, () => pool.forAnswer(100 * KIB, unsent()));
  const later = Array.from({ length: 20 }, () => forSentAnswer(pool, 100 * KIB));
  expect(new Set(kept).size).toBe(20);
  expect(later.some((buffer) => kept.includes(buffer))).toBe(false);
});

test.each([
  [900 * KIB, 1],
  [1025 * KIB, 5],
])(
  'values of %i bytes that are looked at one after the other take the memory of %i in five',
  (bytes, count) => {
    const pool = new ValueBufferPool();
    const buffers = Array.from({ length: 5 }, () => pool.forValue(bytes));
    expect(new Set(buffers).size).toBe(count);
  },
);
