import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { BytePieces } from '../../../src/byte-pieces.ts';
import { NEVER } from '../../../src/engine/item.ts';
import type { Store, StoredCache } from '../../../src/engine/store.ts';
import { DRAIN_FACTOR } from '../../../src/http/body.ts';
import { PROJECT, path, type TestApp, type TestAppOptions, TOKEN, testApp } from '../../support/app.ts';
import { kept } from '../../support/garbage.ts';
import { laterStore } from '../../support/http-later-store.ts';
import { HttpSocket } from '../../support/http-socket.ts';
import { TestGate } from '../../support/test-gate.ts';

const AUTH = `Authorization: OAuth ${TOKEN}\r\n`;
const ITEM = path('c', 'k');
const H2C =
  'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA\r\n';

let rest: TestApp | undefined;
const sockets: HttpSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rest?.app.close();
});

async function connected(options: TestAppOptions = {}): Promise<HttpSocket> {
  rest = await testApp(options);
  return connectTo(await rest.listen());
}

function connectTo(port: number): HttpSocket {
  const socket = new HttpSocket(port);
  sockets.push(socket);
  return socket;
}

function put(body: string, headers = ''): string {
  const length = Buffer.byteLength(body);
  return `PUT ${ITEM} HTTP/1.1\r\nHost: x\r\n${AUTH}${headers}Content-Length: ${length}\r\n\r\n${body}`;
}

function request(method: string, url = ITEM, headers = '', body = ''): string {
  return `${method} ${url} HTTP/1.1\r\nHost: x\r\n${AUTH}${headers}\r\n${body}`;
}

/** No timer of ours goes off by itself any more. */
function stopTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

async function expectStillUsable(socket: HttpSocket): Promise<void> {
  socket.write(request('GET', '/version'));
  expect(await socket.answer()).toMatchObject({ status: 200, body: '{"version":"1.2.3"}' });
}

