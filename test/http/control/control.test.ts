import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CONTROL_BODY_BYTES_MAX } from '../../../src/http/control/control-requests.ts';
import { testClock } from '../../support/clock.ts';
import { type ControlledService, startControlled } from '../../support/control.ts';
import { HttpSocket } from '../../support/http-socket.ts';
import { startService, temporaryDirectory } from '../../support/service.ts';
import { signIn, textClient } from '../../support/text-client.ts';

const NOW = Date.UTC(2030, 0, 1);
const ID = expect.stringMatching(/^[0-9a-f]{24}$/);
const NO_PROJECT = '0'.repeat(24);
const UNLIMITED = { bytes: null, items: null, requests_per_second: null };

/** What is asked for a token, and what it has. */
const AS_ASKED: readonly [asked: object, token: object][] = [
  [{ permissions: ['write', 'read'] }, { permissions: ['read', 'write'], admin: false }],
  [
    { permissions: ['read'], admin: true },
    { permissions: ['read', 'admin'], admin: true },
  ],
  [
    { Permissions: ['admin'], ADMIN: false },
    { permissions: ['admin'], admin: true },
  ],
  [{ projects: '*' }, { projects: '*' }],
  [{ expires_at: '2031-01-01T00:00:00+01:00' }, { expires_at: '2030-12-31T23:00:00.000Z' }],
  [{ expires_at: '9999-12-31T23:59:59.999Z' }, { expires_at: '9999-12-31T23:59:59.999Z' }],
  [{ expires_in: null, expires_at: null }, { expires_at: null }],
  [{ token: 'a-text-from-elsewhere' }, { token: 'a-text-from-elsewhere' }],
];

const LIKE_A_TOKEN = 'like {"name":"web","projects":["4e71843298b1db3f0d0000ab"],"expires_in":7776000}';

/** What is asked in a wrong way, and what is said of it. */
const WRONG: readonly [method: string, path: string, body: unknown, status: number, msg: string][] = [
  [
    'POST',
    '/projects',
    '',
    406,
    'The member "name" is missing. Send a JSON object, like {"name":"web","quotas":{"bytes":104857600}}.',
  ],
  [
    'POST',
    '/projects',
    '{',
    400,
    'The body is not valid JSON. Send a JSON object, like {"name":"web","quotas":{"bytes":104857600}}.',
  ],
  [
    'POST',
    '/projects',
    '[]',
    400,
    'The body must be a JSON object, like {"name":"web","quotas":{"bytes":104857600}}.',
  ],
  [
    'POST',
    '/projects',
    { name: '' },
    400,
    'name must be a text of 1 to 100 characters, without control characters.',
  ],
  ['POST', '/projects', { name: 'x', id: 'X' }, 400, 'id must be 24 lower-case hexadecimal digits.'],
  ['POST', '/projects', { name: 'x', status: 'off' }, 400, 'status must be "active" or "suspended".'],
  [
    'POST',
    '/projects',
    { name: 'x', quotas: { bytes: 0 } },
    400,
    'quotas.bytes must be a whole number from 1 to 9007199254740991, or null for no limit.',
  ],
  [
    'POST',
    '/projects',
    { name: 'x', quota: {} },
    400,
    'There is a member that is not known; these are: name, id, status, quotas.',
  ],
  ['POST', '/tokens', '{', 400, `The body is not valid JSON. Send a JSON object, ${LIKE_A_TOKEN}.`],
  ['POST', '/tokens', {}, 406, `The member "name" is missing. Send a JSON object, ${LIKE_A_TOKEN}.`],
  [
    'POST',
    '/tokens',
    { name: 'x' },
    406,
    `The member "projects" is missing. Send a JSON object, ${LIKE_A_TOKEN}.`,
  ],
  ['POST', '/tokens', { name: 'x', projects: [NO_PROJECT] }, 404, `There is no project ${NO_PROJECT}.`],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: [] },
    400,
    'projects must be a list of one or more project ids, each of 24 lower-case hexadecimal digits, or "*" for all.',
  ],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: '*', permissions: [] },
    400,
    'permissions must name at least one of "read", "write" and "admin".',
  ],
  ['POST', '/tokens', { name: 'x', projects: '*', admin: 1 }, 400, 'admin must be true or false.'],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: '*', expires_in: 0 },
    400,
    'expires_in must be a whole number of seconds from 1 to 315360000 (ten years).',
  ],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: '*', expires_at: '2001-01-01T00:00:00Z' },
    400,
    'expires_at must be in the future.',
  ],
  [
    'POST',
    '/tokens',
    // Which is in the year 10000 in UTC.
    { name: 'x', projects: '*', expires_at: '9999-12-31T23:59:59-00:01' },
    400,
    'expires_at must be a time in UTC from the year 0000 to 9999.',
  ],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: '*', expires_at: '2031-01-01T00:00:00Z', expires_in: 1 },
    400,
    'expires_in and expires_at exclude each other. Send one of them.',
  ],
  [
    'POST',
    '/tokens',
    { name: 'x', projects: '*', token: 'with space' },
    400,
    'token must be 8 to 256 printable ASCII characters without spaces.',
  ],
  ['GET', '/projects?per_page=101', undefined, 400, 'The parameter per_page must be <= 100.'],
  ['PUT', '/projects', '', 405, 'This endpoint allows GET, HEAD, POST.'],
  ['GET', '/tokens/', undefined, 404, "The resource, project, or endpoint being requested doesn't exist."],
  ['GET', '/tokens/x', undefined, 404, "The resource, project, or endpoint being requested doesn't exist."],
];

