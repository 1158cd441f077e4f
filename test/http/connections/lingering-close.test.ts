import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { NEVER } from '../../../src/engine/item.ts';
import { LINGER_MS } from '../../../src/http/connections/lingering-close.ts';
import { AUTHORIZED, PROJECT, path, type TestAppOptions, testApp } from '../../support/app.ts';

/** Both ends of a connection, of which our client's stays open until it is ended. */
async function connection(options: TestAppOptions = {}) {
  const { app, engine, listen } = await testApp(options);
  const port = await listen();
  const accepted = once(app.server, 'connection') as Promise<[Socket]>;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const [server] = await accepted;
  let requests = 0;
  app.server.on('request', () => requests++);
  onTestFinished(async () => {
    client.destroy();
    await app.close();
  });
  return { client, server, engine, requests: () => requests };
}

const HEADERS = `HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\n`;
const GET = `GET /version ${HEADERS}\r\n`;
const LAST = `GET /version ${HEADERS}Connection: close\r\n\r\n`;

async function answered(client: Socket): Promise<void> {
  client.resume();
  await once(client, 'end');
}

function stopTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

test('a connection is closed at once behind its last answer where nothing more is to be expected', async () => {
  const { client, server } = await connection();
  stopTimers();
  client.write(LAST);
  await answered(client);
  while (!server.closed) await nextTurn();
});

test('one whose client has sent more is closed by that, or after a while', async () => {
  const { client, server } = await connection();
  stopTimers();
  client.write(LAST + GET);
  await answered(client);
  vi.advanceTimersByTime(LINGER_MS - 1);
  client.write(GET);
  while (server.bytesRead < LAST.length + 2 * GET.length) await nextTurn();
  expect(server.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  while (!server.closed) await nextTurn();
});

test('a client has its last answer whole where it sent more behind it than is read', async () => {
  const { client, server, engine } = await connection({ isStopping: () => true });
  // The system takes that much for it, in part on our side.
  const value = 'v'.repeat(1_000_000);
  const item = { value: Buffer.from(value), kind: 'text', flags: 0, expiresAt: NEVER } as const;
  engine.cache(PROJECT, 'c').store('set', 'k', item);
  client.pause();
  client.write(GET.replace('/version', path('c', 'k')) + GET.repeat(10_000));
  while (!server.writableFinished && !server.destroyed) await nextTurn();
  let received = '';
  for await (const chunk of client) received += chunk.toString('latin1');
  expect(received.split(value)).toHaveLength(2);
});

test('no request is read any more behind the last answer, be it sent while the connection is open', async () => {
  // That a client itself asks for the last answer is heeded by Node’s parser, too.
  const { client, server, requests } = await connection({ isStopping: () => true });
  client.write(GET.repeat(2));
  await answered(client);
  const before = requests();
  client.end(GET.repeat(3));
  while (!server.closed) await nextTurn();
  expect(requests()).toBe(before);
  expect(server.bytesRead).toBe(5 * GET.length);
});
