import type { InjectOptions } from 'fastify';
import { describe, expect, test } from 'vitest';
import type { Credentials } from '../../src/auth/credentials.ts';
import { OTHER_PROJECT, PROJECT, type TestApp, testApp } from '../support/app.ts';
import { project, token } from '../support/credentials.ts';
import { registeredRoutes } from '../support/routes.ts';
import { temporaryDirectory } from '../support/service.ts';

/*
 * Every route by every kind of token, and the documented answer to each. A route that is not in this
 * table fails the first test.
 */

type Needs =
  | 'nothing'
  /** A permission for the project in the path. */
  | 'read'
  | 'write'
  /** An admin token, of all projects or of that which is asked about. */
  | 'admin'
  /** An admin token of all projects. */
  | 'all'
  /** Any right to the project, told by 200 or 403. */
  | 'right'
  /** The token of the metrics, or an admin token of all projects. */
  | 'metrics';

const CACHES = `/1/projects/${PROJECT}/caches`;
const MEMBER = token('member', [PROJECT]).id;
const DUMP = '{"format":"ironcached items","version":1}\n{"key":"k","value":"2"}\n{"end":true,"items":1}\n';
const NEW_TOKEN = { name: 'x', projects: [PROJECT] };

const ROUTES: Record<string, readonly [needs: Needs, url: string, body?: object | string]> = {
  'GET /version': ['nothing', '/version'],
  'GET /health/live': ['nothing', '/health/live'],
  'GET /health/ready': ['nothing', '/health/ready'],
  'GET /metrics': ['metrics', '/metrics'],
  'GET /docs': ['nothing', '/docs'],
  'GET /docs/': ['nothing', '/docs/'],
  'GET /docs/static/index.html': ['nothing', '/docs/static/index.html'],
  'GET /docs/static/swagger-initializer.js': ['nothing', '/docs/static/swagger-initializer.js'],
  'GET /docs/*': ['nothing', '/docs/static/swagger-ui.css'],
  'GET /docs/json': ['nothing', '/docs/json'],
  'GET /docs/yaml': ['nothing', '/docs/yaml'],
  'GET /1/authentication': ['right', `/1/authentication?project_id=${PROJECT}`],
  'GET /1/projects': ['admin', '/1/projects'],
  'POST /1/projects': ['all', '/1/projects', { name: 'x' }],
  'GET /1/projects/:project': ['admin', `/1/projects/${PROJECT}`],
  'PATCH /1/projects/:project': ['all', `/1/projects/${PROJECT}`, { name: 'x' }],
  'DELETE /1/projects/:project': ['all', `/1/projects/${PROJECT}`],
  'GET /1/tokens': ['admin', '/1/tokens'],
  'POST /1/tokens': ['admin', '/1/tokens', NEW_TOKEN],
  'GET /1/tokens/:token': ['admin', `/1/tokens/${MEMBER}`],
  'DELETE /1/tokens/:token': ['admin', `/1/tokens/${MEMBER}`],
  'GET /1/projects/:project/caches': ['read', CACHES],
  'GET /1/projects/:project/caches/:cache': ['read', `${CACHES}/c`],
  'DELETE /1/projects/:project/caches/:cache': ['write', `${CACHES}/c`],
  'POST /1/projects/:project/caches/:cache/clear': ['write', `${CACHES}/c/clear`],
  'GET /1/projects/:project/caches/:cache/settings': ['admin', `${CACHES}/c/settings`],
  'PUT /1/projects/:project/caches/:cache/settings': ['admin', `${CACHES}/c/settings`, { policy: 'lru' }],
  'DELETE /1/projects/:project/caches/:cache/settings': ['admin', `${CACHES}/c/settings`],
  'GET /1/projects/:project/caches/:cache/items': ['read', `${CACHES}/c/items`],
  'POST /1/projects/:project/caches/:cache/items': ['write', `${CACHES}/c/items`, DUMP],
  'GET /1/projects/:project/caches/:cache/items/:key': ['read', `${CACHES}/c/items/k`],
  'PUT /1/projects/:project/caches/:cache/items/:key': ['write', `${CACHES}/c/items/k`, { value: 2 }],
  'DELETE /1/projects/:project/caches/:cache/items/:key': ['write', `${CACHES}/c/items/k`],
  'POST /1/projects/:project/caches/:cache/items/:key/increment': [
    'write',
    `${CACHES}/c/items/k/increment`,
    { amount: 1 },
  ],
};

