import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { runCommand } from '../../src/cli/run.ts';
import { startControlled } from '../support/control.ts';
import { temporaryDirectory } from '../support/service.ts';
import { signIn, textClient } from '../support/text-client.ts';

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

let dataDir: string;

beforeEach(() => {
  dataDir = join(temporaryDirectory(), 'data');
});

afterEach(() => {
  vi.unstubAllEnvs();
});

/** Runs a command on the data directory, unless it is told of another place. */
async function ironcached(...args: string[]): Promise<Ran> {
  let [out, err] = ['', ''];
  const collect = (take: (text: string) => void) => ({ write: take });
  const status = await runCommand([...args.slice(0, 1), '--data-dir', dataDir, ...args.slice(1)], {
    out: collect((text) => {
      out += text;
    }),
    err: collect((text) => {
      err += text;
    }),
  });
  return { status, out, err };
}

async function json<T>(...args: string[]): Promise<T> {
  const { status, out, err } = await ironcached(...args, '--json');
  if (status !== 0) throw new Error(err);
  return JSON.parse(out) as T;
}

interface Shown {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  readonly projects: '*' | string[];
}

const NO_PROJECT = '0'.repeat(24);

describe('without a running service', () => {
  test('a project is made with a token, and the output is the iron.json of a client', async () => {
    const { status, out, err } = await ironcached('project', 'create', 'web');
    expect(status).toBe(0);
    const iron = JSON.parse(out);
    expect(iron).toEqual({
      project_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      token: expect.stringMatching(/^[\w-]{32}$/),
      protocol: 'http',
      scheme: 'http',
      host: '127.0.0.1',
      port: 8080,
      api_version: '1',
    });
    expect(err).toContain(iron.project_id);
    expect(err).not.toContain(iron.token);
    expect(readFileSync(join(dataDir, 'credentials.json'), 'utf8')).not.toContain(iron.token);
  });

  test.each([
    ['::1', '[::1]'],
    ['::', 'localhost'],
  ])('the host of an iron.json is as it stands in a URL: %s, %s', async (host, expected) => {
    vi.stubEnv('IRONCACHED_HTTP_HOST', host);
    const { out } = await ironcached('project', 'create', 'web');
    expect(JSON.parse(out).host).toBe(expected);
  });

  test('the service that starts then knows what was made', async () => {
    const { project_id: project, token } = JSON.parse((await ironcached('project', 'create', 'web')).out);
    const service = await startControlled([], { dataDir });
    const client = await textClient(service.memcachedPort);
    expect(await client.ask(signIn(token, project, 'c'))).toBe('STORED\r\n');
  });

  test('a project may have an id, quotas and another name, and may be suspended, resumed and deleted', async () => {
    const id = 'a1'.repeat(12);
    const limits = ['--bytes', '64mb', '--items', '10', '--requests-per-second', '5'];
    const { project } = await json<{ project: object }>('project', 'create', 'web', '--id', id, ...limits);
    const quotas = { bytes: 67_108_864, items: 10, requests_per_second: 5 };
    expect(project).toMatchObject({ id, name: 'web', status: 'active', quotas });
    const change = await json<object>('project', 'change', id, '--name', 'shop', '--items', 'none');
    expect(change).toMatchObject({ name: 'shop', quotas: { ...quotas, items: null } });
    expect(await json('project', 'suspend', id)).toMatchObject({ status: 'suspended' });
    expect((await ironcached('project', 'list')).out).toBe(
      `${'id'.padEnd(24)}  name  status     bytes     items  requests/s\n${id}  shop  suspended  67108864  -      5\n`,
    );
    expect(await json('project', 'resume', id)).toMatchObject({ status: 'active' });
    expect(await ironcached('project', 'delete', id)).toMatchObject({
      status: 0,
      out: `the project ${id} is deleted\n`,
    });
    expect(await json('project', 'list')).toEqual({ projects: [] });
  });

  test('a token is for the only project unless said otherwise, and lives as long as it is told', async () => {
    await ironcached('project', 'create', 'web', '--id', 'a1'.repeat(12));
    const before = Date.now();
    const token = await json<Shown & { expires_at: string }>('token', 'create', 'x', '--expires-in', '2h');
    expect(token.projects).toEqual(['a1'.repeat(12)]);
    expect(Date.parse(token.expires_at) - before).toBeGreaterThanOrEqual(7_200_000);
    const made = await ironcached('token', 'create', 'reader', '--permissions', 'read');
    expect(JSON.parse(made.out)).toMatchObject({ project_id: 'a1'.repeat(12), token: expect.any(String) });
    const { out } = await ironcached(
      'token',
      'create',
      'everything',
      '--all-projects',
      '--permissions',
      'read,admin',
    );
    expect(out).toMatch(/^[\w-]{32}\n$/);
    const { out: listed } = await ironcached('token', 'list');
    expect(listed).toMatch(/everything {2}read,admin {3}never .* all\n/);
    await ironcached('token', 'revoke', token.id);
    const { tokens } = await json<{ tokens: Shown[] }>('token', 'list');
    expect(tokens.map(({ name }) => name)).toEqual(['admin', 'web', 'reader', 'everything']);
  });

  test('a list of tokens tells which have expired', async () => {
    await ironcached('project', 'create', 'web');
    const made = await json<Shown & { expires_at: string }>('token', 'create', 'short', '--expires-in', '1d');
    const listed = async () => (await ironcached('token', 'list')).out;
    expect(await listed()).toContain(`read,write   ${made.expires_at}  `);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(made.expires_at) });
    onTestFinished(() => void vi.useRealTimers());
    expect(await listed()).toContain(`read,write   expired ${made.expires_at}  `);
    expect(await listed()).toMatch(/web {4}read,write {3}never /);
  });

  test('a project has as many tokens as it may have, and then no more', async () => {
    vi.stubEnv('IRONCACHED_MAX_TOKENS', '1');
    const { project_id: id } = JSON.parse((await ironcached('project', 'create', 'web')).out);
    expect(await ironcached('token', 'create', 'x')).toEqual({
      status: 1,
      out: '',
      err: `ironcached: The project ${id} has as many tokens as it may have (1). Revoke one that is no longer used or has expired, or raise IRONCACHED_MAX_TOKENS.\n`,
    });
  });

  test('a token for several projects is printed alone', async () => {
    const ids = ['a1'.repeat(12), 'b2'.repeat(12)];
    for (const id of ids) await ironcached('project', 'create', 'x', '--id', id);
    expect((await ironcached('token', 'create', 'x')).err).toBe(
      'ironcached: name the project, by --project ID, or --all-projects\n',
    );
    const both = ids.flatMap((id) => ['--project', id]);
    expect((await ironcached('token', 'create', 'both', ...both)).out).toMatch(/^[\w-]{32}\n$/);
    const { tokens } = await json<{ tokens: Shown[] }>('token', 'list', '--project', ids[1] ?? '');
    expect(tokens.map(({ name, projects }) => [name, projects])).toEqual([
      ['admin', '*'],
      ['x', [ids[1]]],
      ['both', ids],
    ]);
  });

  test.each([
    [['project', 'delete', NO_PROJECT], `There is no project ${NO_PROJECT}.`],
    [['token', 'revoke', NO_PROJECT], `There is no token ${NO_PROJECT}.`],
    [['token', 'create', 'x', '--project', NO_PROJECT], `There is no project ${NO_PROJECT}.`],
  ])('what cannot be done is one line and status 1: %j', async (args, message) => {
    await ironcached('project', 'create', 'x');
    expect(await ironcached(...args)).toEqual({ status: 1, out: '', err: `ironcached: ${message}\n` });
  });

  test.each([
    ['project', 'list'],
    ['token', 'list'],
    ['project', 'delete', NO_PROJECT],
  ])('a directory that is not there is told, and not made: %s %s', async (...args) => {
    const { status, err } = await ironcached(...args);
    expect([status, err]).toEqual([
      1,
      expect.stringContaining(`there are no projects and tokens in ${dataDir}`),
    ]);
    expect(existsSync(dataDir)).toBe(false);
  });

  // As one of another user does that only its owner may look into.
  test('a directory that does not let be looked into is told as such, not as an empty one', async () => {
    symlinkSync(dataDir, dataDir);
    expect(await ironcached('token', 'list')).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^ironcached: ELOOP: .*\n$/),
    });
  });

  // Where there are credentials, a start would make no first project.
  test.each([
    ['token', 'list'],
    ['token', 'revoke', NO_PROJECT],
    ['token', 'create', 'x', '--all-projects'],
    ['project', 'suspend', NO_PROJECT],
  ])('a directory without credentials stays so: %s %s', async (...args) => {
    mkdirSync(dataDir, { recursive: true });
    const { status, err } = await ironcached(...args);
    expect([status, err]).toEqual([
      1,
      expect.stringContaining(`there are no projects and tokens in ${dataDir}`),
    ]);
    expect(readdirSync(dataDir)).toEqual([]);
  });

  test('a broken file is told, and left alone', async () => {
    await ironcached('project', 'create', 'x');
    const path = join(dataDir, 'credentials.json');
    writeFileSync(path, '{');
    expect(await ironcached('project', 'create', 'x')).toMatchObject({
      status: 1,
      err: `ironcached: ${path} is not valid JSON\n`,
    });
    expect(readFileSync(path, 'utf8')).toBe('{');
  });
});

