import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import {
  OTHER_TOKEN,
  PROJECT,
  path,
  type TestApp,
  type TestAppOptions,
  TOKEN,
  testApp,
} from '../support/app.ts';
import { HttpSocket } from '../support/http-socket.ts';

async function logging(
  level: string,
  options: TestAppOptions = {},
): Promise<{ rest: TestApp; lines: () => Record<string, unknown>[]; logger: Logger }> {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const logger = pino({ level }, stream);
  const rest = await testApp({ ...options, logger });
  const lines = () =>
    written
      .join('')
      .split('\n')
      .filter(Boolean)
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { rest, lines, logger };
}

describe('the log', () => {
  test('has one line per request at level debug', async () => {
    const { rest, lines } = await logging('debug');
    await rest.app.inject(`${path('c', 'k')}?oauth=${TOKEN}&x=1#y`);
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 20,
        requestId: expect.stringMatching(/^[0-9a-f]{10}-1$/),
        door: 'http',
        project: PROJECT,
        cache: 'c',
        operation: 'getItem',
        status: 404,
        ms: expect.any(Number),
        bytesIn: 0,
        bytesOut: '{"msg":"Key not found"}'.length,
        method: 'GET',
        path: path('c', 'k'),
      }),
    ]);
  });

  test('tells how long answers are that are no JSON, too', async () => {
    const { rest, lines } = await logging('debug');
    await rest.request('PUT', path('c', 'k'), { value: 'été' });
    const headers = { authorization: `OAuth ${TOKEN}`, accept: 'application/octet-stream' };
    await rest.app.inject({ url: path('c', 'k'), headers });
    const page = await rest.app.inject('/docs/json');
    const lengths = ['{"msg":"Stored."}'.length, Buffer.byteLength('été'), page.rawPayload.length];
    expect(lines().map(({ bytesOut }) => bytesOut)).toEqual(lengths);
  });

  test('has no token that stands where an id should', async () => {
    const { rest, lines } = await logging('debug');
    await rest.app.inject(`/1/projects/${TOKEN}/caches/c/items/k`);
    await rest.app.inject(`/1/tokens/${TOKEN}`);
    await rest.app.inject(`/1/projects/${TOKEN}`);
    expect(JSON.stringify(lines())).not.toContain(TOKEN);
    expect(lines().map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/1/projects/***/caches/c/items/k', '/1/tokens/***', '/1/projects/***']),
    );
  });

  test('has no line for an ordinary request at level info', async () => {
    const { rest, lines } = await logging('info');
    await rest.request('PUT', path('c', 'k'), { value: 1 });
    await rest.request('GET', '/nowhere');
    await rest.request('PUT', path('c', 'k'), '{');
    expect(lines()).toEqual([]);
  });

  test('has a request that cannot be read at level debug, and it is counted', async () => {
    const { rest, lines } = await logging('debug');
    const port = await rest.listen();
    await rest.app.inject({ url: `${path()}/%zz` });
    for (const request of [
      'BREW / HTTP/1.1\r\n\r\n',
      `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      // This one has its own answer, of its own operation.
      `PUT ${path('c', 'k')} HTTP/1.1\r\nAuthorization: OAuth ${TOKEN}\r\nContent-Length: 9\r\n\r\n{`,
      // So has this one, behind another.
      `GET /version HTTP/1.1\r\n\r\nPUT ${path('c', 'k')} HTTP/1.1\r\nAuthorization: OAuth ${TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n`,
      // What comes behind the last request of a connection has none.
      'GET /version HTTP/1.1\r\nConnection: close\r\n\r\nBREW / HTTP/1.1\r\n\r\n',
    ]) {
      const socket = new HttpSocket(port);
      socket.write(request);
      socket.socket.end();
      await socket.closed();
    }
    const unread = lines().filter(({ msg }) => msg === 'a request that cannot be read');
    expect(unread).toMatchObject([400, 400, 431].map((status) => ({ status, address: '127.0.0.1' })));
    expect(Object.fromEntries(rest.requests.operation('other').counts)).toEqual({ 400: 2, 431: 1 });
    expect(Object.fromEntries(rest.requests.operation('putItem').counts)).toEqual({ 400: 2 });
    expect(Object.fromEntries(rest.requests.operation('getVersion').counts)).toEqual({ 200: 2 });
  });

  test.each([
    [408, 'Content-Length: 11\r\n\r\n{'],
    [408, 'Transfer-Encoding: chunked\r\n\r\n5\r\n{'],
    [400, 'Transfer-Encoding: chunked\r\n\r\nno size\r\n'],
  ])('has what a client was told whose body breaks off, and it is counted: %i', async (status, sent) => {
    const { rest, lines } = await logging('debug', { limits: { requestTimeoutMs: 100 } });
    const socket = new HttpSocket(await rest.listen());
    socket.write(`PUT ${path('c', 'k')} HTTP/1.1\r\nAuthorization: OAuth ${TOKEN}\r\n${sent}`);
    expect(await socket.answer()).toMatchObject({ status });
    socket.destroy();
    await rest.app.close();
    expect(lines()).toMatchObject([{ operation: 'putItem', status }]);
    expect(Object.fromEntries(rest.requests.operation('putItem').counts)).toEqual({ [status]: 1 });
  });

  test('begins to have a line per request when its level changes', async () => {
    const { rest, lines, logger } = await logging('info');
    await rest.request('GET', path('c', 'k'));
    logger.level = 'debug';
    await rest.request('GET', path('c', 'k'));
    logger.level = 'info';
    await rest.request('GET', path('c', 'k'));
    expect(lines()).toHaveLength(1);
  });

  test('has a request that was slow, without its key', async () => {
    const { rest, lines } = await logging('info', { slowMs: Number.MIN_VALUE });
    await rest.request('PUT', path('c', 'a-secret-key'), { value: 'x'.repeat(10) });
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 40,
        msg: 'a slow request',
        requestId: expect.any(String),
        door: 'http',
        project: PROJECT,
        cache: 'c',
        operation: 'putItem',
        status: 200,
        ms: expect.any(Number),
        bytesIn: '{"value":"xxxxxxxxxx"}'.length,
        bytesOut: '{"msg":"Stored."}'.length,
      }),
    ]);
    expect(JSON.stringify(lines())).not.toContain('a-secret-key');
  });

  test('has no line about a load, which takes as long as its body is', async () => {
    const { rest, lines } = await logging('info', { slowMs: Number.MIN_VALUE });
    const dump = '{"format":"ironcached items","version":1}\n{"end":true,"items":0}\n';
    expect(await rest.request('POST', `${path('c')}/items`, dump)).toMatchObject({ status: 200 });
    expect(lines()).toEqual([]);
  });

  test('has slow requests and wrong tokens once a minute, however many there are', async () => {
    const { rest, lines } = await logging('info', { slowMs: Number.MIN_VALUE });
    for (let i = 0; i < 10; i++) {
      await rest.app.inject({ url: path('c', 'k'), headers: { authorization: 'OAuth wrong' } });
      await rest.request('GET', path('c', 'k'));
    }
    expect(lines().map(({ msg }) => msg)).toEqual([
      'a request had no token, or an unknown one',
      'a slow request',
    ]);
    expect(lines()[0]).toMatchObject({ address: '127.0.0.1', project: PROJECT });
  });

  test('has the next one a minute later, though the clock of the machine is set back', async () => {
    const { rest, lines } = await logging('info', { slowMs: Number.MIN_VALUE });
    await rest.request('GET', path('c', 'k'));
    rest.clock.step(-3_600_000);
    rest.clock.advance(59_999);
    await rest.request('GET', path('c', 'k'));
    expect(lines()).toHaveLength(1);
    rest.clock.advance(1);
    await rest.request('GET', path('c', 'k'));
    expect(lines()[1]).toMatchObject({ msg: 'a slow request', unsaid: 1 });
  });

  test('has no line about a token that is known', async () => {
    const { rest, lines } = await logging('info');
    await rest.app.inject({ url: path('c', 'k'), headers: { authorization: `OAuth ${OTHER_TOKEN}` } });
    expect(lines()).toEqual([]);
  });

  test('has a fault whole, with its stack', async () => {
    const { rest, lines } = await logging('info');
    vi.spyOn(rest.engine, 'cache').mockImplementation(() => {
      throw new TypeError('this should not happen');
    });
    await rest.request('GET', path('c', 'k'));
    expect(lines()).toEqual([
      expect.objectContaining({
        level: 50,
        requestId: expect.any(String),
        door: 'http',
        project: PROJECT,
        cache: 'c',
        operation: 'getItem',
        err: expect.objectContaining({
          type: 'TypeError',
          message: 'this should not happen',
          stack: expect.stringContaining('logging.test.ts'),
        }),
      }),
    ]);
  });

  test('never has a token, whatever goes wrong, at any level', async () => {
    const { rest, lines } = await logging('trace');
    const port = await rest.listen();
    const query = `?oauth=${TOKEN}`;
    const authorization = `OAuth ${TOKEN}`;
    for (const url of [
      path(),
      path('c', 'k'),
      '/nowhere',
      `${path()}/%zz`,
      '/version',
      '/docs',
      '/docs/',
      '/docs/json',
      '/metrics',
      '/health/ready',
      `${path()}/x;`,
    ]) {
      for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'] as const) {
        await rest.app.inject({ method, url: `${url}${query}`, headers: { authorization } });
      }
    }
    vi.spyOn(rest.engine, 'cache').mockImplementation(() => {
      throw new Error('a bug');
    });
    await rest.app.inject({ url: `${path('c', 'k')}${query}`, headers: { authorization } });
    for (const request of [
      `GET ${path()}${query} HTTP/1.1\r\nAuthorization: ${authorization}\r\nBroken\r\n\r\n`,
      `GET ${path()}${query} HTTP/1.1\r\nAuthorization: ${authorization}\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      `GET ${path()}${query} HTTP/9.9\r\n\r\n`,
    ]) {
      const socket = new HttpSocket(port);
      socket.write(request);
      expect((await socket.answer()).status).toBeGreaterThanOrEqual(400);
      socket.destroy();
    }
    await rest.app.close();
    expect(lines().length).toBeGreaterThan(20);
    expect(JSON.stringify(lines())).not.toContain(TOKEN);
  });
});
