import { EventEmitter } from 'node:events';
import { createServer, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ConnectionLimit } from '../../src/limits/connection-limit.ts';
import { heapBytes } from '../support/garbage.ts';

test('a connection beyond a limit is told so, as long as there are files for that; those that end make room', () => {
  const together = { open: 0, max: 3 };
  const verdicts: string[] = [];
  const server = createServer(() => verdicts.push('served'));
  const limit = new ConnectionLimit({ max: 2, perAddressMax: 0, together });
  limit.guard(server, (_socket, refusal) => verdicts.push(refusal));
  const sockets = Array.from({ length: 6 }, () => new Socket());
  const end = (i: number) => sockets[i]?.emit('close', false);
  for (const socket of sockets.slice(0, 4)) server.emit('connection', socket);
  expect([verdicts.splice(0), together.open]).toEqual([['served', 'served', 'too_many', 'no_file'], 3]);
  for (const i of [3, 2, 0]) end(i);
  expect(together.open).toBe(1);
  for (const socket of sockets.slice(4)) server.emit('connection', socket);
  expect([verdicts, together.open]).toEqual([['served', 'too_many'], 3]);
});

test('an address that has no connection any more is forgotten', () => {
  const server = createServer();
  new ConnectionLimit({ max: 2, perAddressMax: 1 }).guard(server, () => expect.unreachable());
  const before = heapBytes();
  for (let i = 0; i < 50_000; i++) {
    const remoteAddress = `10.0.${i >> 8}.${i & 255}`;
    const socket = Object.assign(new EventEmitter(), { remoteAddress });
    server.emit('connection', socket);
    socket.emit('close');
  }
  expect(heapBytes() - before).toBeLessThan(1024 * 1024);
  expect(server.listening).toBe(false);
});