const EVERYWHERE = ['read', 'write', 'admin'] as const;
const EXPIRY = Date.UTC(2030, 0, 15, 11);

const CREDENTIALS: Credentials = {
  projects: [project(PROJECT), project(OTHER_PROJECT)],
  tokens: [
    token('member', [PROJECT]),
    token('reader', [PROJECT], { permissions: ['read'] }),
    token('writer', [PROJECT], { permissions: ['write'] }),
    token('admin-of-it', [PROJECT], { permissions: ['admin'] }),
    token('admin-of-all', '*', { permissions: ['admin'] }),
    token('admin-elsewhere', [OTHER_PROJECT], { permissions: ['admin'] }),
    token('foreign', [OTHER_PROJECT]),
    token('expired', '*', { permissions: EVERYWHERE, expiresAt: EXPIRY }),
    token('revoked', '*', { permissions: EVERYWHERE }),
  ],
};

// What each kind of token is answered. 200 is the only status of success.
const NEVER: Record<Needs, number> = {
  nothing: 200,
  read: 401,
  write: 401,
  admin: 401,
  all: 401,
  right: 403,
  metrics: 401,
};
const BY_TOKEN: Record<string, Record<Needs, number>> = {
  '': NEVER,
  unknown: NEVER,
  expired: NEVER,
  revoked: NEVER,
  member: { nothing: 200, read: 200, write: 200, admin: 403, all: 403, right: 200, metrics: 403 },
  reader: { nothing: 200, read: 200, write: 403, admin: 403, all: 403, right: 200, metrics: 403 },
  writer: { nothing: 200, read: 403, write: 200, admin: 403, all: 403, right: 200, metrics: 403 },
  foreign: { nothing: 200, read: 403, write: 403, admin: 403, all: 403, right: 403, metrics: 403 },
  'admin-of-it': { nothing: 200, read: 403, write: 403, admin: 200, all: 403, right: 200, metrics: 403 },
  'admin-of-all': { nothing: 200, read: 403, write: 403, admin: 200, all: 200, right: 200, metrics: 200 },
};

// The admin of another project sees lists of its own, and nothing of this project: not even that it is.
const ELSEWHERE: Record<string, number> = {
  'GET /1/projects': 200,
  'GET /1/tokens': 200,
  'POST /1/projects': 403,
};

async function start(credentials = CREDENTIALS): Promise<TestApp> {
  const rest = await testApp({
    credentials,
    dataDir: temporaryDirectory(),
    mayReadMetrics: (text) => text === 'admin-of-all',
  });
  await rest.app.ready();
  await rest.engine.cache(PROJECT, 'c').store('set', 'k', {
    value: Buffer.from('1'),
    kind: 'number',
    flags: 0,
    expiresAt: Number.POSITIVE_INFINITY,
  });
  const { tokens } = credentials;
  // It was known once.
  rest.tokens.update({ ...credentials, tokens: tokens.filter(({ name }) => name !== 'revoked') });
  return rest;
}

interface Asked {
  readonly status: number;
  readonly msg: string;
}

