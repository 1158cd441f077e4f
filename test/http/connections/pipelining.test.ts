import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { inOrder } from '../../../src/http/connections/pipelining.ts';

const REQUESTS = 20_000;
/** Those of one chunk of 64 KB are read in any case, and another may be on its way. */
const READ_AT_ONCE_MAX = 1_000;

async function serve(listener: RequestListener): Promise<{ server: Server; port: number }> {
  const server = createServer(listener);
  onTestFinished(() => void server.close());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test.each(['GET', 'POST'])(
  'of very many %s requests at once few are read, and all are answered',
  async (method) => {
    const waiting: ServerResponse[] = [];
    let mayAnswer = false;
    let begun = 0;
    let read = 0;
    const listener = inOrder((_request, response) => {
      begun++;
      if (mayAnswer) response.end();
      else waiting.push(response);
    }, 1_000_000);
    const { port } = await serve((request, response) => {
      read++;
      listener(request, response);
    });
    const client = connect(port, '127.0.0.1');
    let received = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    const answers = () => received.split('HTTP/1.1 200 OK').length - 1;
    const request = `${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nX-Padding: ${'x'.repeat(150)}\r\n\r\n`;
    client.write(request.repeat(REQUESTS));
    for (let before = -1; read === 0 || read !== before; await delay(100)) before = read;
    expect(read).toBeLessThan(READ_AT_ONCE_MAX);
    // How much will wait behind an answer that is made later, nobody knows.
    expect(begun).toBe(1);
    mayAnswer = true;
    for (const response of waiting) response.end();
    while (answers() < REQUESTS) await delay(20);
    expect([begun, read, answers()]).toEqual([REQUESTS, REQUESTS, REQUESTS]);
    client.destroy();
  },
);

test.each(['GET', 'POST'])(
  'after a few milliseconds of %s requests that were sent ahead, others have their turn',
  async (method) => {
    let begun = 0;
    const listener = inOrder((_request, response) => {
      begun++;
      for (const end = performance.now() + 1; performance.now() < end; );
      response.end();
    }, 1_000_000);
    const { port } = await serve(listener);
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    let received = '';
    client.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    client.write(`${method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`.repeat(100));
    let most = 0;
    for (let before = 0; before < 100; ) {
      await nextTurn();
      most = Math.max(most, begun - before);
      before = begun;
    }
    // The first was not sent ahead; at the end of a turn, the next begins.
    expect(most).toBeLessThanOrEqual(12);
    while (received.split('HTTP/1.1 200 OK').length - 1 < 100) await delay(5);
  },
);

test('clients that send ahead go on by turns: whoever came first does not keep the others waiting', async () => {
  const { port } = await serve(
    inOrder((request, response) => {
      for (const end = performance.now() + 1; performance.now() < end; );
      response.end(request.url);
    }, 1_000_000),
  );
  const answered: string[] = [];
  const clients = ['/first', '/second'].map((url) => {
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    client.setEncoding('latin1').on('data', (text: string) => {
      answered.push(...(text.match(/\/(?:first|second)/g) ?? []));
    });
    const ask = (times: number) => client.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(times));
    return { ask };
  });
  clients[0]?.ask(300);
  while (answered.length === 0) await delay(1);
  clients[1]?.ask(3);
  while (answered.filter((url) => url === '/second').length < 3) await delay(1);
  expect(answered.length).toBeLessThan(100);
});

test('of very many requests of many clients few are kept: who sent most is cut, and others have their answers', async () => {
  const waiting: ServerResponse[] = [];
  let mayAnswer = false;
  let read = 0;
  let cut = 0;
  const kept = new Map<Socket, number>();
  let most = 0;
  const listener = inOrder(
    (_request, response) => {
      if (mayAnswer) response.end();
      else waiting.push(response);
    },
    1_000_000,
    { cut: () => cut++, abandoned: () => {} },
  );
  const { server, port } = await serve((request, response) => {
    read++;
    kept.set(request.socket, (kept.get(request.socket) ?? 0) + 1);
    most = Math.max(
      most,
      [...kept.values()].reduce((sum, count) => sum + count, 0),
    );
    listener(request, response);
  });
  server.on('connection', (socket: Socket) => socket.once('close', () => kept.delete(socket)));
  const open = (requests: number) => {
    const client = connect(port, '127.0.0.1').on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(requests));
    onTestFinished(() => void client.destroy());
    return client;
  };
  const patient = open(10);
  let answers = '';
  patient.setEncoding('latin1').on('data', (text: string) => {
    answers += text;
  });
  const hasAll = (count: number) => answers.split('HTTP/1.1 200 OK').length - 1 === count;
  const hasty = Array.from({ length: 40 }, () => open(2_000));
  for (let before = -1; read === 0 || read !== before; await delay(100)) before = read;
  expect(most).toBeLessThan(25_000);
  mayAnswer = true;
  for (const client of hasty) client.destroy();
  for (const response of waiting) response.end();
  while (!hasAll(10)) await delay(5);
  // Those that are gone wait no longer.
  answers = '';
  const cutBefore = cut;
  patient.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2_000));
  while (!hasAll(2_000)) await delay(5);
  expect(cut).toBe(cutBefore);
});

