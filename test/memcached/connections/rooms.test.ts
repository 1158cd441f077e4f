import { expect, test } from 'vitest';
import { Rooms } from '../../../src/memcached/connections/rooms.ts';

const MIB = 1024 * 1024;

test('a room has what is asked for, at most twice as much, and is lent again', () => {
  const rooms = new Rooms();
  for (const bytes of [MIB / 64 + 1, 300_000, MIB, 2 * MIB + 500, 4 * MIB]) {
    const room = rooms.take(bytes);
    expect(room.bytes.length).toBeGreaterThanOrEqual(bytes);
    expect(room.bytes.length).toBeLessThan(2 * bytes);
    room.giveBack();
    expect(rooms.take(bytes)).toBe(room);
  }
});

test('nobody has the room of another', () => {
  const rooms = new Rooms();
  const taken = Array.from({ length: 20 }, () => rooms.take(300_000));
  expect(new Set(taken.map(({ bytes }) => bytes.buffer)).size).toBe(20);
  for (const room of taken) room.giveBack();
  expect(new Set(Array.from({ length: 20 }, () => rooms.take(300_000)))).toEqual(new Set(taken));
});

test('the largest get a room of their own, which is not kept', () => {
  const rooms = new Rooms();
  const room = rooms.take(5 * MIB);
  expect(room.bytes.length).toBe(5 * MIB);
  room.giveBack();
  expect(rooms.take(5 * MIB)).not.toBe(room);
});

test('what is needed again and again stays; what is not is let go of', () => {
  const rooms = new Rooms();
  const [one, other] = [rooms.take(MIB), rooms.take(MIB)];
  other.giveBack();
  one.giveBack();
  // Both were needed until now.
  rooms.trim();
  for (let i = 0; i < 3; i++) {
    const again = rooms.take(MIB);
    expect(again).toBe(one);
    again.giveBack();
    rooms.trim();
  }
  const two = [rooms.take(MIB), rooms.take(MIB)];
  expect(two[0]).toBe(one);
  expect(two[1]).not.toBe(other);
});

test('views of a room are its own bytes, and kept', () => {
  const room = new Rooms().take();
  room.bytes.write('hello');
  expect(room.first(4).toString()).toBe('hell');
  for (const length of [4, 100_000]) expect(room.first(length)).toBe(room.first(length));
});
