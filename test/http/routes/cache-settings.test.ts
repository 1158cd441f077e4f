import { beforeEach, describe, expect, test } from 'vitest';
import { NEVER } from '../../../src/engine/item.ts';
import { PROJECT, path, type TestApp, TOKEN, testApp } from '../../support/app.ts';
import { project, token } from '../../support/credentials.ts';

const USUAL = { policy: 'lru', default_expires_in: null, quotas: { bytes: null, items: null } };
const KEPT = { policy: 'none', default_expires_in: 60, quotas: { bytes: null, items: 2 } };

let rest: TestApp;

beforeEach(async () => {
  rest = await testApp({
    credentials: {
      projects: [project(PROJECT)],
      tokens: [token(TOKEN, [PROJECT], { permissions: ['read', 'write', 'admin'] })],
    },
  });
});

const settings = (cache: string) => `${path(cache)}/settings`;

test('a cache has usual settings, whether it exists or not', async () => {
  expect(await rest.request('GET', settings('none yet'))).toMatchObject({ status: 200, json: USUAL });
  expect((await rest.request('GET', path())).json).toEqual([]);
});

test('a body that was forgotten changes nothing', async () => {
  await rest.request('PUT', settings('c'), KEPT);
  const { status, json } = await rest.request('PUT', settings('c'));
  expect([status, json]).toEqual([
    400,
    { msg: expect.stringMatching(/^The body is empty\. Send a JSON object/) },
  ]);
  expect((await rest.request('GET', settings('c'))).json).toEqual(KEPT);
});

test('settings are put as a whole, shown, and taken back', async () => {
  expect(await rest.request('PUT', settings('c'), KEPT)).toMatchObject({ status: 200, json: KEPT });
  expect((await rest.request('GET', settings('c'))).json).toEqual(KEPT);
  await rest.request('PUT', settings('c'), { quotas: { items: 9 } });
  expect((await rest.request('GET', settings('c'))).json).toEqual({
    ...USUAL,
    quotas: { bytes: null, items: 9 },
  });
  expect(await rest.request('DELETE', settings('c'))).toMatchObject({
    status: 200,
    json: { msg: 'Deleted.' },
  });
  expect((await rest.request('GET', settings('c'))).json).toEqual(USUAL);
});

test('they hold for both doors, and stay when the cache is deleted', async () => {
  await rest.request('PUT', settings('c'), KEPT);
  for (const key of ['a', 'b']) await rest.request('PUT', path('c', key), { value: key });
  expect(await rest.request('PUT', path('c', 'd'), { value: 'd' })).toMatchObject({
    status: 403,
    json: {
      msg: 'The cache c may hold at most 2 items. Delete what is no longer used, or have the quota raised.',
    },
  });
  expect((await rest.request('GET', path('c'))).json).toMatchObject({ size: 2 });
  await rest.request('DELETE', path('c'));
  expect((await rest.request('GET', settings('c'))).json).toEqual(KEPT);
});

test('the default expiry is for what REST stores without one', async () => {
  await rest.request('PUT', settings('c'), KEPT);
  await rest.request('PUT', path('c', 'k'), { value: 1 });
  expect((await rest.engine.cache(PROJECT, 'c').peek('k'))?.expiresAt).toBe(rest.clock.now() + 60_000);
  await rest.request('PUT', path('c', 'k'), { value: 1, expires_in: 5 });
  expect((await rest.engine.cache(PROJECT, 'c').peek('k'))?.expiresAt).toBe(rest.clock.now() + 5000);
  await rest.request('PUT', path('other', 'k'), { value: 1 });
  expect((await rest.engine.cache(PROJECT, 'other').peek('k'))?.expiresAt).toBe(NEVER);
});

describe('what is not right says what is', () => {
  test.each([
    [{ policy: 'lfu' }, 'policy must be "lru" or "none".'],
    [
      { default_expires_in: -1 },
      'default_expires_in must be a whole number of seconds from 0 (never) to 2592000',
    ],
    [{ quotas: { bytes: 0 } }, 'quotas.bytes must be a whole number from 1 to'],
    [
      { quotas: { requests_per_second: 1 } },
      'quotas has a member that is not known; these are: bytes, items.',
    ],
    [{ quota: {} }, 'There is a member that is not known; these are: policy, default_expires_in, quotas.'],
  ])('%j', async (body, msg) => {
    const answer = await rest.request('PUT', settings('c'), body);
    expect(answer).toMatchObject({ status: 400, json: { msg: expect.stringContaining(msg) } });
    expect((await rest.request('GET', settings('c'))).json).toEqual(USUAL);
  });

  test('a cache name that is too long', async () => {
    expect(await rest.request('PUT', settings('x'.repeat(251)), {})).toMatchObject({ status: 400 });
  });

  test('an empty cache name is no endpoint', async () => {
    for (const method of ['GET', 'PUT', 'DELETE'] as const) {
      expect(await rest.request(method, settings(''), method === 'PUT' ? KEPT : undefined)).toMatchObject({
        status: 404,
      });
    }
  });
});

test('what is shown to whoever sends no valid JSON can be sent', async () => {
  for (const [method, url] of [
    ['PUT', settings('c')],
    ['PUT', path('c', 'k')],
    ['POST', `${path('c', 'n')}/increment`],
  ] as const) {
    const { json } = await rest.request(method, url, '{');
    const { msg } = json as { msg: string };
    const example = /like (\{.*\})\.$/.exec(msg)?.[1];
    expect(await rest.request(method, url, example)).toMatchObject({ status: 200 });
  }
});