test.each([0, 1, 2])(
  'of what is behind the last answer of a connection, nothing is carried out, also while that waits for %i others',
  async (others) => {
    const begun: (string | undefined)[] = [];
    const { port } = await serve(
      inOrder(({ url }, response) => {
        begun.push(url);
        if (url === '/last') response.setHeader('connection', 'close');
        response.end(url);
      }, 1_000_000),
    );
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    const request = (method: string, url: string) =>
      `${method} ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
    client.write(
      request('GET', '/').repeat(others) + request('GET', '/last') + request('POST', '/change').repeat(2),
    );
    let received = '';
    for await (const text of client.setEncoding('latin1')) received += text;
    expect(received.split('HTTP/1.1 200 OK').length - 1).toBe(others + 1);
    expect(begun).toEqual([...Array(others).fill('/'), '/last']);
  },
);

test('of what is behind the last answer of a connection, nothing is kept while that is being made', async () => {
  let last: ServerResponse | undefined;
  let read = 0;
  const listener = inOrder((_request, response) => {
    last = response;
    response.writeHead(200, { connection: 'close' }).write('begun');
  }, 1_000_000);
  const { server, port } = await serve((request, response) => {
    read++;
    listener(request, response);
  });
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const [socket] = await accepted;
  const sent = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(REQUESTS);
  client.write(sent);
  while (socket.bytesRead < sent.length) await nextTurn();
  expect(read).toBe(2);
  last?.end(', and over');
  let received = '';
  for await (const text of client.setEncoding('latin1')) received += text;
  expect(received).toMatch(/^5\r\nbegun\r\na\r\n, and over\r\n0\r\n\r\n$/m);
});

test('GET and HEAD requests overtake an answer that its client has yet to take, until one is answered later', async () => {
  const begun: string[] = [];
  const late: ServerResponse[] = [];
  const { port } = await serve(
    inOrder(({ method, url }, response) => {
      begun.push(`${method} ${url}`);
      if (url === '/late') late.push(response);
      else response.end(url === '/large' ? Buffer.alloc(16 * 1024 * 1024) : 'small');
    }, 1_000_000),
  );
  const client = connect(port, '127.0.0.1');
  onTestFinished(() => void client.destroy());
  const request = (what: string) => `${what} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`;
  const asked = ['GET /large', 'HEAD /', 'HEAD /', 'GET /late', 'GET /'];
  client.write(asked.map(request).join(''));
  while (begun.length < 4) await delay(1);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect(begun).toEqual(asked.slice(0, 4));
  client.resume();
  late[0]?.end();
  while (begun.length < 5) await delay(1);
});

test.each([[[]], [['/large']]])(
  'nothing is begun behind an answer in pieces until that is whole, also where it waits itself: %j',
  async (before) => {
    const begun: (string | undefined)[] = [];
    const late: ServerResponse[] = [];
    const { port } = await serve(
      inOrder(({ url }, response) => {
        begun.push(url);
        if (url === '/pieces') {
          late.push(response);
          response.write('begun');
        } else response.end(url === '/large' ? Buffer.alloc(16 * 1024 * 1024) : 'small');
      }, 100_000_000),
    );
    const client = connect(port, '127.0.0.1');
    onTestFinished(() => void client.destroy());
    const first = [...before, '/pieces'];
    const request = (url: string) => `GET ${url} HTTP/1.1\r\nHost: x\r\n\r\n`;
    client.write([...first, '/behind'].map(request).join(''));
    while (late.length === 0) await nextTurn();
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect(begun).toEqual(first);
    client.resume();
    late[0]?.end();
    while (begun.length === first.length) await nextTurn();
  },
);
