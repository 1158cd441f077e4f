import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { SharedRoom } from '../../../src/http/items/shared-room.ts';
import { VALUE_AT, type ValueRoom } from '../../../src/http/items/value-room.ts';

const KIB = 1024;

/** Room for an answer that is sent at once. */
function forSentAnswer(shared: SharedRoom, bytes: number): ValueRoom {
  const response = unsent();
  const room = shared.forAnswer(bytes, response);
  response.emit('finish');
  return room;
}

function unsent(): ServerResponse {
  return new ServerResponse(new IncomingMessage(new Socket()));
}

test.each([1, 32 * KIB, 32 * KIB + 1, 128 * KIB, 128 * KIB + 1, 512 * KIB + 1, 1024 * KIB, 1024 * KIB + 1])(
  'there is room for a value of %i bytes and what stands around it, for an answer of at most twice that or 32 KB',
  (bytes) => {
    const shared = new SharedRoom();
    const answer = forSentAnswer(shared, bytes);
    for (const room of [shared.forValue(bytes), answer]) {
      expect(room.bytes.length).toBeGreaterThan(VALUE_AT + bytes);
    }
    expect(answer.valueBytesMax).toBeLessThanOrEqual(Math.max(32 * KIB, 2 * bytes));
  },
);

test.each([
  [20 * KIB, 17],
  [100 * KIB, 8],
  [500 * KIB, 2],
])('answers with %i bytes take turns with the memory of %i', (bytes, count) => {
  const shared = new SharedRoom();
  const rooms = Array.from({ length: 3 * count }, () => forSentAnswer(shared, bytes));
  expect(new Set(rooms).size).toBe(count);
});

test('an answer that is not finished keeps its memory to itself', () => {
  const shared = new SharedRoom();
  const kept = Array.from({ length: 20 }, () => shared.forAnswer(100 * KIB, unsent()));
  const later = Array.from({ length: 20 }, () => forSentAnswer(shared, 100 * KIB));
  expect(new Set(kept).size).toBe(20);
  expect(later.some((room) => kept.includes(room))).toBe(false);
});

test.each([
  [900 * KIB, 1],
  [1025 * KIB, 5],
])(
  'values of %i bytes that are looked at one after the other take the memory of %i in five',
  (bytes, count) => {
    const shared = new SharedRoom();
    const rooms = Array.from({ length: 5 }, () => shared.forValue(bytes));
    expect(new Set(rooms).size).toBe(count);
  },
);