/** An item request by some token. */
async function item(
  service: ControlledService,
  project: string,
  token: string,
  method = 'GET',
): Promise<number> {
  const url = `http://127.0.0.1:${service.httpPort}/1/projects/${project}/caches/c/items/k`;
  const headers = { authorization: `OAuth ${token}` };
  const response = await fetch(url, { method, headers, ...(method === 'PUT' && { body: '{"value":1}' }) });
  return response.status;
}

describe('a project', () => {
  test('is made, told, listed, changed and deleted', async () => {
    const service = await startControlled([], { clock: testClock(NOW) });
    const made = await service.control('POST', '/projects', { name: 'web' });
    const project = {
      id: ID,
      name: 'web',
      status: 'active',
      quotas: UNLIMITED,
      created_at: '2030-01-01T00:00:00.000Z',
    };
    expect(made).toEqual({ status: 200, json: project });
    const path = `/projects/${made.json['id']}`;
    expect(await service.control('GET', path)).toEqual(made);
    const { json } = await service.control('GET', '/projects');
    expect(json['projects']).toContainEqual(made.json);

    const quotas = { bytes: 1024, items: 10, requests_per_second: 5 };
    const limited = await service.control('PATCH', path, { quotas, name: 'shop' });
    expect(limited).toEqual({ status: 200, json: { ...made.json, name: 'shop', quotas } });
    const less = await service.control('PATCH', path, { quotas: { items: null }, status: 'suspended' });
    expect(less.json).toEqual({ ...limited.json, status: 'suspended', quotas: { ...quotas, items: null } });

    expect(await service.control('DELETE', path)).toEqual({ status: 200, json: { msg: 'Deleted.' } });
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const body = method === 'PATCH' ? {} : undefined;
      expect((await service.control(method, path, body)).status).toBe(404);
    }
  });

  test('may bring its id, which nobody else may have', async () => {
    const service = await startControlled();
    const id = 'a1'.repeat(12);
    expect(await service.project({ id, status: 'suspended' })).toBe(id);
    expect((await service.control('GET', `/projects/${id}`)).json['status']).toBe('suspended');
    expect(await service.control('POST', '/projects', { name: 'x', id })).toEqual({
      status: 409,
      json: { msg: `There is a project ${id} already. Choose another id.` },
    });
  });

  test('takes its caches along when it is deleted, however many', async () => {
    const service = await startControlled();
    const project = await service.project();
    const { engine } = service.service;
    for (let i = 0; i < 250; i++) {
      await engine.cache(project, `c${i}`).store('set', 'k', {
        value: Buffer.from('v'),
        kind: 'bytes',
        flags: 0,
        expiresAt: Number.POSITIVE_INFINITY,
      });
    }
    await service.control('DELETE', `/projects/${project}`);
    expect(await engine.list(project, 0, 10)).toEqual([]);
    expect(await service.project({ id: project })).toBe(project);
    expect(await engine.cache(project, 'c7').peek('k')).toBeUndefined();
  });

  test('is refused to everyone while it is suspended, and whole again afterwards', async () => {
    const service = await startControlled();
    const project = await service.project();
    const { text } = await service.token(project);
    expect(await item(service, project, text, 'PUT')).toBe(200);
    await service.control('PATCH', `/projects/${project}`, { status: 'suspended' });
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(await item(service, project, text, method)).toBe(403);
    await service.control('PATCH', `/projects/${project}`, { status: 'active' });
    expect(await item(service, project, text)).toBe(200);
  });
});

