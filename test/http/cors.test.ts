import type { OutgoingHttpHeaders } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { AUTHORIZED, path, type TestApp, type TestAppOptions, testApp } from '../support/app.ts';

const ORIGIN = 'https://app.example.org';
const PREFLIGHT = {
  origin: ORIGIN,
  'access-control-request-method': 'PUT',
  'access-control-request-headers': 'authorization,content-type',
};

let rest: TestApp;

afterEach(() => rest.app.close());

type Asked = { method: 'GET' | 'PUT' | 'DELETE' | 'OPTIONS'; url: string; headers: Record<string, string> };

async function ask({ corsOrigins, ...asked }: Asked & TestAppOptions) {
  rest = await testApp(corsOrigins ? { corsOrigins } : {});
  return rest.app.inject(asked);
}

function corsHeaders(headers: OutgoingHttpHeaders): string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary');
}

describe('unless origins are given', () => {
  test('no answer allows a page anything', async () => {
    const answer = await ask({ method: 'GET', url: path(), headers: { ...AUTHORIZED, origin: ORIGIN } });
    expect(answer.statusCode).toBe(200);
    expect(corsHeaders(answer.headers)).toEqual([]);
  });

  test('a preflight is a wrong verb', async () => {
    const answer = await ask({ method: 'OPTIONS', url: path('c', 'k'), headers: PREFLIGHT });
    expect(answer.statusCode).toBe(405);
    expect(corsHeaders(answer.headers)).toEqual([]);
  });
});

describe('with origins', () => {
  const corsOrigins = ['https://other.example.org', ORIGIN];

  test('a preflight needs no token, and says what pages may do', async () => {
    const answer = await ask({ corsOrigins, method: 'OPTIONS', url: path('c', 'k'), headers: PREFLIGHT });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'GET, HEAD, PUT, POST, PATCH, DELETE',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '7200',
      vary: 'Origin, Access-Control-Request-Headers',
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('a preflight is counted with the time that it took, and has an id', async () => {
    const before = performance.now();
    const answer = await ask({ corsOrigins, method: 'OPTIONS', url: path('c', 'k'), headers: PREFLIGHT });
    const meters = [...rest.requests.operations()].map(([, meter]) => meter);
    const seconds = meters.reduce((sum, { sumSeconds }) => sum + sumSeconds, 0);
    expect(rest.requests.countOf('204')).toBe(1);
    expect(seconds).toBeLessThanOrEqual((performance.now() - before) / 1000);
    expect(answer.headers).toHaveProperty('x-request-id');
  });

  test('an answer may be read by their pages, with its headers', async () => {
    const answer = await ask({
      corsOrigins,
      method: 'GET',
      url: path(),
      headers: { ...AUTHORIZED, origin: ORIGIN },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
    expect(answer.headers['access-control-expose-headers']).toContain('ETag');
    expect(answer.headers['access-control-expose-headers']).toContain('Retry-After');
  });

  test.each([
    ['401', { method: 'GET', url: path(), headers: {} }],
    ['404', { method: 'GET', url: path('c', 'nothing'), headers: AUTHORIZED }],
    ['404', { method: 'GET', url: '/nowhere', headers: {} }],
    ['405', { method: 'DELETE', url: '/version', headers: {} }],
    ['413', { method: 'PUT', url: path('c', 'k'), headers: { ...AUTHORIZED, 'content-length': '9999999' } }],
  ] as const)('an error may be read, too: %s', async (status, { headers, ...asked }) => {
    const answer = await ask({ corsOrigins, ...asked, headers: { ...headers, origin: ORIGIN } });
    expect(answer.statusCode).toBe(Number(status));
    expect(answer.headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  test.each(['https://evil.example.org', `${ORIGIN}.evil.test`, 'http://app.example.org', 'null'])(
    'pages of others may not: %s',
    async (origin) => {
      const answer = await ask({
        corsOrigins,
        method: 'GET',
        url: path(),
        headers: { ...AUTHORIZED, origin },
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.headers['vary']).toBe('Origin');
    },
  );

  test('* is every origin', async () => {
    const answer = await ask({
      corsOrigins: ['*'],
      method: 'GET',
      url: path(),
      headers: { ...AUTHORIZED, origin: 'https://anyone.test' },
    });
    expect(answer.headers['access-control-allow-origin']).toBe('*');
  });
});
