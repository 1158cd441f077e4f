import { describe, expect, test, vi } from 'vitest';
import { isServersFault, Refusal, type RefusalCode } from '../../src/engine/errors.ts';
import { AUTHORIZED, path, testApp } from '../support/app.ts';
import { laterStore } from '../support/http-later-store.ts';

async function appThatThrows(error: unknown) {
  const rest = await testApp();
  vi.spyOn(rest.engine, 'cache').mockImplementation(() => {
    throw error;
  });
  return rest;
}

describe('what the engine refuses', () => {
  test.each<[RefusalCode, number]>([
    ['cache_name_too_long', 400],
    ['value_too_large', 413],
    ['out_of_memory', 403],
    ['over_quota', 403],
    ['too_many_caches', 403],
    ['store_unavailable', 503],
  ])('%s is %d, with a text that says what to do', async (code, status) => {
    const refusal = new Refusal(code, 'what the engine says');
    const { request } = await appThatThrows(refusal);
    const answer = await request('GET', path('c', 'k'));
    expect(answer).toMatchObject({
      status,
      json: { msg: expect.stringMatching(/^What the engine says\. .+/) },
    });
    expect(answer.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    expect(status >= 500).toBe(isServersFault(refusal));
  });

  test('one cache too many is 403', async () => {
    const { request } = await testApp({ cachesMax: 1 });
    await request('PUT', path('first', 'k'), { value: 1 });
    expect(await request('PUT', path('second', 'k'), { value: 1 })).toMatchObject({
      status: 403,
      json: { msg: expect.stringContaining('at most 1 caches') },
    });
  });

  test('an item that is larger than the memory is 403', async () => {
    const { request } = await testApp({ bytesMax: 100_000 });
    const answer = await request('PUT', path('c', 'k'), { value: 'x'.repeat(2_000) });
    expect(answer).toMatchObject({ status: 403 });
  });
});

describe('a fault of the service', () => {
  test.each([
    new Error('secret detail'),
    'a string',
    undefined,
    { statusCode: 200 },
    Object.assign(new Error('secret'), { statusCode: 503 }),
  ])('is 500 and tells nothing of itself, and the service goes on: %s', async (error) => {
    const rest = await appThatThrows(error);
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      const answer = await rest.request(method, path('c', 'k'), method === 'PUT' ? { value: 1 } : undefined);
      expect(answer).toMatchObject({
        status: 500,
        json: { msg: 'Internal error. It was logged; try again later.' },
      });
      expect(answer.headers['content-type']).toBe('application/json');
    }
    vi.restoreAllMocks();
    expect((await rest.request('PUT', path('c', 'k'), { value: 1 })).status).toBe(200);
  });

  test('that comes as a broken promise is no different', async () => {
    const rest = await testApp({
      around: (store) => ({
        ...laterStore(store),
        list: () => Promise.reject(new Refusal('store_unavailable', 'no answer')),
        cache: (project, name) => ({
          ...laterStore(store).cache(project, name),
          read: () => Promise.reject(new Error('secret detail')),
          put: () => Promise.reject(new Refusal('store_unavailable', 'no answer')),
          update: () => Promise.reject(new Refusal('store_unavailable', 'no answer')),
        }),
      }),
    });
    expect(await rest.request('GET', path('c', 'k'))).toMatchObject({ status: 500 });
    expect(await rest.request('PUT', path('c', 'k'), { value: 1 })).toMatchObject({ status: 503 });
    expect(await rest.request('GET', path())).toMatchObject({ status: 503 });
  });
});

test('a store that answers later gives the same answers', async () => {
  const { request, app } = await testApp({ around: laterStore });
  expect(await request('PUT', path('c', 'k'), { value: 41 })).toMatchObject({ json: { msg: 'Stored.' } });
  expect(await request('PUT', path('c', 'k'), { value: 1, add: true })).toMatchObject({
    json: { msg: 'Not stored.' },
  });
  expect(await request('POST', `${path('c', 'k')}/increment`, { amount: 1 })).toMatchObject({
    json: { value: 42 },
  });
  expect(await request('GET', path('c', 'k'))).toMatchObject({ json: { value: 42 } });
  expect(await request('HEAD', path('c', 'k'))).toMatchObject({ status: 200 });
  const raw = await app.inject({
    url: path('c', 'k'),
    headers: { ...AUTHORIZED, accept: 'application/octet-stream' },
  });
  expect(raw.body).toBe('42');
  expect(await request('GET', path())).toMatchObject({ json: [{ name: 'c' }] });
  expect(await request('GET', path('c'))).toMatchObject({ json: { size: 1 } });
  expect(await request('DELETE', path('c', 'k'))).toMatchObject({ json: { msg: 'Deleted.' } });
  expect(await request('GET', path('c', 'k'))).toMatchObject({ status: 404 });
  expect(await request('POST', `${path('c')}/clear`)).toMatchObject({ json: { msg: 'Cleared.' } });
  expect(await request('DELETE', path('c'))).toMatchObject({ json: { msg: 'Deleted.' } });
  expect(await request('DELETE', path('c'))).toMatchObject({ status: 404 });
});
