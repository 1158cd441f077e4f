import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import { PROJECT, startService, type TestServiceOptions, TOKEN } from '../support/service.ts';

// The package's entry point wires lib/ironcache.js, which makes every request, to lib/http.js, which has
// the hosted service's address written into it. Whoever uses the package with a service of their own
// gives lib/ironcache.js another such function, and so does this test.
type Done = (error: Error | null, response?: { statusCode: number }, body?: unknown) => void;
type Http = (uri: string, token: string, method: string, ...rest: [Done] | [object, Done]) => void;
type Callback = (error: Error | null, body: Record<string, unknown>) => void;
interface IronCache {
  list(done: Callback): void;
  info(cache: string, done: Callback): void;
  delCache(cache: string, done: Callback): void;
  clearCache(cache: string, done: Callback): void;
  put(cache: string, key: string, data: object, done: Callback): void;
  incr(cache: string, key: string, amount: number, done: Callback): void;
  get(cache: string, key: string, done: Callback): void;
  del(cache: string, key: string, done: Callback): void;
}
const ironCache: (project: string, token: string, http: Http) => IronCache = createRequire(import.meta.url)(
  'iron-cache/lib/ironcache.js',
);

test('put, get and delete', async () => {
  const client = await connect();
  expect(await client.put('cache', 'key', { value: 'value' })).toEqual({ msg: 'Stored.' });
  expect(await client.get('cache', 'key')).toEqual({
    cache: 'cache',
    key: 'key',
    value: 'value',
    cas: expect.any(String),
    flags: 0,
    expires: '9999-01-01T00:00:00Z',
  });
  expect(await client.del('cache', 'key')).toEqual({ msg: 'Deleted.' });
  await expect(client.get('cache', 'key')).rejects.toThrow('Key not found');
  await expect(client.del('cache', 'key')).rejects.toThrow('Key not found');
});

test.each([
  ['a text', 'ä ☃ 𝄞'],
  ['an empty text', ''],
  ['a text of digits', '42'],
  ['a number', 42],
  ['a fraction', -1.5],
  ['a boolean', false],
  ['null', null],
  ['an object', { a: [1, { b: null }] }],
])('%s comes back with its type', async (_, value) => {
  const client = await connect();
  await client.put('cache', 'typed', { value });
  expect(await client.get('cache', 'typed')).toMatchObject({ value });
});

test('add, replace and cas that do not match are no errors, but store nothing', async () => {
  const client = await connect();
  expect(await client.put('cache', 'key', { value: 1, replace: true })).toEqual({ msg: 'Not stored.' });
  expect(await client.put('cache', 'key', { value: 2, add: true })).toEqual({ msg: 'Stored.' });
  expect(await client.put('cache', 'key', { value: 3, add: true })).toEqual({ msg: 'Not stored.' });
  const { cas } = await client.get('cache', 'key');
  expect(await client.put('cache', 'key', { value: 4, cas })).toEqual({ msg: 'Stored.' });
  expect(await client.put('cache', 'key', { value: 5, cas })).toEqual({ msg: 'Not stored.' });
  expect(await client.get('cache', 'key')).toMatchObject({ value: 4 });
});

test('incr by positive and negative amounts, also of what was not there', async () => {
  const client = await connect();
  expect(await client.incr('cache', 'number', 3)).toEqual({ msg: 'Added', value: 3 });
  expect(await client.incr('cache', 'number', -5)).toEqual({ msg: 'Added', value: -2 });
  await client.put('cache', 'text', { value: 'text' });
  await expect(client.incr('cache', 'text', 1)).rejects.toThrow('non-numeric value');
});

test('items expire', async () => {
  const clock = testClock();
  const client = await connect(TOKEN, { clock });
  await client.put('cache', 'short', { value: 1, expires_in: 2 });
  expect(await client.get('cache', 'short')).toMatchObject({ value: 1 });
  clock.advance(2_001);
  await expect(client.get('cache', 'short')).rejects.toThrow('Key not found');
});

test('a body of nearly 1 MiB is stored, a larger one is refused', async () => {
  const client = await connect();
  const value = 'x'.repeat(2 ** 20 - '{"value":""}'.length);
  expect(await client.put('cache', 'large', { value })).toEqual({ msg: 'Stored.' });
  expect(await client.get('cache', 'large')).toMatchObject({ value });
  await expect(client.put('cache', 'large', { value: `${value}x` })).rejects.toThrow();
  expect(await client.get('cache', 'large')).toMatchObject({ value });
});

test('caches: list, info, clear and delete', async () => {
  const client = await connect();
  expect(await client.list()).toEqual([]);
  await client.put('my cache', 'key', { value: 1 });
  expect(await client.list()).toEqual([expect.objectContaining({ project_id: PROJECT, name: 'my cache' })]);
  expect(await client.info('my cache')).toMatchObject({ name: 'my cache', size: 1 });
  expect(await client.clearCache('my cache')).toEqual({ msg: 'Cleared.' });
  expect(await client.info('my cache')).toMatchObject({ size: 0 });
  expect(await client.delCache('my cache')).toEqual({ msg: 'Deleted.' });
  await expect(client.info('my cache')).rejects.toThrow('Cache not found');
});

test('a wrong token is an error with a text', async () => {
  const client = await connect('a-wrong-token');
  await expect(client.get('cache', 'key')).rejects.toThrow(/token/i);
});

async function connect(token = TOKEN, options: TestServiceOptions = {}) {
  const { protocol, httpPort } = await startService([], options);
  const client = ironCache(PROJECT, token, httpTo(`${protocol}://127.0.0.1:${httpPort}/1`));
  return {
    list: promisify(client.list),
    info: promisify(client.info),
    delCache: promisify(client.delCache),
    clearCache: promisify(client.clearCache),
    put: promisify(client.put),
    incr: promisify(client.incr),
    get: promisify(client.get),
    del: promisify(client.del),
  };
}

// What lib/http.js does: the token in the query, JSON there and back.
function httpTo(rootUrl: string): Http {
  return (uri, token, method, ...rest) => {
    const [data, done] = rest.length === 1 ? [undefined, rest[0]] : rest;
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    fetch(`${rootUrl}${uri}?oauth=${token}`, { method, headers, ...(data && { body: JSON.stringify(data) }) })
      .then(async (response) => ({ statusCode: response.status, body: (await response.json()) as unknown }))
      .then(
        (response) => done(null, response, response.body),
        (error: Error) => done(error),
      );
  };
}
