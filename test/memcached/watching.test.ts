import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/engine/errors.ts';
import { TWO_PROJECTS, token } from '../support/credentials.ts';
import { Faults, faultyStore } from '../support/faulty-store.ts';
import { lateStore } from '../support/late-store.ts';
import { PROJECT, signInCommand, TOKEN, testDoor } from '../support/memcached-door.ts';

const ALWAYS_SLOW = Number.MIN_VALUE;

describe('the log of the memcached door', () => {
  test('has a line at level debug when a client comes, and one when it goes', async () => {
    const door = await testDoor();
    const client = await door.connect();
    client.send('quit\r\n');
    await client.rest();
    await expect.poll(() => door.debugged).toHaveLength(2);
    const details = { door: 'memcached', address: '127.0.0.1', connection: 1 };
    expect(door.debugged).toEqual([
      { level: 'debug', details, message: 'a client connected' },
      { level: 'debug', details, message: 'a client is gone' },
    ]);
  });

  test('has failed sign-ins once a minute, however many there are', async () => {
    const door = await testDoor();
    for (let i = 0; i < 5; i++) {
      const client = await door.connect();
      expect(await client.ask(signInCommand({ token: `wrong-token-${i}` }))).toContain('failure');
    }
    expect(door.logged).toEqual([
      {
        level: 'warn',
        details: { door: 'memcached', address: '127.0.0.1' },
        message: 'a sign-in failed',
      },
    ]);
    door.clock.advance(60_000);
    const client = await door.connect();
    await client.ask(signInCommand({ token: 'wrong-token-again' }));
    expect(door.logged[1]?.details).toMatchObject({ unsaid: 4 });
    expect(JSON.stringify(door.logged)).not.toContain('wrong-token');
  });

  test.each([
    ['at once', undefined],
    ['later', lateStore],
  ])(
    'has commands that were slow, without their keys, also of a store that answers %s',
    async (_when, around) => {
      const door = await testDoor({ slowMs: ALWAYS_SLOW, ...(around && { around }) });
      const client = await door.connect();
      await client.ask(signInCommand({ cache: 'some cache' }));
      expect(door.logged).toEqual([]);
      await client.ask('set a-secret-key 0 0 1\r\nv\r\n');
      expect(door.logged).toEqual([
        {
          level: 'warn',
          details: {
            door: 'memcached',
            address: '127.0.0.1',
            project: PROJECT,
            cache: 'some cache',
            operation: 'set',
            commands: 1,
            ms: expect.any(Number),
          },
          message: 'slow commands',
        },
      ]);
      expect(JSON.stringify(door.logged)).not.toContain('a-secret-key');
    },
  );

  test('has no slow commands where none is to be told', async () => {
    const door = await testDoor({ slowMs: 0 });
    const client = await door.signedIn();
    await client.ask('set k 0 0 1\r\nv\r\n');
    expect(door.logged).toEqual([]);
  });
});

describe('the meter', () => {
  test.each([
    ['at once', undefined],
    ['later', lateStore],
  ])('counts every command once, of a store that answers %s', async (_when, around) => {
    const door = await testDoor({ ...(around && { around }), limits: { unansweredBytesMax: 65_536 } });
    const client = await door.signedIn();
    const value = 'x'.repeat(50_000);
    await client.ask(`set k 0 0 ${value.length}\r\n${value}\r\n`);
    // A get that is answered in many parts, since its client has to read first.
    client.send(`get${' k'.repeat(100)}\r\nnonsense\r\nmn\r\n`);
    await client.takeThrough('MN\r\n');
    const counted = [...door.requests.operations()].flatMap(([operation, { counts, buckets }]) => {
      const timed = buckets.reduce((sum, count) => sum + count, 0);
      return [...counts].map(([status, count]) => [operation, status, count, timed]);
    });
    expect(counted).toEqual([
      ['sign_in', 'ok', 1, 1],
      ['set', 'ok', 1, 1],
      ['get', 'ok', 1, 1],
      ['refused', 'client_error', 1, 1],
      ['mn', 'ok', 1, 1],
    ]);
  });

  test.each([
    ['at once', 0],
    ['after a delay', 1],
  ])('tells sign-ins that failed from the others, answered %s', async (_when, delayMs) => {
    const door = await testDoor({ signInLimits: { delayMs } });
    for (let i = 0; i < 5; i++) {
      await (await door.connect()).ask(signInCommand({ token: 'wrong' }));
      await door.signedIn();
    }
    expect(Object.fromEntries(door.requests.operation('sign_in').counts)).toEqual({ client_error: 5, ok: 5 });
  });

  test('tells what is asked before sign-in, and of a suspended project, from what was done', async () => {
    const door = await testDoor();
    const client = await door.connect();
    expect(await client.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    expect(await client.ask('nonsense\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    await client.ask('mn\r\n');
    expect(Object.fromEntries(door.requests.operation('sign_in').counts)).toEqual({ client_error: 2, ok: 1 });
    const [project, ...others] = TWO_PROJECTS.projects;
    if (!project) throw new Error('there is no project');
    door.tokens.update({ ...TWO_PROJECTS, projects: [{ ...project, suspended: true }, ...others] });
    expect(await client.ask(signInCommand())).toBe('SERVER_ERROR the project is suspended\r\n');
    expect(door.requests.operation('sign_in').counts.get('client_error')).toBe(3);
  });

  test('tells what a token may not do, or not so often, from what was done', async () => {
    const door = await testDoor({
      requestsPerSecond: 2,
      credentials: { ...TWO_PROJECTS, tokens: [token(TOKEN, [PROJECT], { permissions: ['read'] })] },
    });
    const client = await door.signedIn();
    client.send('set k 0 0 1\r\nv\r\nget k\r\nget k\r\nget k\r\nget k\r\n');
    await client.takeThrough('second\r\n');
    expect(Object.fromEntries(door.requests.operation('set').counts)).toEqual({ client_error: 1 });
    expect(door.requests.operation('get').counts.get('client_error')).toBeGreaterThan(0);
    expect(door.requests.operation('get').counts.get('ok')).toBe(2);
  });

  test('tells what the engine refused from what it did', async () => {
    const door = await testDoor({ bytesMax: 1_000_000, cachesMax: 1, store: 'arena' });
    const client = await door.signedIn();
    await client.ask('set k 0 0 1\r\nv\r\n');
    const other = await door.signedIn({ cache: 'one too many' });
    await other.ask('set k 0 0 1\r\nv\r\n');
    expect([...door.requests.operation('set').counts]).toEqual([
      ['ok', 1],
      ['client_error', 1],
    ]);
  });

  test('tells the service’s faults from clients’', async () => {
    const faults = new Faults();
    const door = await testDoor({ around: (store) => faultyStore(store, faults) });
    const client = await door.signedIn();
    for (const error of [new Error('a bug'), new Refusal('store_unavailable', 'a full disk')]) {
      faults.inject('write', error);
      expect(await client.ask('set k 0 0 1\r\nv\r\n')).toMatch(/^SERVER_ERROR/);
    }
    await client.ask('set k 0 0 1\r\nv\r\n');
    expect([...door.requests.operation('set').counts]).toEqual([
      ['server_error', 2],
      ['ok', 1],
    ]);
  });
});