describe('what real clients send', () => {
  test('a token behind as many headers as may come', async () => {
    const socket = await connected();
    socket.write(`GET ${ITEM} HTTP/1.1\r\nHost: x\r\n${'a:b\r\n'.repeat(3_000)}${AUTH}\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 404 });
  });

  test('chunked bodies, in any pieces (Go)', async () => {
    const socket = await connected();
    socket.write(request('PUT', ITEM, 'Transfer-Encoding: chunked\r\n', '9\r\n{"value":\r\n'));
    // An é whose two bytes come in two chunks.
    socket.write(Buffer.from('2\r\n"\xc3\r\n', 'latin1'));
    socket.write(Buffer.from('3\r\n\xa9"}\r\n0\r\n\r\n', 'latin1'));
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    socket.write(request('GET'));
    expect((await socket.answer()).body).toContain('"value":"é"');
  });

  test('chunks of a byte each, which are not kept one by one: a megabyte would take hundreds', async () => {
    const joins = vi.spyOn(Buffer, 'concat');
    onTestFinished(() => joins.mockRestore());
    const socket = await connected();
    socket.write(request('PUT', ITEM, 'Transfer-Encoding: chunked\r\n', '1\r\n?\r\n'.repeat(3000)));
    const joined = () => joins.mock.results.filter(({ value }) => /^\?{256}$/.test(value.latin1Slice()));
    await vi.waitFor(() => expect(joined()).toHaveLength(Math.floor(3000 / 256)));
    socket.write('0\r\n\r\n');
    expect(await socket.answer()).toMatchObject({ status: 400 });
  });

  test('Expect: 100-continue (.NET), and other expectations', async () => {
    const socket = await connected();
    socket.write(put('', 'Expect: 100-continue\r\n').replace('Length: 0', 'Length: 11'));
    expect(await socket.answer()).toMatchObject({ status: 100 });
    socket.write('{"value":1}');
    expect(await socket.answer()).toMatchObject({ status: 200 });
    socket.write(put('{"value":1}', 'Expect: the-spanish-inquisition\r\n'));
    expect(await socket.answer()).toMatchObject({ status: 200 });
  });

  test.each(['', H2C])(
    'Expect: 100-continue, and a body that is refused is not asked for; further headers: %j',
    async (more) => {
      const socket = await connected();
      const headers = `Expect: 100-continue\r\n${more}`;
      socket.write(put('', headers).replace(TOKEN, 'another').replace('Length: 0', 'Length: 11'));
      expect(await socket.answer()).toMatchObject({ status: 401 });
      await socket.closed();
      expect(socket.rest()).toBe('');
    },
  );

  test('Expect: 100-continue behind answers that wait for their client: its own answer is whole', async () => {
    // Room for two such answers.
    const socket = await connected({ limits: { unansweredBytesMax: 6_000 } });
    const body = JSON.stringify({ value: 'v'.repeat(3_000) });
    socket.write(put(body));
    await socket.answer();
    const gets = [...Array(3).fill(request('GET')), request('GET', ITEM, 'Expect: 100-continue\r\n')];
    socket.write(gets.join(''));
    for (const _ of gets) {
      let answer = await socket.answer();
      // It may be told to go on, if before its answer.
      if (answer.status === 100) answer = await socket.answer();
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject(JSON.parse(body));
    }
  });

  test('Expect: 100-continue behind answers that wait for their client, with a body that is there: the connection goes on', async () => {
    rest = await testApp({ limits: { unansweredBytesMax: 100_000_000 } });
    const port = await rest.listen();
    const socket = connectTo(port);
    socket.write(put(JSON.stringify({ value: 'v'.repeat(1_000_000) })));
    await socket.answer();
    // More than the system takes for a client that does not read.
    const gets = 12;
    socket.socket.pause();
    socket.write(
      request('GET').repeat(gets) + put('{"value":1}', 'Expect: 100-continue\r\n') + request('GET'),
    );
    const isDone = async () => {
      const other = connectTo(port);
      other.write(request('GET'));
      return (await other.answer()).body.includes('"value":1,');
    };
    while (!(await isDone()));
    socket.socket.resume();
    const statuses = [];
    for (let i = 0; i < gets + 3; i++) statuses.push((await socket.answer()).status);
    expect(statuses).toEqual([...Array(gets).fill(200), 100, 200, 200]);
    await expectStillUsable(socket);
  });

  test('TE and Connection: TE, close (Perl)', async () => {
    const socket = await connected();
    socket.write(put('{"value":1}', 'TE: deflate,gzip;q=0.3\r\nConnection: TE, close\r\n'));
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    await socket.closed();
  });

  test.each(['gzip', 'gzip/deflate', 'gzip, deflate, br, zstd'])(
    'Accept-Encoding: %s, and nothing is compressed (PHP, Go)',
    async (encoding) => {
      const socket = await connected();
      socket.write(put(JSON.stringify({ value: 'x'.repeat(100_000) })));
      await socket.answer();
      for (const url of [ITEM, path()]) {
        socket.write(request('GET', url, `Accept-Encoding: ${encoding}\r\n`));
        const { headers, body } = await socket.answer();
        expect(headers.has('content-encoding')).toBe(false);
        expect(JSON.parse(body)).toBeDefined();
      }
    },
  );

  test.each(['', '{}', '{"oauth":"x"}', 'no JSON at all', '\xff'.repeat(20)])(
    'a body on GET, DELETE and clear, with any type: it is ignored: %j',
    async (body) => {
      const socket = await connected();
      for (const type of ['application/json', 'application/x-www-form-urlencoded', 'nonsense', undefined]) {
        const headers = `${type === undefined ? '' : `Content-Type: ${type}\r\n`}Content-Length: ${Buffer.byteLength(body)}\r\n`;
        socket.write(put('{"value":1}'));
        await socket.answer();
        for (const [method, url] of [
          ['GET', ITEM],
          ['GET', path()],
          ['GET', path('c')],
          ['DELETE', ITEM],
          ['POST', `${path('c')}/clear`],
          ['DELETE', path('c')],
        ] as const) {
          socket.write(request(method, url, headers, body));
          expect([method, url, (await socket.answer()).status]).toEqual([method, url, 200]);
        }
      }
    },
  );

  test('a wish for HTTP/2 with every request (Java): no answer is ahead of a body, or the next request might be lost', async () => {
    rest = await testApp();
    const port = await rest.listen();
    const socket = connectTo(port);
    const expectNoAnswerYet = async () => {
      await expectStillUsable(connectTo(port));
      expect(socket.rest()).toBe('');
    };
    socket.write(put('{"value":1}', H2C));
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    socket.write(request('POST', `${path('c')}/clear`, `${H2C}Content-Length: 2\r\n`, '{'));
    await expectNoAnswerYet();
    socket.write('}');
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Cleared."}' });
    socket.write(request('DELETE', ITEM, `${H2C}Transfer-Encoding: chunked\r\n`, '0\r\n'));
    await expectNoAnswerYet();
    socket.write('\r\n');
    expect(await socket.answer()).toMatchObject({ status: 404, body: '{"msg":"Key not found"}' });
    socket.write(request('GET', '/version', H2C));
    expect(await socket.answer()).toMatchObject({ status: 200 });
    await expectStillUsable(socket);
  });

  test.each([
    ['is stored', 'v'.repeat(300_000), 200],
    ['is refused', 'v'.repeat(3_000_000), 413],
  ])('a wish for HTTP/2 with a large body, which %s', async (_, value, status) => {
    const socket = await connected();
    socket.write(put(JSON.stringify({ value }), H2C));
    expect(await socket.answer()).toMatchObject({ status });
    await expectStillUsable(socket);
  });

  test.each([
    ['too large', put(JSON.stringify({ value: 'v'.repeat(1_100_000) }), 'Connection: close\r\n'), 413],
    [
      'too large, by HTTP/1.0',
      put(JSON.stringify({ value: 'v'.repeat(1_100_000) })).replace('1.1', '1.0'),
      413,
    ],
    ['without a right', put('v'.repeat(1_100_000), 'Connection: close\r\n').replace(TOKEN, 'another'), 401],
  ])(
    'the last answer of a connection is not lost where its body is still on the way (nginx): %s',
    async (_, bytes, status) => {
      rest = await testApp();
      const port = await rest.listen();
      const socket = connectTo(port);
      const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
      // As with a client that writes all before it reads.
      socket.socket.pause();
      socket.write(bytes.slice(0, bodyAt + 70_000));
      await expectStillUsable(connectTo(port));
      socket.write(bytes.slice(bodyAt + 70_000, -1));
      await expectStillUsable(connectTo(port));
      socket.write(bytes.slice(-1));
      await expectStillUsable(connectTo(port));
      socket.socket.resume();
      expect(await socket.answer()).toMatchObject({ status });
      await socket.closed();
    },
  );

  test.each([
    ['requests', request('GET').repeat(2000)],
    ['a wish for another protocol', request('GET', ITEM, H2C) + 'x'.repeat(100_000)],
    ['a wish for a tunnel', request('CONNECT', 'x:1') + 'x'.repeat(100_000)],
    ['what is no request', 'garbage '.repeat(20_000)],
  ])('the last answer of a connection is not lost where its client sends %s behind it', async (_, more) => {
    rest = await testApp({ limits: { unansweredBytesMax: 100_000_000 } });
    const port = await rest.listen();
    const socket = connectTo(port);
    const body = JSON.stringify({ value: 'v'.repeat(1_000_000) });
    socket.write(put(body));
    await socket.answer();
    // More than the system takes for a client that does not read.
    const gets = 12;
    socket.socket.pause();
    socket.write(request('GET').repeat(gets - 1) + request('GET', ITEM, 'Connection: close\r\n') + more);
    await expectStillUsable(connectTo(port));
    for (let i = 0; i < gets; i++) {
      socket.socket.resume();
      expect(JSON.parse((await socket.answer()).body)).toMatchObject(JSON.parse(body));
      socket.socket.pause();
      await expectStillUsable(connectTo(port));
    }
    socket.socket.resume();
    await socket.closed();
    expect([socket.rest(), socket.error]).toEqual(['', undefined]);
  });

  test('a URL of a whole address, as to a proxy, and no Host at all', async () => {
    const socket = await connected();
    socket.write(request('GET', `http://cache.example.org${path()}`));
    expect(await socket.answer()).toMatchObject({ status: 200, body: '[]' });
    socket.write(`GET /version HTTP/1.1\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    socket.write(`GET /version HTTP/1.0\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
  });

  test('several requests at once: the answers come in order', async () => {
    const socket = await connected();
    socket.write(put('{"value":1}') + request('GET') + request('DELETE') + request('GET') + request('PATCH'));
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push((await socket.answer()).status);
    expect(answers).toEqual([200, 200, 200, 404, 405]);
  });

  test('several requests at once: none is done before a change in front of it, however long that takes', async () => {
    const slowly = (cache: StoredCache): StoredCache => ({
      ...cache,
      put: (key, value) => delay(50).then(() => cache.put(key, value)),
    });
    const around = (store: Store): Store => ({
      ...laterStore(store),
      cache: (project, name) => slowly(laterStore(store).cache(project, name)),
    });
    const socket = await connected({ around });
    socket.write(put('{"value":1}') + request('GET') + put('{"value":2}') + request('GET'));
    const bodies = [];
    for (let i = 0; i < 4; i++) bodies.push(JSON.parse((await socket.answer()).body));
    expect(bodies).toMatchObject([{ msg: 'Stored.' }, { value: 1 }, { msg: 'Stored.' }, { value: 2 }]);
  });

  test.each([
    ['a PUT', [put('{"value":1}')]],
    ['a GET', [request('GET')]],
    ['several at once', [put('{"value":1}'), request('GET'), put('{"value":2}'), request('DELETE')]],
  ])('a connection that waits keeps nothing of its last request: %s', async (_name, sent) => {
    const requests: WeakRef<object>[] = [];
    rest = await testApp();
    const port = await rest.listen();
    const [socket, other] = [connectTo(port), connectTo(port)];
    const note = (received: IncomingMessage) => requests.push(new WeakRef(received));
    rest.app.server.on('request', note);
    socket.write(sent.join(''));
    for (const _ of sent) await socket.answer();
    rest.app.server.off('request', note);
    // Of each operation the last of all is kept: see request-log.ts.
    for (const bytes of sent) {
      other.write(bytes);
      await other.answer();
    }
    await nextTurn();
    expect([requests.length, kept(requests)]).toEqual([sent.length, 0]);
  });

  test('a connection that is kept, through every kind of error', async () => {
    const socket = await connected();
    for (const [text, status] of [
      [put('{'), 400],
      [put('{}'), 406],
      [request('GET', path('c', 'x'.repeat(300))), 400],
      [request('GET', '/%zz'), 400],
      [request('GET', '/nowhere', 'Content-Length: 3\r\n', 'abc'), 404],
      [request('BREW'.replace('BREW', 'PATCH'), ITEM, 'Content-Length: 3\r\n', 'abc'), 405],
      [put('{"value":1}').replace(TOKEN, 'wrong'), 401],
      [request('OPTIONS', '*'), 404],
    ] as const) {
      socket.write(text);
      const answer = await socket.answer();
      expect([text, answer.status]).toEqual([text, status]);
      expect(JSON.parse(answer.body)).toEqual({ msg: expect.any(String) });
    }
    await expectStillUsable(socket);
  });
});

describe('a body that is too large', () => {
  const limits = { bodyBytesMax: 10_000 };

  test('is 413 when its length says so, before it has come; the connection stays usable', async () => {
    const socket = await connected({ limits });
    const text = put(JSON.stringify({ value: 'x'.repeat(500_000) }));
    socket.write(text.slice(0, 1_000));
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 413, body: expect.stringContaining('10000 bytes') });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('connection')).toBe('keep-alive');
    socket.write(text.slice(1_000));
    await expectStillUsable(socket);
  });

  test('is 413 when it turns out to be, in chunks', async () => {
    const socket = await connected({ limits });
    const chunk = `${(5_000).toString(16)}\r\n${'x'.repeat(5_000)}\r\n`;
    socket.write(request('PUT', ITEM, 'Transfer-Encoding: chunked\r\n', chunk.repeat(3)));
    expect(await socket.answer()).toMatchObject({ status: 413 });
    socket.write(`${chunk.repeat(3)}0\r\n\r\n`);
    await expectStillUsable(socket);
  });

  test('is no matter where the body is just as large as it may be', async () => {
    const socket = await connected({ limits });
    const empty = '{"value":""}';
    socket.write(put(`{"value":"${'x'.repeat(10_000 - empty.length)}"}`));
    expect(await socket.answer()).toMatchObject({ status: 200 });
    socket.write(put(`{"value":"${'x'.repeat(10_001 - empty.length)}"}`));
    expect(await socket.answer()).toMatchObject({ status: 413 });
    socket.write(request('POST', `${ITEM}/increment`, 'Content-Length: 10001\r\n', ' '.repeat(10_001)));
    expect(await socket.answer()).toMatchObject({ status: 413 });
    const inChunks = (value: string) =>
      request(
        'PUT',
        ITEM,
        'Transfer-Encoding: chunked\r\n',
        `a\r\n{"value":"\r\n${chunk(value)}2\r\n"}\r\n0\r\n\r\n`,
      );
    socket.write(inChunks('x'.repeat(10_000 - empty.length)));
    expect(await socket.answer()).toMatchObject({ status: 200 });
    socket.write(inChunks('x'.repeat(10_001 - empty.length)));
    expect(await socket.answer()).toMatchObject({ status: 413 });
    await expectStillUsable(socket);
  });

  test.each(['', H2C])('that never ends is cut off; further headers: %j', async (more) => {
    const socket = await connected({ limits });
    // Not because no more comes.
    stopTimers();
    const add = vi.spyOn(BytePieces.prototype, 'add');
    onTestFinished(() => add.mockRestore());
    socket.write(request('PUT', ITEM, `${more}Transfer-Encoding: chunked\r\n`));
    socket.write(chunk('x'.repeat(10_000)).repeat(DRAIN_FACTOR + 10));
    expect(await socket.answer()).toMatchObject({ status: 413 });
    await socket.closed();
    // And what is thrown away is not kept before.
    const kept = add.mock.calls.reduce((bytes, [piece]) => bytes + piece.length, 0);
    expect(kept).toBeLessThanOrEqual(limits.bodyBytesMax);
  });

  test.each([
    ['a PUT', put('x'.repeat(500_000)), 413],
    [
      'a load',
      request('POST', `${path('c')}/items`, 'Content-Length: 500000\r\n', `{\n${'x'.repeat(499_998)}`),
      400,
    ],
  ])('is read to its end after the answer, as long as more of it comes: %s', async (_what, text, status) => {
    const socket = await connected({ limits });
    const other = connectTo(await portOf());
    stopTimers();
    const begun = text.slice(0, 1_000);
    socket.write(begun);
    expect(await socket.answer()).toMatchObject({ status });
    for (let at = begun.length; at < text.length; at += 100_000) {
      vi.advanceTimersByTime(1_500);
      socket.write(text.slice(at, at + 100_000));
      await expectStillUsable(other);
    }
    await expectStillUsable(socket);
    vi.advanceTimersByTime(10_000);
    await expectStillUsable(socket);
    socket.write(begun);
    expect(await socket.answer()).toMatchObject({ status });
    vi.advanceTimersByTime(2_000);
    await socket.closed();
  });

  test.each(['', H2C])(
    'of which no more comes once it was refused does not hold a connection for long; further headers: %j',
    async (more) => {
      const socket = await connected({ limits });
      socket.write(put(JSON.stringify({ value: 'x'.repeat(500_000) }), more).slice(0, 1_000));
      expect(await socket.answer()).toMatchObject({ status: 413 });
      // Two seconds, of the thirty that a whole request may take.
      await socket.closed();
    },
  );

  test('and one that stops half-way stores nothing and harms nobody', async () => {
    const socket = await connected();
    socket.write(put('{"value":1}').slice(0, -4));
    socket.destroy();
    const other = connectTo(await portOf());
    await expectStillUsable(other);
    other.write(request('GET'));
    expect(await other.answer()).toMatchObject({ status: 404 });
  });
});

