import { createServer, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { ConnectionLimit } from '../../src/limits/connection-limit.ts';

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