async function ask(rest: TestApp, route: string, by: string, method = route.split(' ')[0]): Promise<Asked> {
  const [, url = '', body] = ROUTES[route] ?? [];
  const response = await rest.app.inject({
    method: method as NonNullable<InjectOptions['method']>,
    url,
    headers: by === '' ? {} : { authorization: `OAuth ${by}` },
    ...(body && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const isMessage = method !== 'HEAD' && response.headers['content-type'] === 'application/json';
  // One page of the documentation leads on to another.
  const status = response.statusCode === 302 ? 200 : response.statusCode;
  return { status, msg: isMessage ? (response.json().msg ?? '') : '' };
}

async function itemText(rest: TestApp): Promise<string | undefined> {
  return (await rest.engine.cache(PROJECT, 'c').peek('k'))?.value.toString();
}

test('every route of the router is in the table, and every row is a route', async () => {
  const { app } = await start();
  const routes = registeredRoutes(app).filter((route) => !route.startsWith('HEAD '));
  expect(routes.sort()).toEqual(Object.keys(ROUTES).sort());
});

test('every GET has a HEAD that is answered the same', async () => {
  const rest = await start();
  for (const route of Object.keys(ROUTES).filter((each) => each.startsWith('GET '))) {
    for (const by of Object.keys(BY_TOKEN)) {
      const { status } = await ask(rest, route, by);
      expect([route, by, (await ask(rest, route, by, 'HEAD')).status]).toEqual([route, by, status]);
    }
  }
});

/** Asks by this token for every route, each time of a service that no other request has changed. */
async function walk(
  credentials: Credentials,
  by: (needs: Needs) => string,
  check: (row: { route: string; needs: Needs; answer: Asked; rest: TestApp }) => void | Promise<void>,
): Promise<void> {
  let rest = await start(credentials);
  for (const [route, [needs]] of Object.entries(ROUTES)) {
    const answer = await ask(rest, route, by(needs));
    await check({ route, needs, answer, rest });
    if (answer.status === 200 && !route.startsWith('GET ')) rest = await start(credentials);
  }
}

test.each(Object.entries(BY_TOKEN))(
  'the token "%s" gets the documented answer of every route',
  async (by, expected) => {
    await walk(
      CREDENTIALS,
      () => by,
      async ({ route, needs, answer: { status, msg }, rest }) => {
        expect([route, status]).toEqual([route, expected[needs]]);
        if (status === 200) return;
        expect(msg).not.toBe('');
        expect(await itemText(rest)).toBe('1');
        if (status === 401) expect(msg).toContain('Send it as the header "Authorization: OAuth TOKEN"');
      },
    );
  },
);

test('an admin of another project learns nothing of this one', async () => {
  const rest = await start();
  for (const [route, [needs]] of Object.entries(ROUTES)) {
    if (needs !== 'admin' && needs !== 'all') continue;
    const { status, msg } = await ask(rest, route, 'admin-elsewhere');
    expect([route, status]).toEqual([route, ELSEWHERE[route] ?? 404]);
    expect(msg).not.toContain('project-');
  }
  const list = (url: string) => rest.app.inject({ url, headers: { authorization: 'OAuth admin-elsewhere' } });
  for (const url of ['/1/projects', '/1/tokens']) expect((await list(url)).body).not.toContain(PROJECT);
});

describe('a suspended project', () => {
  const suspended = {
    ...CREDENTIALS,
    projects: [project(PROJECT, { suspended: true }), project(OTHER_PROJECT)],
  };

  const isOfData = (needs: Needs) => needs === 'read' || needs === 'write';

  test('is refused to its own tokens, and not to its admins', async () => {
    const by = (needs: Needs) => (isOfData(needs) ? 'member' : 'admin-of-all');
    await walk(suspended, by, ({ route, needs, answer: { status, msg } }) => {
      expect([route, status]).toEqual([route, isOfData(needs) || needs === 'right' ? 403 : 200]);
      if (!isOfData(needs)) return;
      expect(msg).toBe('This project is suspended. Ask whoever runs this service to resume it.');
    });
  });

  test('is not told to be that to foreign tokens, nor to what is no token', async () => {
    const rest = await start(suspended);
    for (const [route, [needs]] of Object.entries(ROUTES)) {
      for (const by of ['foreign', 'unknown', '', 'expired']) {
        const { status, msg } = await ask(rest, route, by);
        expect([route, by, status]).toEqual([route, by, BY_TOKEN[by]?.[needs]]);
        expect(msg).not.toContain('suspended');
      }
    }
  });
});

describe('a permission that is missing', () => {
  test.each([
    ['reader', 'PUT /1/projects/:project/caches/:cache/items/:key', 'write'],
    ['writer', 'GET /1/projects/:project/caches/:cache/items/:key', 'read'],
    ['admin-of-it', 'GET /1/projects/:project/caches', 'read'],
  ])('is named: %s, %s', async (by, route, permission) => {
    expect(await ask(await start(), route, by)).toEqual({
      status: 403,
      msg: `This token may not ${permission}. Use a token with the permission "${permission}".`,
    });
  });

  test('is named in the control plane, too', async () => {
    expect(await ask(await start(), 'GET /1/tokens', 'member')).toEqual({
      status: 403,
      msg: 'This token may not administer. Use a token with the permission "admin".',
    });
  });
});

test('a project that is none is 404 for every token, and a token that has expired is told so', async () => {
  const rest = await start();
  for (const by of ['member', 'foreign', 'unknown', 'expired', 'admin-of-all']) {
    const url = CACHES.replace(PROJECT, 'f'.repeat(24));
    const { statusCode } = await rest.app.inject({ url, headers: { authorization: `OAuth ${by}` } });
    expect([by, statusCode]).toEqual([by, 404]);
  }
  for (const route of ['GET /1/projects', 'GET /1/projects/:project/caches', 'GET /metrics']) {
    expect((await ask(rest, route, 'expired')).msg).toContain('This token has expired');
  }
});
