import { beforeAll, describe, expect, test } from 'vitest';
import { OTHER_PROJECT, OTHER_TOKEN, PROJECT, path, type TestApp, TOKEN, testApp } from '../support/app.ts';

let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

async function status(url: string, authorization?: string): Promise<number> {
  const response = await rest.app.inject({ url, headers: authorization ? { authorization } : {} });
  if (response.statusCode !== 200) expect(response.json()).toEqual({ msg: expect.any(String) });
  expect(response.headers['content-type']).toBe('application/json');
  return response.statusCode;
}

describe('a token', () => {
  test.each([`OAuth ${TOKEN}`, `oauth ${TOKEN}`, `OAUTH  ${TOKEN} `, `Bearer ${TOKEN}`, `bearer ${TOKEN}`])(
    'may come in the header: %s',
    async (header) => {
      expect(await status(path(), header)).toBe(200);
    },
  );

  test('may come in the URL', async () => {
    expect(await status(`${path()}?oauth=${TOKEN}`)).toBe(200);
    expect(await status(`${path()}?cache_name=x&oauth=${TOKEN}`)).toBe(200);
  });

  test('of the header wins over the one in the URL', async () => {
    expect(await status(`${path()}?oauth=wrong`, `OAuth ${TOKEN}`)).toBe(200);
    expect(await status(`${path()}?oauth=${TOKEN}`, 'OAuth wrong')).toBe(401);
  });

  test.each([undefined, '', 'OAuth', 'OAuth ', `Basic ${TOKEN}`, TOKEN, `OAuth${TOKEN}`, 'OAuth wrong'])(
    'that is missing or unknown is 401, and the answer says how to send one: %j',
    async (header) => {
      const response = await rest.app.inject({
        url: path(),
        headers: header === undefined ? {} : { authorization: header },
      });
      expect(response.statusCode).toBe(401);
      expect(response.json().msg).toContain('Authorization: OAuth TOKEN');
      expect(response.headers['www-authenticate']).toContain('OAuth');
    },
  );

  test('that is empty in the URL, or there twice, is no way in', async () => {
    expect(await status(`${path()}?oauth=`)).toBe(401);
    expect(await status(`${path()}?oauth=wrong&oauth=${TOKEN}`)).toBe(401);
  });

  test('of another project is 403', async () => {
    expect(await status(path(), `OAuth ${OTHER_TOKEN}`)).toBe(403);
    expect(await status(path().replace(PROJECT, OTHER_PROJECT), `OAuth ${TOKEN}`)).toBe(403);
  });

  test('cannot reach a project that does not exist: 404, whatever the token', async () => {
    for (const project of ['4e71843298b1db3f0d0000ff', 'x', PROJECT.toUpperCase(), '__proto__']) {
      const url = path().replace(PROJECT, project);
      expect(await status(url, `OAuth ${TOKEN}`)).toBe(404);
      expect(await status(url, 'OAuth wrong')).toBe(404);
    }
  });
});

test('nobody needs a token for the version and the documentation', async () => {
  const version = await rest.app.inject('/version');
  expect(version.json()).toEqual({ version: '1.2.3' });
  expect(version.headers['content-type']).toBe('application/json');
  expect((await rest.app.inject('/docs/json')).statusCode).toBe(200);
});