async function portOf(): Promise<number> {
  const address = rest?.app.server.address();
  if (!address || typeof address === 'string') throw new Error('the app does not listen');
  return address.port;
}

describe('a request that cannot be read', () => {
  test.each([
    ['a URL that is too long', request('GET', `/${'x'.repeat(20_000)}`), 431],
    ['a megabyte of headers', request('GET', '/version', `X: ${'x'.repeat(1_000_000)}\r\n`), 431],
    ['many headers', request('GET', '/version', 'X-Something: x\r\n'.repeat(2_000)), 431],
    ['something else than HTTP', 'set k 0 0 1\r\nx\r\n', 400],
    ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['an unknown verb', request('BREW'), 400],
    ['a header without a colon', request('GET', '/version', 'broken\r\n'), 400],
    ['two lengths', request('PUT', ITEM, 'Content-Length: 1\r\nContent-Length: 2\r\n'), 400],
    ['a length and chunks', request('PUT', ITEM, 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'), 400],
    ['a length that is no number', request('PUT', ITEM, 'Content-Length: x\r\n'), 400],
    ['a chunk without a size', request('PUT', ITEM, 'Transfer-Encoding: chunked\r\n', 'zz\r\n'), 400],
    ['CONNECT', request('CONNECT', 'example.org:443'), 405],
  ])('is told so as JSON, and the connection ends: %s', async (_what, text, status) => {
    const socket = await connected();
    socket.write(text);
    const answer = await socket.answer();
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(answer.body)).toEqual({ msg: expect.any(String) });
    await socket.closed();
    await expectStillUsable(connectTo(await portOf()));
  });

  test.each([
    ['is broken', 'Transfer-Encoding: chunked\r\n', 'no size\r\n'],
    ['never comes', 'Content-Length: 5\r\n', ''],
  ])('has no second answer where it has one, and the rest of it %s', async (_what, headers, rest) => {
    const socket = await connected();
    socket.write(request('GET', '/version', headers));
    expect(await socket.answer()).toMatchObject({ status: 200 });
    socket.socket.end(rest);
    await socket.closed();
    expect(socket.rest()).toBe('');
  });

  test('comes after one that can: that one is answered first', async () => {
    const socket = await connected();
    socket.write(`${request('GET', '/version')}broken\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect(await socket.answer()).toMatchObject({ status: 400 });
  });

  test('so does a CONNECT', async () => {
    const socket = await connected();
    socket.write(`${request('GET', '/version')}${request('CONNECT', 'example.org:443')}`);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect(await socket.answer()).toMatchObject({ status: 405 });
  });

  test('so does a CONNECT behind one whose answer is late', async () => {
    const gate = new TestGate();
    const socket = await connected({ commitGate: gate });
    socket.write(`${put('{"value":1}')}${request('GET')}${request('CONNECT', 'example.org:443')}`);
    await gate.holds(1);
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    await gate.holds(1);
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200, body: expect.stringContaining('"value":1') });
    expect(await socket.answer()).toMatchObject({ status: 405 });
    await socket.closed();
  });
});

test.each([
  ['that asked for a tunnel', 100, request('CONNECT', 'example.org:443')],
  ['of which there are too many', 1, ''],
])('a connection %s may be reset behind its answer, and harms nobody', async (_which, max, text) => {
  const other = await connected({ limits: { connections: { max, perAddressMax: 0 } } });
  await expectStillUsable(other);
  const serverSide = new Promise<Socket>((resolve) => rest?.app.server.once('connection', resolve));
  const socket = connectTo(await portOf());
  socket.write(text);
  await socket.answer();
  socket.socket.resetAndDestroy();
  const refused = await serverSide;
  while (!refused.closed) await nextTurn();
  await expectStillUsable(other);
});

describe('a client that ends its side', () => {
  test('has all its answers, also those that are late, and is closed then', async () => {
    const gate = new TestGate();
    const socket = await connected({ commitGate: gate });
    socket.write(`${put('{"value":1}')}${request('GET')}`);
    socket.socket.end();
    await gate.holds(1);
    await nextTurn();
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    await gate.holds(1);
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200, body: expect.stringContaining('"value":1') });
    await socket.closed();
  });

  test('behind what is no request is told so, behind the answers that are late', async () => {
    const gate = new TestGate();
    const socket = await connected({ commitGate: gate });
    const serverSide = new Promise<Socket>((resolve) => rest?.app.server.once('connection', resolve));
    socket.write(`${put('{"value":1}')}garbage\r\n\r\n`);
    socket.socket.end();
    await gate.holds(1);
    while (!(await serverSide).readableEnded) await nextTurn();
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    expect(await socket.answer()).toMatchObject({ status: 400 });
    await socket.closed();
  });

  test('has a whole dump', async () => {
    const socket = await connected();
    socket.write(put('{"value":1}'));
    await socket.answer();
    socket.write(request('GET', `${path('c')}/items`).replace('HTTP/1.1', 'HTTP/1.0'));
    socket.socket.end();
    const { status } = await socket.answer();
    expect(status).toBe(200);
    await socket.closed();
    expect(socket.rest().split('\n').at(-2)).toBe('{"end":true,"items":1}');
  });

  test.each(['', H2C])('in the middle of a request is told so; further headers: %j', async (headers) => {
    const socket = await connected();
    socket.write(put('{"value":1}', headers).slice(0, -4));
    socket.socket.end();
    expect(await socket.answer()).toMatchObject({ status: 400 });
    await socket.closed();
  });

  test.each(['', H2C])('also behind an answer that is late; further headers: %j', async (headers) => {
    const gate = new TestGate();
    const socket = await connected({ commitGate: gate });
    socket.write(put('{"value":1}') + put('{"value":2}', headers).slice(0, -4));
    await gate.holds(1);
    socket.socket.end();
    await expectStillUsable(connectTo(await portOf()));
    gate.isOpen = true;
    gate.release(true);
    expect(await socket.answer()).toMatchObject({ status: 200 });
    expect(await socket.answer()).toMatchObject({ status: 400 });
    await socket.closed();
  });
});

describe('a request that takes too long', () => {
  test.each([
    ['in its headers', 'GET /version HTTP/1.1\r\nHost:'],
    ['in its body', put('{"value":1}').slice(0, -4)],
  ])('is 408 as JSON: %s', async (_where, text) => {
    const socket = await connected({ limits: { requestTimeoutMs: 200 } });
    socket.write(text);
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 408, body: expect.stringContaining('too long') });
    expect(answer.headers.get('content-type')).toBe('application/json');
    await socket.closed();
  });

  test('is told so also where a client may leave answers unread for less than that', async () => {
    const socket = await connected({ limits: { requestTimeoutMs: 1_000, stallTimeoutMs: 100 } });
    socket.write('GET /version HTTP/1.1\r\nHost:');
    expect(await socket.answer()).toMatchObject({ status: 408 });
  });
});

describe('large values that are asked for together', () => {
  test.each([3_000, 16_000, 40_000])('come whole, %i bytes each, to all who asked twice', async (length) => {
    const first = await connected();
    const port = await portOf();
    const clients = [first, ...Array.from({ length: 39 }, () => connectTo(port))];
    // Some of these have to be escaped in JSON.
    const textOf = (i: number) => (i % 5 === 0 ? '"' : String.fromCharCode(0x41 + (i % 26))).repeat(length);
    for (const [i, client] of clients.entries()) {
      client.write(put(JSON.stringify({ value: textOf(i) })).replace(ITEM, path('c', `k${i}`)));
      expect((await client.answer()).status).toBe(200);
    }
    for (const [i, client] of clients.entries()) client.write(request('GET', path('c', `k${i}`)).repeat(2));
    for (const [i, client] of clients.entries()) {
      for (let answer = 0; answer < 2; answer++) {
        expect(JSON.parse((await client.answer()).body).value).toBe(textOf(i));
      }
    }
  });
});

test.each([20_000, 100_000, 300_000])(
  'large values wait whole for a client that does not read, %i bytes each',
  async (length) => {
    const other = await connected();
    const slow = connectTo(await portOf());
    for (const letter of ['a', 'b']) {
      const value = letter.repeat(length);
      other.write(put(JSON.stringify({ value })).replace(ITEM, path('c', letter)));
      expect((await other.answer()).status).toBe(200);
    }
    const answers = Math.ceil(12_000_000 / length);
    slow.socket.pause();
    slow.write(request('GET', path('c', 'a')).repeat(answers));
    for (let i = 0; i < 40; i++) {
      other.write(request('GET', path('c', 'b')));
      expect(JSON.parse((await other.answer()).body).value === 'b'.repeat(length)).toBe(true);
    }
    slow.socket.resume();
    for (let i = 0; i < answers; i++) {
      expect(JSON.parse((await slow.answer()).body).value === 'a'.repeat(length)).toBe(true);
    }
  },
);

describe('a connection without a request', () => {
  test('is told how long it stays open, and is closed some time after that', async () => {
    const socket = await connected({ limits: { keepAliveTimeoutMs: 1_000 } });
    const before = performance.now();
    socket.write(request('GET', '/version'));
    expect((await socket.answer()).headers.get('keep-alive')).toBe('timeout=1');
    await socket.closed();
    expect(performance.now() - before).toBeGreaterThan(1_000);
  });

  test('stays open as long as one comes again and again', async () => {
    const socket = await connected({ limits: { keepAliveTimeoutMs: 100 } });
    for (let i = 0; i < 5; i++) {
      await expectStillUsable(socket);
      await delay(300);
    }
    await expectStillUsable(socket);
  });

  test('is closed before its first one, too', async () => {
    const socket = await connected({ limits: { requestTimeoutMs: 100, stallTimeoutMs: 200 } });
    await socket.closed();
  });
});

describe('connections', () => {
  test.each([
    ['in all', { max: 2, perAddressMax: 0 }, 503, 'Too many connections are open.'],
    ['of one address', { max: 100, perAddressMax: 2 }, 429, 'Your address has too many connections open.'],
  ])(
    'that are too many %s are told so and closed; when another ends, there is room again',
    async (_whose, connections, status, msg) => {
      const first = await connected({ limits: { connections } });
      const port = await portOf();
      const second = connectTo(port);
      for (const socket of [first, second]) await expectStillUsable(socket);
      const third = connectTo(port);
      third.write(request('GET', '/version'));
      const answer = await third.answer();
      expect(answer).toMatchObject({ status, body: expect.stringContaining(msg) });
      expect(answer.headers.get('retry-after')).toBe('1');
      await third.closed();
      second.destroy();
      while ((await openConnections()) > 1) await nextTurn();
      await expectStillUsable(connectTo(port));
      await expectStillUsable(first);
    },
  );

  test('that are refused are told so a hundred at a time, and those beyond are just cut', async () => {
    await expectStillUsable(await connected({ limits: { connections: { max: 1, perAddressMax: 0 } } }));
    stopTimers();
    const refused: Socket[] = [];
    rest?.app.server.on('connection', (socket: Socket) => refused.push(socket));
    const port = await portOf();
    const clients = Array.from({ length: 100 }, () => connectTo(port));
    for (const { socket } of clients) socket.pause();
    while (refused.length < 100) await nextTurn();
    await expect(connectTo(port).answer()).rejects.toThrow('the connection ended');
    for (const { socket } of clients) socket.resume();
    for (const client of clients) expect(await client.answer()).toMatchObject({ status: 503 });
    while (refused.some(({ closed }) => !closed)) await nextTurn();
    expect(await connectTo(port).answer()).toMatchObject({ status: 503 });
  });

  test('for which the doors together have no more files are cut, and the others go on', async () => {
    const connections = { max: 9, perAddressMax: 0, together: { max: 1, open: 0 } };
    const first = await connected({ limits: { connections } });
    await expectStillUsable(first);
    await expect(connectTo(await portOf()).answer()).rejects.toThrow('the connection ended');
    await expectStillUsable(first);
  });

  test('stay open where another cannot be taken, which is logged', async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line: string) => lines.push(line) });
    const socket = await connected({ logger });
    rest?.app.server.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    await expectStillUsable(socket);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, door: 'http', err: { code: 'EMFILE' }, msg: 'a listener failed' },
    ]);
  });

  test('that sent most ahead are cut where too many requests wait in all, which is logged', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
    const gate = new TestGate();
    const patient = await connected({ logger, commitGate: gate });
    patient.write(put('{"value":1}') + request('GET'));
    await gate.holds(1);
    const port = await portOf();
    const hasty = Array.from({ length: 20 }, () => connectTo(port));
    const isCut = hasty.map((client) => client.closed());
    for (const client of hasty) client.write(put('{"value":2}') + 'GET / HTTP/1.1\r\n\r\n'.repeat(2_000));
    await Promise.race(isCut);
    gate.isOpen = true;
    gate.release(true);
    for (let i = 0; i < 2; i++) expect(await patient.answer()).toMatchObject({ status: 200 });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        level: 40,
        door: 'http',
        address: '127.0.0.1',
        msg: 'a connection was closed that sent requests ahead: too many wait for their turn',
      },
    ]);
  });

  test('are ended by no limit of time that Node has of its own', async () => {
    await connected({ limits: { requestTimeoutMs: 90_000 } });
    expect(rest?.app.server).toMatchObject({
      timeout: 0,
      keepAliveTimeout: 0,
      requestTimeout: 90_000,
      headersTimeout: 90_000,
    });
  });

  test('that are refused are logged once, however many they are', async () => {
    const lines: string[] = [];
    const logger = pino({}, { write: (line: string) => lines.push(line) });
    await connected({ logger, limits: { connections: { max: 1, perAddressMax: 0 } } });
    const port = await portOf();
    for (let i = 0; i < 5; i++) await connectTo(port).closed();
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 40, door: 'http', refusal: 'too_many', msg: 'a connection was refused' },
    ]);
  });
});

describe('a client that sends and never reads', () => {
  const value = 'v'.repeat(100_000);
  const count = 300;

  test('is sent no more than it takes, others are served, and in the end everything arrives', async () => {
    const socket = await connected({ limits: { unansweredBytesMax: 256 * 1024 } });
    socket.write(put(JSON.stringify({ value })));
    await socket.answer();
    socket.socket.pause();
    socket.write(request('GET').repeat(count) + put('{"value":1}') + request('GET'));
    const { statistics } = cacheOf();
    await untilSteady(() => statistics.getHits);
    // What both kernels' buffers hold, and a bit; all of it would be 30 MB.
    expect(statistics.getHits).toBeGreaterThan(0);
    expect(statistics.getHits).toBeLessThan((count * 2) / 3);
    await expectStillUsable(connectTo(await portOf()));
    socket.socket.resume();
    for (let i = 0; i < count; i++) expect((await socket.answer()).body.length).toBeGreaterThan(100_000);
    expect((await socket.answer()).body).toBe('{"msg":"Stored."}');
    expect((await socket.answer()).body).toContain('"value":1,');
    await expectStillUsable(socket);
  });

  test('has the answers that it asked for, whatever others are answered meanwhile', async () => {
    const mine = 'm'.repeat(15_000);
    const socket = await connected();
    const serverSide = new Promise<Socket>((resolve) => rest?.app.server.once('connection', resolve));
    socket.write(put(JSON.stringify({ value: mine })));
    await socket.answer();
    cacheOf().store('set', 'other', {
      value: Buffer.from('other'.repeat(3_000)),
      kind: 'text',
      flags: 0,
      expiresAt: Number.POSITIVE_INFINITY,
    });
    socket.socket.pause();
    const { statistics } = cacheOf();
    // One after the other, until what both kernels take is full in the middle of an answer.
    while (!isBehind(await serverSide)) {
      const before = statistics.getHits;
      socket.write(request('GET'));
      while (statistics.getHits === before) await nextTurn();
    }
    const asked = statistics.getHits;
    const other = connectTo(await portOf());
    for (let i = 0; i < 10; i++) {
      other.write(request('GET', path('c', 'other')));
      expect((await other.answer()).body).toContain('otherother');
    }
    socket.socket.resume();
    for (let i = 0; i < asked; i++) expect(JSON.parse((await socket.answer()).body).value).toBe(mine);
  });

  test('loses its connection when it takes no byte for too long', async () => {
    const socket = await connected({ limits: { requestTimeoutMs: 50, stallTimeoutMs: 200 } });
    socket.write(put(JSON.stringify({ value })));
    await socket.answer();
    socket.socket.pause();
    socket.write(request('GET').repeat(count));
    while ((await openConnections()) > 0) await nextTurn();
  });
});

/** Does anything wait for the client, in the stream or below it? */
function isBehind(socket: Socket): boolean {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize: number } };
  return socket.writableLength > 0 || (handle?.writeQueueSize ?? 0) > 0;
}

function cacheOf() {
  if (!rest) throw new Error('there is no app');
  return rest.engine.cache(PROJECT, 'c');
}

async function untilSteady(count: () => number): Promise<void> {
  for (let before = -1; before !== count(); ) {
    before = count();
    for (let turn = 0; turn < 100; turn++) await nextTurn();
  }
}

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) => {
    rest?.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}

describe('stopping', () => {
  test('every answer says that it is the last of its connection', async () => {
    let isStopping = false;
    const socket = await connected({ isStopping: () => isStopping });
    await expectStillUsable(socket);
    // Its body comes when everything is about to end.
    const text = put('{"value":1}');
    socket.write(text.slice(0, -4));
    await expectStillUsable(connectTo(await portOf()));
    isStopping = true;
    socket.write(text.slice(-4));
    const other = connectTo(await portOf());
    other.write(request('GET'));
    for (const each of [socket, other]) {
      const answer = await each.answer();
      expect(answer.status).toBe(200);
      expect(answer.headers.get('connection')).toBe('close');
      await each.closed();
    }
  });

  test.each([
    ['further requests wait', request('GET').repeat(150_000)],
    ['a large body waits', put('x'.repeat(20_000_000))],
  ])('a client goes on sending behind the last answer also where %s there', async (_, more) => {
    let isStopping = false;
    const socket = await connected({ isStopping: () => isStopping });
    socket.write(put(JSON.stringify({ value: 'v'.repeat(1_000_000) })));
    await socket.answer();
    stopTimers();
    socket.socket.pause();
    // More than the system takes, of both sides.
    const sent = new Promise((resolve) => socket.socket.write(request('GET').repeat(12) + more, resolve));
    await expectStillUsable(connectTo(await portOf()));
    isStopping = true;
    socket.socket.resume();
    while ((await socket.answer()).headers.get('connection') !== 'close');
    expect(await sent).not.toBeInstanceOf(Error);
    await socket.closed();
    expect([socket.rest(), socket.error]).toEqual(['', undefined]);
  });
});

describe('closing', () => {
  test('carries out nothing behind an answer that says it is the last: its client sends that again', async () => {
    let isStopping = false;
    const socket = await connected({ isStopping: () => isStopping });
    await expectStillUsable(socket);
    isStopping = true;
    const increment = request('POST', `${ITEM}/increment`, 'Content-Length: 12\r\n', '{"amount":1}');
    socket.write(increment.repeat(5));
    await socket.answer();
    await socket.closed();
    expect(socket.rest()).toBe('');
    const other = connectTo(await portOf());
    other.write(request('GET'));
    expect((await other.answer()).body).toContain('"value":1,');
  });

  test('answers what is on its way, and ends the connection', async () => {
    let isStopping = false;
    const socket = await connected({ isStopping: () => isStopping });
    const text = put('{"value":1}');
    socket.write(text.slice(0, -4));
    await expectStillUsable(connectTo(await portOf()));
    isStopping = true;
    const closed = rest?.app.close();
    socket.write(text.slice(-4) + request('GET', '/version'));
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
    expect(answer.headers.get('connection')).toBe('close');
    await socket.closed();
    await closed;
  });

  // Node 26 itself closes connections on which nothing came at once.
  const nodeMajor = Number.parseInt(process.versions.node, 10);
  test.skipIf(nodeMajor >= 26)(
    'waits a moment for the first request of who has just connected, and no longer',
    async () => {
      const late = await connected();
      const unused = connectTo(await portOf());
      for (const { socket } of [late, unused]) await once(socket, 'connect');
      const idle = connectTo(await portOf());
      await expectStillUsable(idle);
      stopTimers();
      const closed = rest?.app.close();
      await idle.closed();
      late.write(request('GET', '/version'));
      const refused = await late.answer();
      expect([refused.status, refused.headers.get('connection')]).toEqual([503, 'close']);
      vi.advanceTimersByTime(1_000);
      await unused.closed();
      await closed;
    },
  );

  test('is told to a request that comes too late: 503, to be tried again', async () => {
    const corsOrigins = ['https://app.test'];
    const socket = await connected({ corsOrigins });
    socket.write('GET /version HTTP/1.1\r\nHost: x\r\n');
    const idle = connectTo(await portOf());
    await expectStillUsable(idle);
    const closed = rest?.app.close();
    await idle.closed();
    socket.write('Origin: https://app.test\r\n\r\n');
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining('try again later') });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(answer.headers.get('connection')).toBe('close');
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.test');
    await socket.closed();
    await closed;
  });
});

describe('HTTPS', () => {
  async function certificate() {
    const folder = new URL('../../support/certificates/', import.meta.url);
    const [cert, key] = await Promise.all(
      ['first-cert.pem', 'first-key.pem'].map((name) => readFile(new URL(name, folder))),
    );
    if (!cert || !key) throw new Error('there is no certificate');
    return { cert, key };
  }

  test('is spoken with a certificate', async () => {
    const tls = await certificate();
    rest = await testApp({ tls });
    const port = await rest.listen();
    const body = await new Promise<string>((resolve, reject) => {
      const options = { ca: tls.cert, servername: 'localhost' };
      get(`https://127.0.0.1:${port}/version`, options, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      }).once('error', reject);
    });
    expect(body).toBe('{"version":"1.2.3"}');
  });

  test.each([0, 100])('answers requests that come together, the last of them %i ms later', async (waitMs) => {
    const tls = await certificate();
    rest = await testApp({ tls });
    const socket = connectTls({ port: await rest.listen(), ca: tls.cert, servername: 'localhost' });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    // Several records of TLS, of which the first asks for more than one write takes.
    socket.write(put(JSON.stringify({ value: 'v'.repeat(20_000) })) + request('GET').repeat(400));
    if (waitMs > 0) await delay(waitMs);
    socket.write(request('GET', '/version', 'Connection: close\r\n'));
    await once(socket, 'close');
    expect(received.match(/HTTP\/1\.1 \d+ OK/g)).toEqual(Array(402).fill('HTTP/1.1 200 OK'));
    expect(received).toMatch(/"version":"1\.2\.3"}$/);
  });

  test('gives a client that ends its side all its answers, also those that are late', async () => {
    const tls = await certificate();
    const gate = new TestGate();
    rest = await testApp({ tls, commitGate: gate });
    const socket = connectTls({ port: await rest.listen(), ca: tls.cert, servername: 'localhost' });
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.end(`${put('{"value":1}')}${request('GET', `${path('c')}/items`)}`);
    await gate.holds(1);
    await delay(20);
    gate.isOpen = true;
    gate.release(true);
    if (!socket.closed) await once(socket, 'close');
    expect(received.match(/HTTP\/1\.1 \d+ OK/g)).toEqual(Array(2).fill('HTTP/1.1 200 OK'));
    expect(received).toContain('{"end":true,"items":1}');
  });

  test('gives a client all of its last answer that sends more and ends its side before it reads', async () => {
    const tls = await certificate();
    rest = await testApp({ tls });
    const value = 'v'.repeat(1_000_000);
    const item = { value: Buffer.from(value), kind: 'text', flags: 0, expiresAt: NEVER } as const;
    rest.engine.cache(PROJECT, 'c').store('set', 'k', item);
    const socket = connectTls({ port: await rest.listen(), ca: tls.cert, servername: 'localhost' });
    // The system takes that much for it, in part on our side.
    socket.write(request('GET', ITEM, 'Connection: close\r\n'));
    await delay(100);
    socket.end(request('GET'));
    await delay(20);
    let received = '';
    for await (const chunk of socket) received += chunk.toString('latin1');
    expect(received.split(value)).toHaveLength(2);
  });

  test('also while the service stops', async () => {
    const tls = await certificate();
    rest = await testApp({ tls, isStopping: () => true });
    const { app, engine } = rest;
    const value = 'v'.repeat(1_000_000);
    const item = { value: Buffer.from(value), kind: 'text', flags: 0, expiresAt: NEVER } as const;
    engine.cache(PROJECT, 'c').store('set', 'k', item);
    const socket = connectTls({ port: await rest.listen(), ca: tls.cert, servername: 'localhost' });
    socket.write(request('GET'));
    await delay(100);
    const closeIdle = vi.spyOn(app.server, 'closeIdleConnections');
    const closed = app.close();
    while (closeIdle.mock.calls.length === 0) await delay(5);
    socket.end(request('GET'));
    await delay(20);
    let received = '';
    for await (const chunk of socket) received += chunk.toString('latin1');
    expect(received.split(value)).toHaveLength(2);
    await closed;
  });

  test('cuts off a client that never shakes hands', async () => {
    const socket = await connected({ tls: await certificate(), limits: { handshakeTimeoutMs: 100 } });
    await socket.closed();
  });

  test('tells a client that speaks plain HTTP where it is', async () => {
    const socket = await connected({ tls: await certificate() });
    socket.write(request('GET', '/version'));
    const answer = await socket.answer();
    expect(answer).toMatchObject({ status: 400, body: expect.stringContaining('https://') });
    expect(answer.headers.get('content-type')).toBe('application/json');
    await socket.closed();
  });

  test('tells the owner of failed handshakes, once a minute', async () => {
    const lines: { msg: string; err: { code: string }; address: string; door: string }[] = [];
    const logger = pino({}, { write: (line: string) => lines.push(JSON.parse(line)) });
    const tls = await certificate();
    rest = await testApp({ tls, logger, limits: { handshakeTimeoutMs: 100 } });
    const port = await rest.listen();
    // Who just goes away is a probe of the port.
    const gone = connectTo(port);
    await once(gone.socket, 'connect');
    gone.destroy();
    while ((await openConnections()) > 0) await nextTurn();
    for (const text of ['', 'no greeting', request('GET')]) {
      const socket = connectTo(port);
      socket.write(text);
      await socket.closed();
    }
    expect(lines).toMatchObject([
      { msg: 'a TLS handshake failed', door: 'http', err: { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' } },
    ]);
    expect(lines[0]?.address).toBe('127.0.0.1');
  });

  test('refuses a connection too many before the handshake', async () => {
    await connected({ tls: await certificate(), limits: { connections: { max: 1, perAddressMax: 0 } } });
    const socket = connectTo(await portOf());
    await socket.closed();
    expect(socket.rest()).toBe('');
  });
});
