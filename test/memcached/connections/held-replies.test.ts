import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HeldReplies } from '../../../src/memcached/connections/held-replies.ts';
import { type DoorOptions, testDoor } from '../../support/memcached-door.ts';
import { TestGate } from '../../support/test-gate.ts';

async function heldDoor(limits: DoorOptions['limits'] = {}) {
  const gate = new TestGate();
  gate.isOpen = true;
  const door = await testDoor({ commitGate: gate, limits });
  const client = await door.signedIn();
  gate.isOpen = false;
  return { gate, client, door };
}

test('replies wait until what they tell is kept, and come in their order', async () => {
  const { gate, client } = await heldDoor();
  client.send('set a 0 0 1\r\n1\r\n');
  await gate.holds(1);
  client.send(`set b 0 0 100000\r\n${'b'.repeat(100_000)}\r\nget a b\r\n`);
  await gate.holds(2);
  expect(client.unreadLength).toBe(0);
  gate.release(true);
  expect(await client.takeThrough('END\r\n')).toBe(
    `STORED\r\nSTORED\r\nVALUE a 0 1\r\n1\r\nVALUE b 0 100000\r\n${'b'.repeat(100_000)}\r\nEND\r\n`,
  );
  gate.isOpen = true;
  expect(await client.ask('mn\r\n')).toBe('MN\r\n');
});

test('none overtakes those that wait, though the gate is open again', async () => {
  const { gate, client, door } = await heldDoor();
  client.send('set a 0 0 1\r\n1\r\n');
  await gate.holds(1);
  gate.isOpen = true;
  client.send('mn\r\n');
  await (await door.signedIn()).ask('mn\r\n');
  expect(client.unreadLength).toBe(0);
  gate.release(true);
  expect(await client.takeThrough('MN\r\n')).toBe('STORED\r\nMN\r\n');
});

test('where it cannot be kept, the connection is closed without them', async () => {
  const { gate, client, door } = await heldDoor();
  client.send('set a 0 0 1\r\n1\r\n');
  await gate.holds(1);
  client.send('get a\r\n');
  await gate.holds(2);
  gate.release(false);
  expect(await client.rest()).toBe('');
  gate.isOpen = true;
  expect(await (await door.signedIn()).ask('get none\r\n')).toBe('END\r\n');
});

test('a client that quits, and a stop, have their replies first', async () => {
  const { gate, client, door } = await heldDoor();
  client.send('set a 0 0 1\r\n1\r\nquit\r\n');
  await gate.holds(1);
  const stopped = door.listener.stop(10_000);
  gate.release(true);
  expect(await client.rest()).toBe('STORED\r\n');
  await stopped;
});

test('more replies than may wait hold up further commands, which go on afterwards', async () => {
  const { gate, client } = await heldDoor();
  gate.isOpen = true;
  expect(await client.ask(`set a 0 0 500000\r\n${'a'.repeat(500_000)}\r\n`)).toBe('STORED\r\n');
  gate.isOpen = false;
  client.send(`${'get a\r\n'.repeat(10)}mn\r\n`);
  await gate.holds(1);
  expect(client.unreadLength).toBe(0);
  gate.isOpen = true;
  gate.release(true);
  const received = await client.takeThrough('MN\r\n');
  expect(received.split('VALUE').length - 1).toBe(10);
});

test('a listing of which more waits than may goes on when that has left', async () => {
  const { gate, client } = await heldDoor({ unansweredBytesMax: 64 * 1024 });
  const items = Array.from({ length: 3000 }, (_, i) => `set key${i} 0 0 1 noreply\r\n1\r\n`);
  client.send(`${items.join('')}lru_crawler metadump all\r\n`);
  await gate.holds(1);
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  expect(gate.count).toBe(1);
  gate.isOpen = true;
  gate.release(true);
  const listed = await client.takeThrough('END\r\n');
  expect(listed.match(/^key=/gm)).toHaveLength(items.length);
});

test('the room of a large reply is given back when it has left', () => {
  const gate = new TestGate();
  const socket = new PassThrough({ highWaterMark: 64 * 1024 });
  const connection = {
    write: (bytes: Buffer) => socket.write(bytes),
    waiting: () => 0,
    needsDrain: () => false,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    expectDrain: () => {},
    end: () => socket.end(),
    abort: () => socket.destroy(),
  };
  const replies = new HeldReplies({ connection, gate, released: () => {} });
  let taken = 0;
  replies.write(Buffer.alloc(20_000), () => taken++);
  expect(taken).toBe(0);
  gate.release(true);
  expect([taken, socket.readableLength]).toEqual([1, 20_000]);
});
