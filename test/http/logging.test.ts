import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, test, vi } from 'vitest';
import { path, type TestApp, TOKEN, testApp } from '../support/app.ts';
import { HttpSocket } from '../support/http-socket.ts';

async function logging(level: string): Promise<{ rest: TestApp; lines: () => Record<string, unknown>[] }> {
  const written: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const rest = await testApp({ logger: pino({ level }, stream) });
  const lines = () =>
    written
      .join('')
      .split('\n')
      .filter(Boolean)
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { rest, lines };
}

describe('the log', () => {
  test('has one line per request at level debug: method, path, status, time', async () => {
    const { rest, lines } = await logging('debug');
    await rest.app.inject(`${path('c', 'k')}?oauth=${TOKEN}&x=1#y`);
    expect(lines()).toEqual([
      expect.objectContaining({
        req: { method: 'GET', path: path('c', 'k') },
        status: 404,
        ms: expect.any(Number),
      }),
    ]);
  });

  test('has no line for an ordinary request at level info', async () => {
    const { rest, lines } = await logging('info');
    await rest.request('PUT', path('c', 'k'), { value: 1 });
    await rest.request('GET', '/nowhere');
    await rest.request('PUT', path('c', 'k'), '{');
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
        req: { method: 'GET', path: path('c', 'k') },
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
      '/docs/json',
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
