import Memcached from 'memcached';
import { expect, onTestFinished, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import {
  PROJECT,
  startService,
  type TestService,
  type TestServiceOptions,
  TOKEN,
} from '../support/service.ts';

const SIGN_IN = `${TOKEN} ${PROJECT} the cache`;
const MANY = Array.from({ length: 100 }, (_, i) => [`many-${i}`, `value ${i}`] as const);

test('the first set of oauth signs in; without it, and with a wrong token, nothing works', async () => {
  const { memcachedPort } = await startService();
  const client = connect(memcachedPort);
  await expect(client.get('key')).rejects.toThrow('unauthenticated');
  await expect(client.set('oauth', `wrong ${PROJECT} the cache`)).rejects.toThrow('authentication failure');
  expect(await client.set('oauth', SIGN_IN)).toBe(true);
  expect(await client.get('oauth')).toBeUndefined();
  expect(await client.set('oauth', 'an ordinary item now')).toBe(true);
  expect(await client.get('oauth')).toBe('an ordinary item now');
});

test('set, get, add, replace, append, prepend and delete', async () => {
  const { client } = await signedIn();
  expect(await client.set('key', 'value')).toBe(true);
  expect(await client.get('key')).toBe('value');
  expect(await client.get('missing')).toBeUndefined();
  await expect(client.add('key', 'other')).rejects.toThrow('not stored');
  expect(await client.replace('key', 'second')).toBe(true);
  await expect(client.replace('missing', 'other')).rejects.toThrow('not stored');
  expect(await client.append('key', '>')).toBe(true);
  expect(await client.prepend('key', '<')).toBe(true);
  expect(await client.get('key')).toBe('<second>');
  expect(await client.del('key')).toBe(true);
  expect(await client.del('key')).toBe(false);
  expect(await client.add('key', 'third')).toBe(true);
  expect(await client.get('key')).toBe('third');
});

test.each([
  ['a text', 'text with ä ☃ and 𝄞'],
  ['an empty text', ''],
  ['a whole number', 42],
  ['a fraction', -1.5],
  ['true', true],
  ['false', false],
  ['an object', { a: [1, null, 'b'] }],
  ['every byte', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
])('%s comes back with its type, which its flags keep', async (_, value) => {
  const { client } = await signedIn();
  await client.set('typed', value);
  expect(await client.get('typed')).toEqual(value);
});

test('incr and decr', async () => {
  const { client } = await signedIn();
  await client.set('number', 10);
  expect(await client.incr('number', 5)).toBe(15);
  expect(await client.decr('number', 20)).toBe(0);
  expect(await client.incr('missing', 1)).toBe(false);
  await client.set('text', 'text');
  await expect(client.incr('text', 1)).rejects.toThrow('non-numeric value');
});

test('a hundred keys in one request', async () => {
  const { client } = await signedIn();
  for (const [key, value] of MANY) await client.set(key, value);
  const found = await client.getMulti([...MANY.map(([key]) => key), 'missing']);
  expect({ ...found }).toEqual(Object.fromEntries(MANY));
});

test('cas stores only over the version that was read', async () => {
  const { client } = await signedIn();
  await client.set('key', 'first');
  const { key, cas } = await client.gets('key');
  expect(key).toBe('first');
  expect(await client.cas('key', 'second', cas)).toBe(true);
  expect(await client.cas('key', 'third', cas)).toBe(false);
  expect(await client.get('key')).toBe('second');
});

test('items expire, and touch moves the time', async () => {
  const clock = testClock();
  const { client } = await signedIn({ clock });
  await client.set('short', '1', 2);
  await client.set('touched', '1', 2);
  await client.set('lasting', '1');
  expect(await client.touch('touched', 100)).toBe(true);
  expect(await client.touch('missing', 100)).toBe(false);
  clock.advance(2_001);
  expect(await client.get('short')).toBeUndefined();
  expect(await client.get('touched')).toBe('1');
  expect(await client.get('lasting')).toBe('1');
});

test('a value of exactly 1 MiB is stored, a larger one is refused', async () => {
  const { client } = await signedIn();
  const largest = 'x'.repeat(2 ** 20);
  expect(await client.set('large', largest)).toBe(true);
  expect(await client.get('large')).toBe(largest);
  // What this client makes of every SERVER_ERROR: false, and a new connection after `retry` milliseconds.
  expect(await client.set('larger', `${largest}x`)).toBe(false);
  await expect.poll(() => outcome(client.get('larger'))).toMatch('unauthenticated');
  await client.set('oauth', SIGN_IN);
  expect(await client.get('larger')).toBeUndefined();
  expect(await client.get('large')).toBe(largest);
});

test('flush, stats, settings, items and version', async () => {
  const { client } = await signedIn();
  await client.set('key', 'value');
  expect(await client.stats()).toEqual([expect.objectContaining({ curr_items: 1 })]);
  expect(await client.settings()).toHaveLength(1);
  expect(await client.items()).toHaveLength(1);
  expect(await client.version()).toEqual([expect.objectContaining({ version: expect.any(String) })]);
  expect(await client.flush()).toEqual([true]);
  expect(await client.get('key')).toBeUndefined();
});

test('what it stores REST shows, and the reverse', async () => {
  const { client, service } = await signedIn();
  await client.set('by-memcached', 'ä');
  const found = await service.rest('GET', '/the%20cache/items/by-memcached');
  expect(await found.json()).toMatchObject({ cache: 'the cache', key: 'by-memcached', value: 'ä' });
  await service.rest('PUT', '/the%20cache/items/by-rest', { value: 'ö' });
  expect(await client.get('by-rest')).toBe('ö');
});

test('after the server was started anew, the client connects by itself, and signs in anew', async () => {
  const { client, service } = await signedIn();
  await client.set('key', 'value');
  await service.service.stop();
  await startService(['--memcached-port', String(service.memcachedPort)]);
  await expect.poll(() => outcome(client.get('key'))).toMatch('unauthenticated');
  expect(await client.set('oauth', SIGN_IN)).toBe(true);
  expect(await client.get('key')).toBeUndefined();
  expect(await client.set('key', 'again')).toBe(true);
  expect(await client.get('key')).toBe('again');
});

test('a pool of connections uses a bound listener, without sign-in', async () => {
  const { bound, rest } = await startService(['--memcached-bind', `127.0.0.1:0=${PROJECT}/pooled`]);
  const client = connect(bound[0]?.port, { poolSize: 8, retries: 5 });
  await Promise.all(MANY.map(([key, value]) => client.set(key, value)));
  const found = await Promise.all(MANY.map(([key]) => client.get(key)));
  expect(found).toEqual(MANY.map(([, value]) => value));
  expect(await (await rest('GET', '/pooled')).json()).toMatchObject({ size: 100 });
});

/** What was answered, or the text of the error. */
function outcome(answered: Promise<unknown>): Promise<unknown> {
  return answered.catch((error: Error) => error.message);
}

interface SignedIn {
  readonly service: TestService;
  readonly client: Client;
}

async function signedIn(options: TestServiceOptions = {}): Promise<SignedIn> {
  const service = await startService([], options);
  const client = connect(service.memcachedPort);
  await client.set('oauth', SIGN_IN);
  return { service, client };
}

type Client = ReturnType<typeof connect>;

/**
 * The package's client, with promises in place of its callbacks. One connection, since each must sign in,
 * and one that stays: by default, the package closes it after 5 seconds of silence.
 */
function connect(port: number | undefined, options: Memcached.options = { poolSize: 1, idle: 0 }) {
  const client = new Memcached(`127.0.0.1:${port}`, {
    maxValue: 4 * 2 ** 20,
    retry: 10,
    retries: 0,
    ...options,
  });
  onTestFinished(() => client.end());
  return {
    set: (key: string, value: unknown, lifetime = 0) =>
      answer<boolean>((done) => client.set(key, value, lifetime, done)),
    add: (key: string, value: unknown) => answer<boolean>((done) => client.add(key, value, 0, done)),
    replace: (key: string, value: unknown) => answer<boolean>((done) => client.replace(key, value, 0, done)),
    append: (key: string, value: unknown) => answer<boolean>((done) => client.append(key, value, done)),
    prepend: (key: string, value: unknown) => answer<boolean>((done) => client.prepend(key, value, done)),
    cas: (key: string, value: unknown, cas: string) =>
      answer<boolean>((done) => client.cas(key, value, cas, 0, done)),
    get: (key: string) => answer<unknown>((done) => client.get(key, done)),
    gets: (key: string) => answer<{ key: unknown; cas: string }>((done) => client.gets(key, done)),
    getMulti: (keys: string[]) => answer<Record<string, unknown>>((done) => client.getMulti(keys, done)),
    incr: (key: string, amount: number) => answer<boolean | number>((done) => client.incr(key, amount, done)),
    decr: (key: string, amount: number) => answer<boolean | number>((done) => client.decr(key, amount, done)),
    touch: (key: string, lifetime: number) =>
      answer<boolean>((done) => client.touch(key, lifetime, done as (error: unknown) => void)),
    del: (key: string) => answer<boolean>((done) => client.del(key, done)),
    flush: () => answer<boolean[]>((done) => client.flush(done)),
    stats: () => answer<unknown>((done) => client.stats(done)),
    settings: () => answer<unknown>((done) => client.settings(done)),
    items: () => answer<unknown>((done) => client.items(done)),
    version: () => answer<unknown>((done) => client.version(done)),
  };
}

// biome-ignore lint/suspicious/noExplicitAny: what the package's types promise differs from call to call.
function answer<T>(start: (done: (error: any, value: any) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(asError(error)) : resolve(value)));
  });
}

// Of several servers' failures, the first; the package hands over texts as well as errors.
function asError(failure: unknown): Error {
  const [first] = [failure].flat();
  return first instanceof Error ? first : new Error(String(first));
}
