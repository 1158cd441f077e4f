import { afterEach, describe, expect, test } from 'vitest';
import {
  AUTHORIZED,
  PROJECT,
  path,
  type TestApp,
  type TestAppOptions,
  TOKEN,
  testApp,
} from '../support/app.ts';
import { project, token } from '../support/credentials.ts';
import { HttpSocket } from '../support/http-socket.ts';

let rest: TestApp;

afterEach(() => rest.app.close());

async function start(options: TestAppOptions): Promise<void> {
  rest = await testApp(options);
}

async function get(headers: Record<string, string> = AUTHORIZED, remoteAddress = '192.0.2.1') {
  const {
    statusCode,
    headers: answered,
    body,
  } = await rest.app.inject({ url: path(), headers, remoteAddress });
  return { status: statusCode, retryAfter: answered['retry-after'], body };
}

async function fail(
  times: number,
  headers: Record<string, string> = {},
  remoteAddress?: string,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    expect((await get({ authorization: `OAuth wrong${i}`, ...headers }, remoteAddress)).status).toBe(401);
  }
}

describe('requests', () => {
  test('of a token that are too many are 429, and Retry-After says when there is room', async () => {
    await start({ requestsPerSecond: 5 });
    for (let i = 0; i < 5; i++) expect((await get()).status).toBe(200);
    expect(await get()).toEqual({
      status: 429,
      retryAfter: '1',
      body: '{"msg":"This token may make 5 requests per second. Wait, then try again."}',
    });
    rest.clock.advance(1_000);
    expect((await get()).status).toBe(200);
  });

  test('that are refused change nothing, and their connection stays usable', async () => {
    await start({ requestsPerSecond: 1 });
    expect(await rest.request('PUT', path('c', 'k'), { value: 1 })).toMatchObject({ status: 200 });
    expect(await rest.request('PUT', path('c', 'k'), { value: 2 })).toMatchObject({ status: 429 });
    expect(await rest.request('DELETE', path('c', 'k'))).toMatchObject({ status: 429 });
    rest.clock.advance(1_000);
    expect(await rest.request('GET', path('c', 'k'))).toMatchObject({ json: { value: 1 } });
  });

  test('of a project have its quota', async () => {
    await start({
      credentials: {
        projects: [project(PROJECT, { quotas: { requestsPerSecond: 2 } })],
        tokens: [token(TOKEN, [PROJECT])],
      },
    });
    expect((await get()).status).toBe(200);
    expect((await get()).status).toBe(200);
    expect(await get()).toMatchObject({
      status: 429,
      body: expect.stringContaining('This project may make 2 requests'),
    });
  });

  test('without a token, or by one that is not known, cost no token anything', async () => {
    await start({ requestsPerSecond: 1 });
    await fail(3);
    expect((await get({})).status).toBe(401);
    expect((await get()).status).toBe(200);
  });
});

describe('failed sign-ins', () => {
  test.each(['/1/projects', '/1/tokens'])(
    'have their address refused at %s, too, and count there',
    async (url) => {
      await start({ signInLimits: { failuresPerAddressMax: 3 } });
      const ask = async (text: string) =>
        (
          await rest.app.inject({
            url,
            headers: { authorization: `OAuth ${text}` },
            remoteAddress: '192.0.2.1',
          })
        ).statusCode;
      for (let i = 0; i < 3; i++) expect(await ask(`wrong${i}`)).toBe(401);
      expect(await ask(TOKEN)).toBe(429);
      expect((await get()).status).toBe(429);
    },
  );

  test('that are too many have their address refused for a while, and no other', async () => {
    await start({ signInLimits: { failuresPerAddressMax: 3 } });
    await fail(3);
    expect(await get()).toEqual({
      status: 429,
      retryAfter: '60',
      body: '{"msg":"Too many failed sign-ins from your address. Try again in 60 seconds."}',
    });
    expect((await get({ authorization: 'OAuth wrong' })).status).toBe(429);
    expect((await get(AUTHORIZED, '192.0.2.2')).status).toBe(200);
    rest.clock.advance(60_000);
    expect((await get()).status).toBe(200);
  });

  test('lock out nobody whose token was right from that address before', async () => {
    await start({ signInLimits: { failuresPerAddressMax: 3 } });
    expect((await get()).status).toBe(200);
    await fail(3);
    expect((await get()).status).toBe(200);
    expect((await get({ authorization: 'OAuth wrong' })).status).toBe(429);
  });

  test('are those with an unknown token: none at all, or another project’s, is no guess', async () => {
    await start({ signInLimits: { failuresPerAddressMax: 1 } });
    for (let i = 0; i < 5; i++) {
      expect((await get({})).status).toBe(401);
      expect((await get({ authorization: 'OAuth token-of-the-other-project' })).status).toBe(403);
    }
    expect((await get()).status).toBe(200);
  });

  test('are the client’s and not the proxy’s, where the proxy is trusted', async () => {
    await start({ trustedProxies: ['10.0.0.0/8'], signInLimits: { failuresPerAddressMax: 3 } });
    const forwarded = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };
    await fail(3, forwarded, '10.1.2.3');
    expect((await get({ ...AUTHORIZED, ...forwarded }, '10.1.2.3')).status).toBe(429);
    expect((await get({ ...AUTHORIZED, 'x-forwarded-for': '198.51.100.8' }, '10.1.2.3')).status).toBe(200);
    expect((await get(AUTHORIZED, '198.51.100.7')).status).toBe(429);
  });

  test('lock out none of those whose token was right, though their proxy has one connection for all', async () => {
    await start({ trustedProxies: ['127.0.0.1'], signInLimits: { failuresPerAddressMax: 1 } });
    const proxy = new HttpSocket(await rest.listen());
    const ask = async (client: string, text: string) => {
      const headers = `Authorization: OAuth ${text}\r\nX-Forwarded-For: ${client}`;
      proxy.write(`GET ${path()} HTTP/1.1\r\nHost: x\r\n${headers}\r\n\r\n`);
      return (await proxy.answer()).status;
    };
    for (const client of ['198.51.100.7', '198.51.100.8']) expect(await ask(client, TOKEN)).toBe(200);
    expect(await ask('198.51.100.8', 'wrong')).toBe(401);
    expect(await ask('198.51.100.8', TOKEN)).toBe(200);
    expect(await ask('198.51.100.9', 'wrong')).toBe(401);
    expect(await ask('198.51.100.9', TOKEN)).toBe(429);
    proxy.destroy();
  });

  test('are the client’s also where the proxy tells its port', async () => {
    await start({ trustedProxies: ['10.0.0.0/8'], signInLimits: { failuresPerAddressMax: 3 } });
    for (const port of [50_001, 50_002, 50_003]) {
      await fail(1, { 'x-forwarded-for': `198.51.100.7:${port}` }, '10.1.2.3');
    }
    const forwarded = { 'x-forwarded-for': '198.51.100.7:50004' };
    expect((await get({ ...AUTHORIZED, ...forwarded }, '10.1.2.3')).status).toBe(429);
  });

  test('are not someone else’s because a client says so', async () => {
    await start({ trustedProxies: ['10.0.0.0/8'], signInLimits: { failuresPerAddressMax: 3 } });
    await fail(3, { 'x-forwarded-for': '198.51.100.7' }, '192.0.2.1');
    expect((await get(AUTHORIZED, '198.51.100.7')).status).toBe(200);
    expect((await get(AUTHORIZED, '192.0.2.1')).status).toBe(429);
  });
});
