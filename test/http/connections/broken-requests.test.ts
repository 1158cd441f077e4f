import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { answerBrokenRequest } from '../../../src/http/connections/broken-requests.ts';

/** Both ends of a connection, on which the client has sent a text. */
async function connection(text = 'garbage') {
  const server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect({
    port: (server.address() as AddressInfo).port,
    host: '127.0.0.1',
    allowHalfOpen: true,
  });
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  let received = '';
  client.setEncoding('latin1').on('data', (more: string) => {
    received += more;
  });
  if (text !== '') {
    client.write(text);
    await once(socket, 'readable');
  }
  return { client, socket, received: () => received };
}

const broken = () => new Error('broken');

test('a request that cannot be read is answered once, and told of once, in however many pieces it comes', async () => {
  const { client, socket, received } = await connection();
  const statuses: number[] = [];
  for (let piece = 0; piece < 3; piece++)
    answerBrokenRequest(broken(), socket, (status) => statuses.push(status));
  // Its client may still be sending.
  expect(socket.destroyed).toBe(false);
  await once(client, 'end');
  expect(received().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
  expect(statuses).toEqual([400]);
});

test('nothing is told of a client that never said a word', async () => {
  const { client, socket, received } = await connection('');
  const tell = vi.fn();
  answerBrokenRequest(Object.assign(broken(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket, tell);
  await once(client, 'end');
  expect(received()).toContain('HTTP/1.1 408');
  expect(tell).not.toHaveBeenCalled();
});

test('a connection that its client has reset is just closed, since nobody would take the answer', async () => {
  const { socket } = await connection();
  const tell = vi.fn();
  answerBrokenRequest(Object.assign(broken(), { code: 'ECONNRESET' }), socket, tell);
  expect(socket.destroyed).toBe(true);
  expect(tell).not.toHaveBeenCalled();
});

test('what comes behind the last answer of a connection is no request, and has no answer', async () => {
  const { client, socket, received } = await connection();
  const tell = vi.fn();
  socket.end('last');
  answerBrokenRequest(broken(), socket, tell);
  expect([socket.destroyed, tell.mock.calls]).toEqual([false, []]);
  await once(client, 'end');
  expect(received()).toBe('last');
});

/** Sends a text to a server that has begun its answer where the rest cannot be read; gives what comes of that. */
async function sentBehindBegunAnswer(text: string, connection: string) {
  const tell = vi.fn();
  const server = createHttpServer((_request, response) => {
    response.writeHead(200, { connection, 'content-length': 15 }).write('begun');
    server.once('clientError', (error, socket) => {
      answerBrokenRequest(error, socket as Socket, tell);
      response.end(', and over');
    });
  });
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  client.write(text);
  let received = '';
  for await (const text of client.setEncoding('latin1')) received += text;
  return { received, tell };
}

test('nor has what comes while that is still being made', async () => {
  const { received, tell } = await sentBehindBegunAnswer('GET / HTTP/1.1\r\nHost: x\r\n\r\ngarbage', 'close');
  expect(received).toMatch(/^HTTP.*\r\n\r\nbegun, and over$/s);
  expect(tell).not.toHaveBeenCalled();
});

test.each(['close', 'keep-alive'])(
  'an answer that was begun before the rest of its request is broken is made to its end (%s)',
  async (connection) => {
    const request = 'GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n';
    const { received, tell } = await sentBehindBegunAnswer(request, connection);
    expect(received).toMatch(/^HTTP.*\r\n\r\nbegun, and over$/s);
    expect(tell).not.toHaveBeenCalled();
  },
);

test('a client may go on sending for a second, which is read, and is cut off then', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { client, socket } = await connection();
  answerBrokenRequest(broken(), socket);
  await once(client.resume(), 'end');
  client.write('x'.repeat(1_000_000));
  while (socket.bytesRead < 1_000_000) await new Promise(setImmediate);
  vi.advanceTimersByTime(999);
  expect(socket.destroyed).toBe(false);
  vi.advanceTimersByTime(1);
  expect(socket.destroyed).toBe(true);
});