describe('a token', () => {
  test('shows its text once, and its hash never', async () => {
    const service = await startControlled([], { clock: testClock(NOW) });
    const project = await service.project();
    const made = await service.control('POST', '/tokens', {
      name: 'web',
      projects: [project],
      expires_in: 60,
    });
    expect(made).toEqual({
      status: 200,
      json: {
        id: ID,
        _id: made.json['id'],
        name: 'web',
        token: expect.stringMatching(/^[\w-]{32}$/),
        projects: [project],
        permissions: ['read', 'write'],
        admin: false,
        expires_at: '2030-01-01T00:01:00.000Z',
        created_at: '2030-01-01T00:00:00.000Z',
      },
    });
    const { token: text, ...rest } = made.json;
    expect(await service.control('GET', `/tokens/${rest['id']}`)).toEqual({ status: 200, json: rest });
    const { json } = await service.control('GET', '/tokens');
    expect(json['tokens']).toContainEqual(rest);
    const kept = readFileSync(join(service.dataDir, 'credentials.json'), 'utf8');
    expect(kept + service.log.join('')).not.toContain(text);
  });

  test('is made as asked', async () => {
    const service = await startControlled([], { clock: testClock(NOW) });
    const project = await service.project();
    for (const [asked, expected] of AS_ASKED) {
      const made = await service.control('POST', '/tokens', { name: 'web', projects: [project], ...asked });
      expect([asked, made]).toMatchObject([asked, { status: 200, json: expected }]);
    }
  });

  test('is refused where its project has as many as it may have, until one is revoked', async () => {
    const service = await startControlled(['--max-tokens', '2']);
    const [full, other] = [await service.project(), await service.project()];
    const first = await service.token(full, { expires_in: 60 });
    await service.token([other, full]);
    const ask = (projects: unknown) => service.control('POST', '/tokens', { name: 'x', projects });
    const refused = {
      status: 403,
      json: {
        msg: `The project ${full} has as many tokens as it may have (2). Revoke one that is no longer used or has expired, or raise IRONCACHED_MAX_TOKENS.`,
      },
    };
    expect(await ask([full])).toEqual(refused);
    expect(await ask([other, full])).toEqual(refused);
    expect((await ask([other, other])).status).toBe(200);
    expect((await ask([other])).status).toBe(403);
    expect((await service.control('DELETE', `/tokens/${first.id}`)).status).toBe(200);
    expect((await ask([full])).status).toBe(200);
    expect(await ask([full])).toEqual(refused);
  });

  test('for all projects counts as one of these, and of no project', async () => {
    const service = await startControlled(['--max-tokens', '2']);
    const project = await service.project();
    await service.token('*');
    expect(await service.control('POST', '/tokens', { name: 'x', projects: '*' })).toEqual({
      status: 403,
      json: {
        msg: 'There are as many tokens for all projects as there may be (2). Revoke one that is no longer used or has expired, or raise IRONCACHED_MAX_TOKENS.',
      },
    });
    await service.token(project);
    await service.token(project);
  });

  test('that is there stays when fewer may be made', async () => {
    const { dataDir, ...before } = await startControlled();
    const project = await before.project();
    const texts = [(await before.token(project)).text, (await before.token(project)).text];
    await before.service.stop();
    const service = await startControlled(['--max-tokens', '1'], { dataDir });
    for (const text of texts) expect(await item(service, project, text, 'PUT')).toBe(200);
    const asked = { name: 'x', projects: [project] };
    expect((await service.control('POST', '/tokens', asked)).status).toBe(403);
  });

  test('is exchanged for another without a moment in between', async () => {
    const service = await startControlled();
    const project = await service.project();
    const old = await service.token(project);
    expect(await item(service, project, old.text, 'PUT')).toBe(200);
    const next = await service.token(project);
    for (const { text } of [old, next]) expect(await item(service, project, text)).toBe(200);
    expect((await service.control('DELETE', `/tokens/${old.id}`)).json).toEqual({ msg: 'Deleted.' });
    expect([await item(service, project, old.text), await item(service, project, next.text)]).toEqual([
      401, 200,
    ]);
    expect((await service.control('DELETE', `/tokens/${old.id}`)).status).toBe(404);
  });

  test('that is revoked while a body comes stores nothing', async () => {
    const service = await startControlled();
    const project = await service.project();
    const { text, id } = await service.token(project);
    const socket = new HttpSocket(service.httpPort);
    const body = '{"value":"late"}';
    socket.write(
      `PUT /1/projects/${project}/caches/c/items/k HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${text}\r\n` +
        `Content-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n${body.slice(0, 3)}`,
    );
    // Node says so when the request has come as far as its route.
    expect((await socket.answer()).status).toBe(100);
    await service.control('DELETE', `/tokens/${id}`);
    socket.write(body.slice(3));
    expect((await socket.answer()).status).toBe(401);
    expect(await service.service.engine.list(project, 0, 10)).toEqual([]);
    socket.destroy();
  });

  // Sends a request up to the middle of its body, then lets something happen, then sends the rest.
  async function interrupted(
    { httpPort }: ControlledService,
    line: string,
    { text, body }: { text: string; body: string },
    meanwhile: () => Promise<unknown>,
  ) {
    const socket = new HttpSocket(httpPort);
    const head = `${line} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${text}\r\nExpect: 100-continue\r\n`;
    socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body.slice(0, 3)}`);
    expect((await socket.answer()).status).toBe(100);
    await meanwhile();
    socket.write(body.slice(3));
    const { status } = await socket.answer();
    socket.destroy();
    return status;
  }

  test.each([
    ['POST /1/tokens', '{"name":"x","projects":"*","admin":true}'],
    ['POST /1/projects', '{"name":"x"}'],
    ['PATCH /1/projects/PROJECT', '{"status":"suspended"}'],
    ['PUT /1/projects/PROJECT/caches/c/settings', '{"policy":"none"}'],
  ])('of an admin that is revoked while a body comes changes nothing: %s', async (line, body) => {
    const service = await startControlled();
    const project = await service.project();
    const { text, id } = await service.token('*', { admin: true });
    const before = (await service.control('GET', '/projects')).json;
    const revoke = () => service.control('DELETE', `/tokens/${id}`);
    const asked = line.replace('PROJECT', project);
    expect(await interrupted(service, asked, { text, body }, revoke)).toBe(403);
    expect((await service.control('GET', '/projects')).json).toEqual(before);
    const { tokens } = (await service.control('GET', '/tokens')).json as { tokens: { name: string }[] };
    expect(tokens.map(({ name }) => name).sort()).toEqual(['admin', 'first']);
    expect((await service.control('GET', `/projects/${project}/caches/c/settings`)).json).toMatchObject({
      policy: 'lru',
    });
  });

  test('settings for a project that is deleted while their body comes are none', async () => {
    const service = await startControlled();
    const project = await service.project();
    const asked = { text: service.adminToken, body: '{"policy":"none"}' };
    const settings = `/projects/${project}/caches/c/settings`;
    const remove = () => service.control('DELETE', `/projects/${project}`);
    expect(await interrupted(service, `PUT /1${settings}`, asked, remove)).toBe(404);
    expect(existsSync(join(service.dataDir, 'cache-settings.json'))).toBe(false);
  });

  test.each([
    ['PUT', 'k', '{"value":"late"}'],
    ['POST', 'k/increment', '{"amount":1}'],
  ])('that may only read any more, as its body comes, stores nothing: %s %s', async (method, item, body) => {
    const service = await startControlled();
    const project = await service.project();
    const { text } = await service.token(project, { name: 'soon a reader' });
    const file = join(service.dataDir, 'credentials.json');
    const restrict = async () => {
      const credentials = JSON.parse(readFileSync(file, 'utf8'));
      const token = credentials.tokens.find(({ name }: { name: string }) => name === 'soon a reader');
      token.permissions = ['read'];
      writeFileSync(file, JSON.stringify(credentials));
      await service.service.reloadCredentials();
    };
    const line = `${method} /1/projects/${project}/caches/c/items/${item}`;
    expect(await interrupted(service, line, { text, body }, restrict)).toBe(403);
    expect(await service.service.engine.list(project, 0, 10)).toEqual([]);
  });

  test('that expires does so by the clock of the service', async () => {
    const clock = testClock(NOW);
    const service = await startControlled([], { clock });
    const project = await service.project();
    const { text } = await service.token(project, { expires_in: 60 });
    clock.advance(59_999);
    expect(await item(service, project, text, 'PUT')).toBe(200);
    clock.advance(1);
    expect(await item(service, project, text)).toBe(401);
  });
});

describe('what is asked in a wrong way', () => {
  test('is told so, and changes nothing', async () => {
    const service = await startControlled();
    const before = readFileSync(join(service.dataDir, 'credentials.json'), 'utf8');
    for (const [method, path, body, status, msg] of WRONG) {
      const answer = await service.control(method, path, body);
      expect([method, path, body, answer]).toEqual([method, path, body, { status, json: { msg } }]);
    }
    expect(readFileSync(join(service.dataDir, 'credentials.json'), 'utf8')).toBe(before);
  });

  test('is told so: a body of more than 64 KB', async () => {
    const service = await startControlled();
    const body = { name: 'x'.repeat(CONTROL_BODY_BYTES_MAX) };
    expect(await service.control('POST', '/projects', body)).toMatchObject({
      status: 413,
      json: { msg: 'The body may have at most 65536 bytes. Send a smaller one.' },
    });
  });
});

describe('a list', () => {
  test('comes in pages by id, each behind the last of the one before', async () => {
    const service = await startControlled();
    const made: string[] = [];
    for (let i = 0; i < 4; i++) made.push(await service.project({ id: `${i}`.padStart(24, '0') }));
    const ids = async (query: string) => {
      const { json } = await service.control('GET', `/projects${query}`);
      return (json['projects'] as { id: string }[]).map(({ id }) => id).filter((id) => made.includes(id));
    };
    expect(await ids('')).toEqual(made);
    expect(await ids('?per_page=2')).toEqual(made.slice(0, 2));
    expect(await ids(`?per_page=2&previous=${made[1]}`)).toEqual(made.slice(2, 4));
    expect(await ids(`?previous=${made[3]}x`)).toEqual([]);
  });

  test('of tokens may be that of a project', async () => {
    const service = await startControlled();
    const [one, two] = [await service.project(), await service.project()];
    const tokens = [await service.token(one), await service.token(two), await service.token('*')];
    const { json } = await service.control('GET', `/tokens?project_id=${two}`);
    const ids = (json['tokens'] as { id: string }[]).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(tokens.slice(1).map(({ id }) => id)));
    expect(ids).not.toContain(tokens[0]?.id);
  });
});

describe('the admin of a project', () => {
  async function twoTenants() {
    const service = await startControlled();
    const [own, foreign] = [
      await service.project({ name: 'own' }),
      await service.project({ name: 'foreign' }),
    ];
    const admin = await service.token(own, { permissions: ['admin'] });
    const tokens = {
      own: await service.token(own),
      foreign: await service.token(foreign),
      both: await service.token([own, foreign]),
      all: await service.token('*'),
    };
    const ask = (method: string, path: string, body?: unknown) =>
      service.control(method, path, body, admin.text);
    return { service, own, foreign, admin, tokens, ask };
  }

  test('sees its project and the tokens for it alone, and nothing else', async () => {
    const { own, foreign, admin, tokens, ask } = await twoTenants();
    const projects = (await ask('GET', '/projects')).json['projects'] as { id: string }[];
    expect(projects.map(({ id }) => id)).toEqual([own]);
    const listed = (await ask('GET', '/tokens')).json['tokens'] as { id: string }[];
    expect(listed.map(({ id }) => id).sort()).toEqual([admin.id, tokens.own.id].sort());
    expect((await ask('GET', `/projects/${own}`)).status).toBe(200);
    const unknown = await ask('GET', `/projects/${NO_PROJECT}`);
    expect(await ask('GET', `/projects/${foreign}`)).toEqual(unknown);
    for (const { id } of [tokens.foreign, tokens.both, tokens.all]) {
      for (const method of ['GET', 'DELETE']) {
        expect(await ask(method, `/tokens/${id}`)).toEqual(await ask(method, `/tokens/${NO_PROJECT}`));
      }
    }
  });

  test('makes and revokes tokens for its project alone', async () => {
    const { service, own, foreign, tokens, ask } = await twoTenants();
    const made = await ask('POST', '/tokens', { name: 'x', projects: [own], permissions: ['read', 'admin'] });
    expect(made.status).toBe(200);
    expect((await ask('DELETE', `/tokens/${tokens.own.id}`)).status).toBe(200);
    expect(await item(service, own, tokens.own.text)).toBe(401);
    for (const id of [foreign, NO_PROJECT]) {
      expect(await ask('POST', '/tokens', { name: 'x', projects: [own, id] })).toEqual({
        status: 404,
        json: { msg: `There is no project ${id}.` },
      });
    }
    expect((await ask('POST', '/tokens', { name: 'x', projects: '*' })).status).toBe(403);
  });

  test('leaves projects and their limits to the admin of all', async () => {
    const { own, foreign, ask } = await twoTenants();
    const refused = { status: 403, json: { msg: expect.stringContaining('an admin token of all projects') } };
    expect(await ask('POST', '/projects', { name: 'x' })).toEqual(refused);
    expect(await ask('PATCH', `/projects/${own}`, { quotas: { bytes: null } })).toEqual(refused);
    expect(await ask('DELETE', `/projects/${own}`)).toEqual(refused);
    expect((await ask('DELETE', `/projects/${foreign}`)).status).toBe(404);
  });
});

describe('GET /1/authentication', () => {
  test('is 200 for who may use the project, and 403 for everyone else', async () => {
    const service = await startControlled([], { clock: testClock(NOW) });
    const [project, other] = [await service.project(), await service.project({ status: 'suspended' })];
    const { text } = await service.token([project, other]);
    const ask = (id: string, token: string) =>
      service.control('GET', `/authentication?project_id=${id}`, undefined, token);
    expect(await ask(project, text)).toEqual({ status: 200, json: {} });
    const noRight = { status: 403, json: { msg: 'This token has no right to this project.' } };
    expect(await ask(other, text)).toEqual(noRight);
    expect(await ask(NO_PROJECT, text)).toEqual(noRight);
    expect(await ask(project, 'unknown')).toEqual(noRight);
    const url = `http://127.0.0.1:${service.httpPort}/1/authentication`;
    expect((await fetch(`${url}?project_id=${project}`)).status).toBe(403);
    expect((await fetch(`${url}?oauth=${text}`)).status).toBe(403);
    expect((await fetch(`${url}?project_id=${project}&oauth=${text}`)).status).toBe(200);
  });
});

