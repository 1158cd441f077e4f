import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TurnEnd } from '../../src/memcached/turn-end.ts';
import { testDoor } from '../support/memcached-door.ts';

test('sends at the end of the turn, in order', async () => {
  const turnEnd = new TurnEnd();
  const sent: number[] = [];
  for (const i of [1, 2, 3]) turnEnd.add(() => sent.push(i));
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual([1, 2, 3]);
  turnEnd.add(() => sent.push(4));
  await nextTurn();
  expect(sent).toEqual([1, 2, 3, 4]);
});

test('sends at once when many wait, and those that come after them, too', async () => {
  const turnEnd = new TurnEnd();
  const sent: number[] = [];
  for (let i = 1; i <= 40; i++) turnEnd.add(() => sent.push(i));
  expect(sent.length).toBe(32);
  await nextTurn();
  expect(sent).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
});

test('what is added while others are sent has its turn, too', async () => {
  const turnEnd = new TurnEnd();
  const sent: string[] = [];
  turnEnd.add(() => {
    sent.push('first');
    turnEnd.add(() => sent.push('second'));
  });
  await nextTurn();
  await nextTurn();
  expect(sent).toEqual(['first', 'second']);
});

test('many clients that ask at once each have their own answers, in order', async () => {
  const door = await testDoor();
  const clients = await Promise.all(Array.from({ length: 50 }, () => door.signedIn()));
  for (let round = 0; round < 20; round++) {
    for (const [i, client] of clients.entries()) {
      const value = `${i}-${round}`.padEnd(round % 5 === 0 ? 20_000 : 10, '.');
      client.send(`set k${i} 0 0 ${value.length}\r\n${value}\r\nget k${i}\r\nmn\r\n`);
    }
    for (const [i, client] of clients.entries()) {
      const value = `${i}-${round}`.padEnd(round % 5 === 0 ? 20_000 : 10, '.');
      expect(await client.takeThrough('MN\r\n')).toBe(
        `STORED\r\nVALUE k${i} 0 ${value.length}\r\n${value}\r\nEND\r\nMN\r\n`,
      );
    }
  }
});
