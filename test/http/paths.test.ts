import { METHODS } from 'node:http';
import { beforeAll, describe, expect, test } from 'vitest';
import { AUTHORIZED, path, type TestApp, testApp } from '../support/app.ts';
import { HttpSocket } from '../support/http-socket.ts';

let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

const METHODS_TO_TRY = METHODS.filter((method) => method !== 'CONNECT');

describe('names in a path', () => {
  test.each([
    ['a space', 'a%20b', 'a b'],
    ['a slash', 'a%2Fb', 'a/b'],
    ['a slash in lower case', 'a%2fb', 'a/b'],
    ['a path of its own', 'k%2Fincrement', 'k/increment'],
    ['dots', '..x', '..x'],
    ['encoded dots', '%2e%2e%2fx', '../x'],
    ['a plus', 'a+b', 'a+b'],
    ['an encoded plus', 'a%2Bb', 'a+b'],
    ['a hash', 'a%23b', 'a#b'],
    ['a question mark', 'a%3Fb', 'a?b'],
    ['a percent sign', 'a%25b', 'a%b'],
    ['what looks like an escape', 'a%2541b', 'a%41b'],
    ['an escaped escape of a slash', 'a%252Fb', 'a%2Fb'],
    ['encoded brackets', 'a%5B0%5D', 'a[0]'],
    ['raw brackets', 'a[0]', 'a[0]'],
    ['a colon, a star and a semicolon', ':a*;b', ':a*;b'],
    ['UTF-8', 'gr%C3%BC%C3%9Fe', 'grüße'],
    ['an emoji', '%F0%9F%98%80', '😀'],
    ['a quote and a backslash', '%22%5C', '"\\'],
    ['a line feed and a NUL', '%0A%00', '\n\0'],
    ['a name that objects know', '__proto__', '__proto__'],
  ])('may have %s: %s', async (_what, encoded, name) => {
    const url = `${path()}/${encoded}/items/${encoded}`;
    expect(await rest.request('PUT', url, { value: name })).toMatchObject({ status: 200 });
    expect((await rest.request('GET', url)).json).toMatchObject({ cache: name, key: name, value: name });
    expect((await rest.request('GET', `${path()}/${encoded}`)).json).toMatchObject({ name, size: 1 });
    expect((await rest.request('POST', `${url}/increment`, { amount: 1 })).status).toBe(400);
    expect((await rest.request('POST', `${path()}/${encoded}/clear`)).status).toBe(200);
    expect((await rest.request('DELETE', `${path()}/${encoded}`)).status).toBe(200);
  });

  test('end where the query begins, be it empty or full', async () => {
    await rest.request('PUT', path('c', 'k'), { value: 1 });
    for (const query of ['?', '?cache_name=c', '?a=b?c', '?x=/items/y', '?%zz']) {
      expect((await rest.request('GET', `${path('c', 'k')}${query}`)).status).toBe(200);
    }
  });

  test('may have 250 characters, however many bytes that is', async () => {
    for (const character of ['a', 'ü', '世', '😀']) {
      const key = character.repeat(250);
      expect((await rest.request('PUT', path('c', key), { value: 1 })).status).toBe(200);
      expect((await rest.request('GET', path('c', key))).json).toMatchObject({ key });
    }
  });

  test('of more than 250 characters are 400, and the text says so', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const body = method === 'PUT' ? { value: 1 } : undefined;
      expect(await rest.request(method, path('c', 'ü'.repeat(251)), body)).toMatchObject({
        status: 400,
        json: { msg: expect.stringContaining('250 characters') },
      });
      expect(await rest.request(method, path('c'.repeat(251), 'k'), body)).toMatchObject({
        status: 400,
        json: { msg: expect.stringContaining('250 characters') },
      });
    }
    const url = `${path('c', 'k'.repeat(251))}/increment`;
    expect((await rest.request('POST', url, { amount: 1 })).status).toBe(400);
  });

  test('that are empty are no endpoint', async () => {
    for (const [method, url] of [
      ['GET', `${path()}/`],
      ['DELETE', `${path()}/`],
      ['POST', `${path()}//clear`],
      ['GET', `${path()}//items/k`],
      ['GET', `${path('c')}/items/`],
      ['PUT', `${path('c')}/items/`],
      ['DELETE', `${path('c')}/items/`],
      ['POST', `${path('c')}/items//increment`],
    ] as const) {
      const answer = await rest.request(method, url, method === 'PUT' ? { value: 1, amount: 1 } : undefined);
      expect([url, answer.status, answer.json]).toEqual([
        url,
        404,
        { msg: expect.stringContaining("doesn't exist") },
      ]);
    }
  });

  test.each(['%', '%2', '%zz', '%ff', '%C3', '%ED%A0%80', 'a%20%'])(
    'that are badly encoded are 400: %s',
    async (name) => {
      for (const url of [`${path('c')}/items/${name}`, `${path()}/${name}/items/k`, `/nowhere/${name}`]) {
        const answer = await rest.request('GET', url);
        expect(answer).toMatchObject({
          status: 400,
          json: { msg: expect.stringContaining('percent-encoded') },
        });
        expect(answer.headers['content-type']).toBe('application/json');
      }
    },
  );
});