describe('where projects and tokens are kept elsewhere', () => {
  const ADMIN = 'an-admin-token-given-from-outside';

  test('they can be seen, and every change says where to make it', async () => {
    const path = join(temporaryDirectory(), 'credentials.json');
    const project = 'a1'.repeat(12);
    writeFileSync(
      path,
      JSON.stringify({
        version: 2,
        projects: [{ id: project }],
        tokens: [{ name: 'web', token: 'text-of-web', projects: [project] }],
      }),
    );
    for (const [flags, variable] of [
      [['--credentials-file', path], 'IRONCACHED_CREDENTIALS_FILE'],
      [['--project-id', project, '--token', 'text-of-web'], 'IRONCACHED_PROJECT_ID'],
    ] as const) {
      const service = await startService([...flags, '--admin-token', ADMIN], { firstStart: true });
      const ask = async (method: string, at: string, body?: object) => {
        const headers = { authorization: `OAuth ${ADMIN}` };
        const url = `http://127.0.0.1:${service.httpPort}/1${at}`;
        return fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
      };
      const { tokens } = (await (await ask('GET', '/tokens')).json()) as { tokens: { id: string }[] };
      expect(tokens).toHaveLength(1);
      for (const [method, at, body] of [
        ['POST', '/projects', { name: 'x' }],
        ['PATCH', `/projects/${project}`, { name: 'x' }],
        ['DELETE', `/projects/${project}`],
        ['POST', '/tokens', { name: 'x', projects: '*' }],
        ['DELETE', `/tokens/${tokens[0]?.id}`],
      ] as const) {
        const answer = await ask(method, at, body);
        expect([at, answer.status]).toEqual([at, 403]);
        expect(((await answer.json()) as { msg: string }).msg).toContain(variable);
      }
      const client = await textClient(service.memcachedPort);
      expect(await client.ask(signIn('text-of-web', project, 'c'))).toBe('STORED\r\n');
    }
  });

  test('a change that cannot be kept is told so, and not made', async () => {
    const service = await startControlled();
    const obstacle = join(service.dataDir, 'credentials.json.new');
    mkdirSync(obstacle);
    const { status, json } = await service.control('POST', '/projects', { name: 'x' });
    expect([status, json['msg']]).toEqual([
      500,
      'The change could not be kept, and was not made. The log says why.',
    ]);
    expect(service.log.join('')).toContain('could not be kept');
    rmSync(obstacle, { recursive: true });
    expect((await service.control('POST', '/projects', { name: 'x' })).status).toBe(200);
  });

  test('an admin token that is given is used, and none is made', async () => {
    const service = await startService(['--admin-token', ADMIN], { firstStart: true });
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/1/tokens?oauth=${ADMIN}`);
    const { tokens } = (await answer.json()) as { tokens: { name: string }[] };
    expect(tokens.map(({ name }) => name)).toEqual(['first']);
  });

  test('no other token may have the text of an admin token that is given', async () => {
    const service = await startService(['--admin-token', ADMIN], { firstStart: true });
    const answer = await fetch(`http://127.0.0.1:${service.httpPort}/1/tokens`, {
      method: 'POST',
      headers: { authorization: `OAuth ${ADMIN}` },
      body: JSON.stringify({ name: 'x', projects: '*', token: ADMIN }),
    });
    expect([answer.status, await answer.json()]).toEqual([
      409,
      { msg: 'There is a token of this text already. Choose another.' },
    ]);
  });

  test('nor may one of a credentials file, at a start or later', async () => {
    const path = join(temporaryDirectory(), 'credentials.json');
    const write = (token: string) =>
      writeFileSync(
        path,
        JSON.stringify({ version: 2, projects: [], tokens: [{ name: 'web', token, projects: '*' }] }),
      );
    const flags = ['--credentials-file', path, '--admin-token', ADMIN];
    const told = 'tokens[0] has the same text as IRONCACHED_ADMIN_TOKEN';
    write(ADMIN);
    await expect(startService(flags, { firstStart: true })).rejects.toThrow(told);
    write('text-of-web');
    const service = await startService(flags, { firstStart: true });
    write(ADMIN);
    await service.service.reloadCredentials();
    expect(service.log.join('')).toContain(told);
  });

  test('the admin token of the first start may be given from then on', async () => {
    const { dataDir, adminToken, service } = await startControlled();
    await service.stop();
    const next = await startService(['--admin-token', adminToken], { firstStart: true, dataDir });
    const file = join(dataDir, 'credentials.json');
    writeFileSync(file, JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))));
    const url = `http://127.0.0.1:${next.httpPort}/1/projects`;
    const post = (body: string) =>
      fetch(url, { method: 'POST', headers: { authorization: `OAuth ${adminToken}` }, body });
    expect((await post('{"name":"x"}')).status).toBe(200);
  });
});