describe('beside a running service', () => {
  test('a change is noticed by the service', async () => {
    const service = await startControlled();
    ({ dataDir } = service);
    const { project_id: project, token } = JSON.parse((await ironcached('project', 'create', 'web')).out);
    const client = await textClient(service.memcachedPort);
    await vi.waitFor(
      async () => expect(await client.ask(signIn(token, project, 'c'))).toBe('STORED\r\n'),
      5_000,
    );
    await ironcached('project', 'suspend', project);
    const suspended = 'SERVER_ERROR the project is suspended\r\n';
    await vi.waitFor(async () => expect(await client.ask('set k 0 0 1\r\nv\r\n')).toBe(suspended), 5_000);
  });

  test('changes by both at once are all kept', async () => {
    const service = await startControlled();
    ({ dataDir } = service);
    const names = Array.from({ length: 5 }, (_, i) => [`here ${i}`, `there ${i}`]).flat();
    await Promise.all(
      names.map((name) =>
        name.startsWith('here') ? ironcached('project', 'create', name) : service.project({ name }),
      ),
    );
    const { projects } = await json<{ projects: Shown[] }>('project', 'list');
    expect(projects.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
    expect(projects).toHaveLength(names.length + 1);
  });

  test('clients are told the address that the service really has', async () => {
    const service = await startControlled();
    ({ dataDir } = service);
    expect(JSON.parse((await ironcached('project', 'create', 'web')).out)).toMatchObject({
      port: service.httpPort,
    });
  });
});

describe('through a running service', () => {
  test('everything works the same, and at once', async () => {
    const service = await startControlled();
    const server = ['--server', `http://127.0.0.1:${service.httpPort}`, '--admin-token', service.adminToken];
    const made = await ironcached('project', 'create', 'web', '--items', '3', ...server);
    const { project_id: project, token, port } = JSON.parse(made.out);
    expect(port).toBe(service.httpPort);
    const client = await textClient(service.memcachedPort);
    expect(await client.ask(signIn(token, project, 'c'))).toBe('STORED\r\n');
    await ironcached('project', 'suspend', project, ...server);
    expect(await client.ask('get k\r\n')).toBe('SERVER_ERROR the project is suspended\r\n');
    await ironcached('project', 'resume', project, ...server);
    const { tokens } = await json<{ tokens: Shown[] }>('token', 'list', '--project', project, ...server);
    const id = tokens.find(({ name }) => name === 'web')?.id ?? '';
    expect((await ironcached('token', 'revoke', id, ...server)).out).toBe(`the token ${id} is revoked\n`);
    expect(await client.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    await ironcached('project', 'delete', project, ...server);
    const { projects } = await json<{ projects: Shown[] }>('project', 'list', ...server);
    expect(projects.map(({ name }) => name)).toEqual(['first']);
  });

  test('all of a long list is shown', async () => {
    const service = await startControlled();
    ({ dataDir } = service);
    const server = ['--server', `http://127.0.0.1:${service.httpPort}`];
    for (let i = 0; i < 105; i++) await service.project();
    expect((await json<{ projects: Shown[] }>('project', 'list', ...server)).projects).toHaveLength(106);
  });

  test('a refusal is told with where it comes from', async () => {
    const service = await startControlled();
    const origin = `http://127.0.0.1:${service.httpPort}`;
    const ask = (...args: string[]) => ironcached('project', 'list', '--server', ...args);
    expect(await ask(origin, '--admin-token', 'a-token-that-nobody-has')).toMatchObject({
      status: 1,
      err: expect.stringContaining(`ironcached: ${origin}: This token is not known.`),
    });
    expect((await ask(origin)).err).toContain('an admin token is needed');
    // As one that somebody else may read alone.
    mkdirSync(dataDir);
    symlinkSync('admin-token', join(dataDir, 'admin-token'));
    expect((await ask(origin)).err).toMatch(
      /^ironcached: the admin token cannot be read: ELOOP: .*admin-token'\n$/,
    );
    expect((await ask(origin.replace('http', 'https'), '--admin-token', service.adminToken)).err).toBe(
      `ironcached: https://127.0.0.1:${service.httpPort} cannot be reached: it does not speak HTTPS\n`,
    );
    await service.service.stop();
    expect((await ask(origin, '--admin-token', service.adminToken)).err).toContain(
      `${origin} cannot be reached: `,
    );
  });
});

describe('a mistake', () => {
  const SECRET = 'a-token-in-the-wrong-place';

  test.each([
    [['project'], 'these are the commands: project create, '],
    [['project', SECRET], 'these are the commands: '],
    [['project', 'create'], 'the NAME is missing'],
    [['project', 'create', 'a', SECRET], 'there is an argument too many; it takes NAME'],
    [['project', 'list', SECRET], 'there is an argument too many; it takes none'],
    [['project', 'delete', SECRET], 'the ID must be 24 lower-case hexadecimal digits'],
    [['project', 'create', 'x', '--id', SECRET], '--id must be 24 lower-case hexadecimal digits'],
    [['project', 'create', 'x', '--bytes', SECRET], '--bytes must be a size like 64mb, or none'],
    [['project', 'create', 'x', '--items', '0'], '--items must be a whole number above 0, or none'],
    [['project', 'create', 'x', '--items'], '--items needs a value'],
    [['project', 'list', '--json=false'], '--json takes no value'],
    [
      ['project', 'create', 'x', '--expires-in', '1d'],
      '--expires-in: project create has no such option; see ironcached project --help',
    ],
    [
      ['token', 'create', 'x', '--expires-in', SECRET],
      '--expires-in must be a time like 90d, 12h, 30m or 60s',
    ],
    [['token', 'create', 'x', '--expires-in', '3651d'], '--expires-in must be at most 3650d (ten years)'],
    [['token', 'create', 'x', '--permissions', SECRET], '--permissions must be "read", "write" or "admin"'],
    [['token', 'create', 'x', '--project', SECRET], '--project must be 24 lower-case hexadecimal digits'],
    [
      ['token', 'create', 'x', '--project', NO_PROJECT, '--all-projects'],
      '--project and --all-projects exclude each other',
    ],
    [['project', 'change', NO_PROJECT], 'nothing is to be changed: give --name, --bytes, '],
    [['token', 'list', '--server', SECRET], '--server must be an address like http://127.0.0.1:8080'],
  ])('is told with status 2, without what was given: %j', async (args, message) => {
    const { status, out, err } = await ironcached(...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(`ironcached: ${message}`);
    expect(err).not.toContain(SECRET);
  });

  test('is not to ask for help', async () => {
    const { status, out } = await ironcached('token', '--help');
    expect(status).toBe(0);
    for (const command of ['project create NAME', 'token revoke ID', '--server URL'])
      expect(out).toContain(command);
  });
});
