import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { closeConnectionsInOrder } from '../../../src/http/connections/idle-connections.ts';

test('answers that are yet to be taken stay as they are, and are waited for once, however often idle connections are closed', async () => {
  const responses: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    responses.push(response);
    response.end(Buffer.alloc(16 * 1024 * 1024));
  });
  closeConnectionsInOrder(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const clients = [1, 2].map(() => connect(port, '127.0.0.1'));
  for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  while (responses.length < 2) await nextTurn();
  const listeners = () => responses.map((response) => response.listenerCount('finish'));
  server.closeIdleConnections();
  const first = listeners();
  server.closeIdleConnections();
  expect(responses.map(({ writableEnded }) => writableEnded)).toEqual([true, true]);
  expect(listeners()).toEqual(first);
  for (const client of clients) client.destroy();
});
