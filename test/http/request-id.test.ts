import { beforeEach, expect, test } from 'vitest';
import { AUTHORIZED, path, type TestApp, testApp } from '../support/app.ts';

let rest: TestApp;

beforeEach(async () => {
  rest = await testApp();
});

async function idOf(given?: string, url = path('c', 'k')): Promise<unknown> {
  const headers = { ...AUTHORIZED, ...(given !== undefined && { 'x-request-id': given }) };
  return (await rest.app.inject({ url, headers })).headers['x-request-id'];
}

test.each(['42', '0af7651916cd43dd8448eb211c80319c', 'a/b:c=d+e.f_g-h', 'x'.repeat(128)])(
  'a request id that was given is answered back: %s',
  async (given) => {
    expect(await idOf(given)).toBe(given);
  },
);

test.each(['', ' ', 'two words', 'x'.repeat(129), '{"a":1}', 'é', '<b>'])(
  'a request id that is none is not: %j',
  async (given) => {
    expect(await idOf(given)).toMatch(/^[0-9a-f]{10}-\w+$/);
  },
);

test('requests without one have ids of their own, errors and what is not found, too', async () => {
  const ids = [await idOf(), await idOf(undefined, '/nowhere'), await idOf(undefined, '/%zz'), await idOf()];
  expect(ids).not.toContain(undefined);
  expect(new Set(ids).size).toBe(ids.length);
});