describe('a URL with its host, as proxies send it,', () => {
  test.each([
    'http:///version',
    'HTTPS://',
    'http://?x',
    'http://host:port/version',
    'http://[::1/version',
    'http://host/version#x',
    'http://host/%zz',
  ])('is 400 where no path can be read from it, and the text says how to send it: %s', async (url) => {
    const { app, listen } = await testApp();
    const socket = new HttpSocket(await listen());
    socket.write(`GET ${url} HTTP/1.1\r\nHost: host\r\n\r\n`);
    expect(await socket.answer()).toMatchObject({
      status: 400,
      body: expect.stringContaining('http://HOST/PATH'),
    });
    socket.destroy();
    await app.close();
  });
});

describe('a path that nobody knows', () => {
  test.each([
    '/',
    '/1',
    '/1/projects/',
    '/1/tokens/',
    '/2/projects/x/caches',
    '/1/projects/x/tokens',
    '/1//projects',
    '/VERSION',
    '/version/',
    '/docs/static/none.js',
    '/%2e%2e/etc/passwd',
    '*',
    '/1/projects/x/caches/c/items/k/decrement',
  ])('is 404 to every method: %s', async (url) => {
    for (const method of METHODS_TO_TRY) {
      const response = await rest.app.inject({ method: method as 'GET', url, headers: AUTHORIZED });
      if (url.startsWith('/docs') && method !== 'GET' && method !== 'HEAD') continue;
      expect([method, response.statusCode]).toEqual([method, 404]);
      expect(response.headers['content-type']).toBe('application/json');
      if (method !== 'HEAD') expect(response.json().msg).toContain("doesn't exist");
    }
  });
});

describe('a wrong verb on a known path', () => {
  test.each([
    [path(), 'GET, HEAD'],
    [path('c'), 'DELETE, GET, HEAD'],
    [`${path('c')}/clear`, 'POST'],
    [path('c', 'k'), 'DELETE, GET, HEAD, PUT'],
    [path('c', 'a/b'), 'DELETE, GET, HEAD, PUT'],
    [`${path('c', 'k')}/increment`, 'POST'],
    [`${path('c', 'k')}/increment?oauth=x`, 'POST'],
    ['/version', 'GET, HEAD'],
    ['/docs/json', 'GET, HEAD'],
    ['http://example.org/version', 'GET, HEAD'],
  ])('is 405, and Allow tells the right ones: %s', async (url, allow) => {
    for (const method of METHODS_TO_TRY.filter((each) => !allow.split(', ').includes(each))) {
      const response = await rest.app.inject({ method: method as 'GET', url, payload: '{"value":1}' });
      expect([method, response.statusCode, response.headers['allow']]).toEqual([method, 405, allow]);
      expect(response.headers['content-type']).toBe('application/json');
      if (method !== 'HEAD') expect(response.json()).toEqual({ msg: `This endpoint allows ${allow}.` });
    }
  });
});
