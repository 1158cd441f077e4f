import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { OTHER_PROJECT, OTHER_TOKEN, PROJECT, path, type TestApp, TOKEN, testApp } from '../support/app.ts';
import { project, TWO_PROJECTS, token } from '../support/credentials.ts';
import { HttpSocket } from '../support/http-socket.ts';

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

  test('in the URL is looked at anew with every request of a connection, whatever else its header says', async () => {
    const { listen } = await testApp();
    const client = new HttpSocket(await listen());
    const ask = async (url: string) => {
      client.write(`GET ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic eDp5\r\n\r\n`);
      return (await client.answer()).status;
    };
    expect(await ask(`${path()}?oauth=${TOKEN}`)).toBe(200);
    expect(await ask(`${path()}?oauth=wrong`)).toBe(401);
    expect(await ask(path())).toBe(401);
    expect(await ask(`${path()}?oauth=${TOKEN}`)).toBe(200);
    client.destroy();
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

describe('over one connection, each request is judged anew', () => {
  const SAME = `OAuth ${TOKEN}`;
  const OTHERS = path().replace(PROJECT, OTHER_PROJECT);
  let own: TestApp;
  let socket: HttpSocket;

  beforeEach(async () => {
    own = await testApp();
    socket = new HttpSocket(await own.listen());
    expect(await over(SAME)).toBe(200);
    expect(await over(SAME)).toBe(200);
  });

  afterEach(async () => {
    socket.destroy();
    await own.app.close();
  });

  async function over(authorization: string | undefined, url = path()): Promise<number> {
    const header = authorization === undefined ? '' : `Authorization: ${authorization}\r\n`;
    socket.write(`GET ${url} HTTP/1.1\r\nHost: x\r\n${header}\r\n`);
    return (await socket.answer()).status;
  }

  test('with another token, or none', async () => {
    expect(await over(`OAuth ${OTHER_TOKEN}`)).toBe(403);
    expect(await over(`${SAME.slice(0, -1)}x`)).toBe(401);
    expect(await over(`${SAME}x`)).toBe(401);
    expect(await over(undefined)).toBe(401);
    expect(await over(SAME)).toBe(200);
  });

  test('for another project', async () => {
    expect(await over(SAME, OTHERS)).toBe(403);
    expect(await over(`OAuth ${OTHER_TOKEN}`, OTHERS)).toBe(200);
    expect(await over(`OAuth ${OTHER_TOKEN}`)).toBe(403);
  });

  test('once the token was revoked, and once there is one of the same text again', async () => {
    own.tokens.update({ ...TWO_PROJECTS, tokens: [] });
    expect(await over(SAME)).toBe(401);
    own.tokens.update(TWO_PROJECTS);
    expect(await over(SAME)).toBe(200);
  });

  test('once the token has another text', async () => {
    const changed = { ...token('another text', [PROJECT]), id: token(TOKEN, []).id };
    own.tokens.update({ ...TWO_PROJECTS, tokens: [changed] });
    expect(await over(SAME)).toBe(401);
  });

  test('once the token may do less, or has expired', async () => {
    own.tokens.update({ ...TWO_PROJECTS, tokens: [token(TOKEN, [PROJECT], { permissions: ['write'] })] });
    expect(await over(SAME)).toBe(403);
    own.tokens.update({
      ...TWO_PROJECTS,
      tokens: [token(TOKEN, [PROJECT], { expiresAt: own.clock.now() + 1000 })],
    });
    expect(await over(SAME)).toBe(200);
    own.clock.advance(1000);
    expect(await over(SAME)).toBe(401);
  });

  test('once the project is suspended, or deleted', async () => {
    own.tokens.update({ ...TWO_PROJECTS, projects: [project(PROJECT, { suspended: true })] });
    expect(await over(SAME)).toBe(403);
    own.tokens.update({ ...TWO_PROJECTS, projects: [] });
    expect(await over(SAME)).toBe(404);
  });
});

test('nobody needs a token for the version and the documentation', async () => {
  const version = await rest.app.inject('/version');
  expect(version.json()).toEqual({ version: '1.2.3' });
  expect(version.headers['content-type']).toBe('application/json');
  expect((await rest.app.inject('/docs/json')).statusCode).toBe(200);
});
