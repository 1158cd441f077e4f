import { describe, expect, test } from 'vitest';
import { testClock } from './support/clock.ts';
import { type ControlledService, startControlled } from './support/control.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

/*
 * Two tenants use the same names for their caches and keys, by both doors. Neither ever sees the other.
 */

interface Tenant {
  readonly project: string;
  readonly memcached: TextClient;
  rest(method: string, path: string, body?: object): Promise<{ status: number; json: unknown }>;
  /** A command and all that comes back for it. */
  ask(line: string): Promise<string>;
  /** What the tenant sees of its cache, by every way of looking. */
  look(): Promise<Record<string, unknown>>;
}

async function tenantOf(service: ControlledService, name: string): Promise<Tenant> {
  const project = await service.project({ name });
  const { text } = await service.token(project);
  const memcached = await textClient(service.memcachedPort);
  await memcached.ask(signIn(text, project, 'sessions'));
  const rest: Tenant['rest'] = async (method, path, body) => {
    const url = `http://127.0.0.1:${service.httpPort}/1/projects/${project}/caches${path}`;
    const headers = { authorization: `OAuth ${text}` };
    const response = await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    return { status: response.status, json: await response.json() };
  };
  const ask: Tenant['ask'] = async (line) => {
    memcached.send(`${line}\r\nmn\r\n`);
    return (await memcached.receive('MN\r\n')).slice(0, -'MN\r\n'.length);
  };
  const stats = async (topic: string, wanted: RegExp) =>
    (await ask(topic)).split('\r\n').filter((row) => wanted.test(row));
  return {
    project,
    memcached,
    rest,
    ask,
    look: async () => ({
      item: await rest('GET', '/sessions/items/user'),
      value: await ask('get user'),
      meta: await ask('mg user v t f s'),
      cache: await rest('GET', '/sessions'),
      caches: await rest('GET', ''),
      stats: await stats(
        'stats',
        / (curr_items|bytes|total_items|cmd_set|cmd_flush|delete_hits|evictions|incr_hits) /,
      ),
      classes: await stats('stats items', /number|mem_requested/),
      dump: (await ask('lru_crawler metadump all')).replace(/ la=\d+/g, ''),
      listing: await ask('stats cachedump 1 0'),
    }),
  };
}

async function twoTenants() {
  const clock = testClock();
  const service = await startControlled([], { clock });
  const [one, other] = [await tenantOf(service, 'one'), await tenantOf(service, 'other')];
  return { service, clock, one, other };
}

/** Everything that a tenant may do to what is its own. */
const DEEDS: readonly (readonly [what: string, (tenant: Tenant) => Promise<unknown>])[] = [
  ['stores by REST', ({ rest }) => rest('PUT', '/sessions/items/user', { value: 'mine', expires_in: 60 })],
  ['stores by memcached', ({ ask }) => ask('set user 7 0 4\r\nmine')],
  ['appends', ({ ask }) => ask('append user 0 0 4\r\nmine')],
  ['stores by the meta protocol', ({ ask }) => ask('ms user 4 T60\r\nmine')],
  ['counts by REST', ({ rest }) => rest('POST', '/sessions/items/hits/increment', { amount: 1 })],
  ['counts by memcached', ({ ask }) => ask('ma hits N0 J1')],
  ['makes another cache', ({ rest }) => rest('PUT', '/secret/items/user', { value: 1 })],
  ['touches', ({ ask }) => ask('touch user 60')],
  ['makes an item stale', ({ ask }) => ask('md user I')],
  ['deletes by REST', ({ rest }) => rest('DELETE', '/sessions/items/user')],
  ['deletes by memcached', ({ ask }) => ask('delete user')],
  ['clears by REST', ({ rest }) => rest('POST', '/sessions/clear')],
  ['clears by memcached', ({ ask }) => ask('flush_all')],
  ['resets its statistics', ({ ask }) => ask('stats reset')],
  ['deletes its cache', ({ rest }) => rest('DELETE', '/sessions')],
];

test.each([
  ['that has an item of the same name', (tenant: Tenant) => tenant.ask('set user 3 0 5\r\nyours')],
  ['that has none', () => Promise.resolve()],
])('whatever one tenant does, another %s sees nothing of it', async (_which, prepare) => {
  const { one, other } = await twoTenants();
  await prepare(other);
  await other.ask('stats reset');
  const before = await other.look();
  // To look at them counts as well.
  await other.ask('stats reset');
  for (const [what, act] of DEEDS) {
    await one.ask('set user 0 0 3\r\nold');
    await act(one);
    expect([what, await other.look()]).toEqual([what, before]);
    await other.ask('stats reset');
  }
});

test('a clear with a delay happens in its own time, and to its own tenant', async () => {
  const { clock, one, other } = await twoTenants();
  for (const tenant of [one, other]) await tenant.ask('set user 0 0 1\r\nv');
  await one.ask('flush_all 10');
  await other.ask('flush_all 20');
  clock.advance(10_000);
  expect([await one.ask('get user'), await other.ask('get user')]).toEqual([
    'END\r\n',
    'VALUE user 0 1\r\nv\r\nEND\r\n',
  ]);
  clock.advance(10_000);
  expect(await other.ask('get user')).toBe('END\r\n');
});

test('the id of a cache, and the version of an item, are no other tenant’s', async () => {
  const { one, other } = await twoTenants();
  for (const tenant of [one, other]) await tenant.rest('PUT', '/sessions/items/user', { value: 1 });
  const ids = await Promise.all([one, other].map(async ({ rest }) => (await rest('GET', '/sessions')).json));
  expect(ids[0]).not.toMatchObject({ id: (ids[1] as { id: string }).id });
  const { cas } = (await one.rest('GET', '/sessions/items/user')).json as { cas: string };
  expect(await other.ask(`cas user 0 0 1 ${cas}\r\nx`)).toBe('EXISTS\r\n');
});

describe('a project that goes', () => {
  test('takes nothing of another along, suspended or deleted', async () => {
    const { service, one, other } = await twoTenants();
    for (const tenant of [one, other]) await tenant.ask('set user 0 0 1\r\nv');
    await other.ask('stats reset');
    const before = await other.look();
    await other.ask('stats reset');
    await service.control('PATCH', `/projects/${one.project}`, { status: 'suspended' });
    expect(await one.ask('get user')).toBe('SERVER_ERROR the project is suspended\r\n');
    expect(await other.look()).toEqual(before);
    await other.ask('stats reset');
    await service.control('DELETE', `/projects/${one.project}`);
    expect(await one.ask('get user')).toBe('CLIENT_ERROR unauthenticated\r\n');
    expect((await one.rest('GET', '')).status).toBe(404);
    expect(await other.look()).toEqual(before);
  });

  test('has a quota of its own, which no other feels', async () => {
    const { service, one, other } = await twoTenants();
    await service.control('PATCH', `/projects/${one.project}`, { quotas: { items: 2 } });
    for (const tenant of [one, other]) {
      for (let i = 0; i < 5; i++) await tenant.ask(`set k${i} 0 0 1\r\nv`);
    }
    const sizes = await Promise.all(
      [one, other].map(async ({ rest }) => (await rest('GET', '/sessions')).json),
    );
    expect(sizes).toMatchObject([{ size: 2 }, { size: 5 }]);
    await service.control('PATCH', `/projects/${one.project}`, { quotas: { items: null } });
    for (let i = 0; i < 5; i++) await one.ask(`set k${i} 0 0 1\r\nv`);
    expect((await one.rest('GET', '/sessions')).json).toMatchObject({ size: 5 });
  });
});
