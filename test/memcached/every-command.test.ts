import { describe, expect, onTestFinished, test } from 'vitest';
import type { Credentials } from '../../src/auth/credentials.ts';
import { lineParsers } from '../../src/memcached/requests/command-lines.ts';
import { testClock } from '../support/clock.ts';
import { project, token } from '../support/credentials.ts';
import { MemcachedClient } from '../support/memcached-client.ts';
import { type Door, OTHER_PROJECT, PROJECT, signInCommand, testDoor } from '../support/memcached-door.ts';

/*
 * Every command by every kind of token, and the documented answer to each. A command that is not in this
 * table fails the first test. What is asked before sign-in is in every-command-unauthenticated.test.ts.
 */

type Needs = 'nothing' | 'read' | 'write' | 'both';

/** Complete and valid, with the data block that it needs, which would be two commands of its own. */
const COMMANDS: readonly (readonly [needs: Needs, lines: string])[] = [
  ['read', 'get k'],
  ['read', 'bget k'],
  ['read', 'gets k missing k'],
  ['both', 'gat 0 k'],
  ['both', 'gats 0 k'],
  ['write', 'set k 0 0 6\r\nmn\r\nmn'],
  ['write', 'add k 0 0 6\r\nmn\r\nmn'],
  ['write', 'replace k 0 0 6\r\nmn\r\nmn'],
  ['write', 'append k 0 0 6\r\nmn\r\nmn'],
  ['write', 'prepend k 0 0 6\r\nmn\r\nmn'],
  ['write', 'cas k 0 0 6 1\r\nmn\r\nmn'],
  // Refused for its length, and yet it does away with the old value.
  ['write', `set k 0 0 2000\r\n${'x'.repeat(2000)}`],
  ['nothing', `add k 0 0 2000\r\n${'x'.repeat(2000)}`],
  ['write', 'delete k'],
  ['write', 'incr k 1'],
  ['write', 'decr k 1'],
  ['write', 'touch k 100'],
  ['write', 'flush_all'],
  ['write', 'flush_all 100'],
  ['nothing', 'verbosity 1'],
  ['nothing', 'version'],
  ['nothing', 'mn'],
  ['nothing', 'quit'],
  ['read', 'stats'],
  ['read', 'stats items'],
  ['read', 'stats slabs'],
  ['read', 'stats settings'],
  ['read', 'stats sizes'],
  ['read', 'stats conns'],
  ['read', 'stats cachedump 1 0'],
  ['write', 'stats reset'],
  ['read', 'lru_crawler metadump all'],
  ['read', 'watch'],
  ['read', 'mg k v t s c h l f'],
  ['both', 'mg k v T100'],
  ['both', 'mg missing v N100'],
  ['both', 'mg k v R100'],
  ['write', 'ms k 6\r\nmn\r\nmn'],
  ['write', 'ms k 6 ME\r\nmn\r\nmn'],
  ['write', 'md k'],
  ['write', 'md k I'],
  ['write', 'ma k'],
  ['read', 'me k'],
  // These are refused to everyone, in words of their own.
  ...['slabs', 'cache_memlimit', 'lru', 'extstore', 'shutdown', 'refresh_certs', 'no_such_command'].map(
    (command): [Needs, string] => ['nothing', command],
  ),
];

const MAY_NOT = (permission: string) => `CLIENT_ERROR this token may not ${permission}\r\n`;
const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated\r\n';
const SUSPENDED = 'SERVER_ERROR the project is suspended\r\n';
const FAILURE = 'CLIENT_ERROR authentication failure\r\n';

const clock = testClock();

const CREDENTIALS: Credentials = {
  projects: [project(PROJECT), project(OTHER_PROJECT)],
  tokens: [
    token('member', [PROJECT]),
    token('reader', [PROJECT], { permissions: ['read'] }),
    token('writer', [PROJECT], { permissions: ['write'] }),
    token('admin', '*', { permissions: ['admin'] }),
    token('foreign', [OTHER_PROJECT]),
    token('expired', [PROJECT], { expiresAt: clock.now() }),
    token('for-a-minute', [PROJECT], { expiresAt: clock.now() + 60_000 }),
  ],
};

function open(credentials = CREDENTIALS): Promise<Door> {
  return testDoor({
    credentials,
    clock: testClock(clock.now()),
    valueBytesMax: 1000,
    limits: { signInFailuresMax: 1000 },
    signInLimits: { failuresPerAddressMax: 0, delayMs: 0 },
  });
}

/** The item that commands are about. */
async function store(door: Door): Promise<void> {
  const value = {
    value: Buffer.from('5'),
    kind: 'bytes',
    flags: 0,
    expiresAt: Number.POSITIVE_INFINITY,
  } as const;
  await door.engine.cache(PROJECT, 'first-cache').store('set', 'k', value);
}

/** What is left of it, with all that is known about it. */
async function item(door: Door): Promise<object | undefined> {
  const { value, flags, expiresAt, stale, recaching } =
    (await door.engine.cache(PROJECT, 'first-cache').peek('k')) ?? {};
  return { value: value?.toString(), flags, expiresAt, stale, recaching };
}

const WHOLE = { value: '5', flags: 0, expiresAt: Number.POSITIVE_INFINITY, stale: false, recaching: false };

/** Sends a command, and answers what comes back up to the answer of the mn behind it, or to the close. */
async function ask(client: MemcachedClient, lines: string): Promise<string> {
  client.send(`${lines}\r\nmn\r\n`);
  const answer = await client.takeThrough('MN\r\n');
  return lines === 'quit' ? answer : answer.slice(0, -'MN\r\n'.length);
}

const withNoreply = ([, lines]: (typeof COMMANDS)[number]) =>
  /^(set|add|replace|append|prepend|cas|delete|incr|decr|touch|flush_all)\b/.test(lines);

const isOpen = (lines: string) => /^(verbosity|version|mn|quit)/.test(lines);

test('every command is in the table', () => {
  const known = new Set(COMMANDS.map(([, lines]) => lines.split(/[ \r]/)[0]));
  expect([...lineParsers.keys()].filter((command) => !known.has(command))).toEqual([]);
});

describe.each<[string, missing: (needs: Needs) => string | undefined]>([
  ['member', () => undefined],
  ['reader', (needs) => (needs === 'write' || needs === 'both' ? 'write' : undefined)],
  ['writer', (needs) => (needs === 'read' || needs === 'both' ? 'read' : undefined)],
])('a token of the kind %s', (by, missing) => {
  test.each(COMMANDS)('needs for %s: %s', async (needs, lines) => {
    const door = await open();
    const client = await door.signedIn({ token: by });
    await store(door);
    const permission = missing(needs);
    const answer = await ask(client, lines);
    if (permission === undefined) {
      expect(answer).not.toMatch(/may not|unauthenticated/);
    } else {
      expect(answer).toBe(MAY_NOT(permission));
      expect(await item(door)).toEqual(WHOLE);
    }
  });

  test('is refused in silence where no reply is wanted', async () => {
    const door = await open();
    const client = await door.signedIn({ token: by });
    await store(door);
    for (const command of COMMANDS.filter(withNoreply)) {
      if (missing(command[0]) === undefined) continue;
      const [words, ...data] = command[1].split('\r\n');
      expect(await ask(client, [`${words} noreply`, ...data].join('\r\n'))).toBe('');
    }
    if (by === 'reader') expect(await item(door)).toEqual(WHOLE);
  });
});

test('who may only read wins no right to store anew, which would keep it from those who can', async () => {
  const door = await open();
  const [reader, member] = [
    await door.signedIn({ token: 'reader' }),
    await door.signedIn({ token: 'member' }),
  ];
  await store(door);
  expect(await ask(member, 'md k I')).toBe('HD\r\n');
  expect(await ask(reader, 'mg k s')).toBe('HD s1 X\r\n');
  expect(await ask(member, 'mg k s')).toBe('HD s1 X W\r\n');
  expect(await ask(reader, 'mg k s')).toBe('HD s1 Z X\r\n');
});

describe('signing in', () => {
  test.each([
    ['unknown', FAILURE],
    ['foreign', FAILURE],
    ['expired', FAILURE],
    ['admin', FAILURE],
    ['reader', 'STORED\r\n'],
    ['writer', 'STORED\r\n'],
  ])('by the token "%s" is answered %j', async (by, expected) => {
    const client = await (await open()).connect();
    expect(await client.ask(signInCommand({ token: by }))).toBe(expected);
    if (expected === FAILURE) expect(await ask(client, 'get k')).toBe(UNAUTHENTICATED);
  });

  test('to a suspended project is refused, and possible again afterwards', async () => {
    const door = await open();
    const suspended = [project(PROJECT, { suspended: true })];
    door.tokens.update({ ...CREDENTIALS, projects: suspended });
    const client = await door.connect();
    for (let i = 0; i < 3; i++) expect(await client.ask(signInCommand({ token: 'member' }))).toBe(SUSPENDED);
    // Not to be told to those who have no right there.
    expect(await client.ask(signInCommand({ token: 'foreign' }))).toBe(FAILURE);
    door.tokens.update(CREDENTIALS);
    expect(await client.ask(signInCommand({ token: 'member' }))).toBe('STORED\r\n');
    client.send('stats\r\n');
    expect(await client.takeThrough('END\r\n')).toMatch(/STAT auth_cmds 5\r\nSTAT auth_errors 4\r\n/);
    expect(door.requests.operation('sign_in').of('client_error').requests).toBe(4);
  });
});

/** What may happen to a token or its project while a connection is open, and what each command is answered then. */
const ENDS: readonly (readonly [what: string, end: (door: Door) => void, answer: string])[] = [
  [
    'the token is revoked',
    ({ tokens }) =>
      tokens.update({
        ...CREDENTIALS,
        tokens: CREDENTIALS.tokens.filter(({ name }) => name !== 'for-a-minute'),
      }),
    UNAUTHENTICATED,
  ],
  ['the token expires', (door) => door.clock.advance(60_000), UNAUTHENTICATED],
  ['the project is deleted', ({ tokens }) => tokens.update({ projects: [], tokens: [] }), UNAUTHENTICATED],
  [
    'the project is suspended',
    ({ tokens }) =>
      tokens.update({
        ...CREDENTIALS,
        projects: [project(PROJECT, { suspended: true }), project(OTHER_PROJECT)],
      }),
    SUSPENDED,
  ],
];

describe.each(ENDS)('when %s, an open connection', (_what, end, expected) => {
  test('is refused every command that anyone may not use, from the next one on', async () => {
    const door = await open();
    await store(door);
    for (const [, lines] of COMMANDS) {
      door.tokens.update(CREDENTIALS);
      door.clock.set(clock.now());
      const client = await door.signedIn({ token: 'for-a-minute' });
      end(door);
      const answer = await ask(client, lines);
      if (isOpen(lines)) expect([lines, answer]).not.toEqual([lines, expected]);
      else expect([lines, answer]).toEqual([lines, expected]);
      expect(await item(door)).toEqual(WHOLE);
    }
  });

  test('stays open, in step, and silent where no reply is wanted', async () => {
    const door = await open();
    const client = await door.signedIn({ token: 'for-a-minute' });
    await store(door);
    client.send('set k 0 0 6\r\nmn');
    end(door);
    expect(await ask(client, '\r\nmn')).toBe(expected);
    expect(await ask(client, 'set k 0 0 6 noreply\r\nmn\r\nmn')).toBe('');
    expect(await item(door)).toEqual(WHOLE);
  });
});

describe('a connection whose token was revoked', () => {
  const [, revoke] = ENDS[0] ?? [];

  test('may sign in anew, by another token', async () => {
    const door = await open();
    const client = await door.signedIn({ token: 'for-a-minute' });
    await store(door);
    revoke?.(door);
    expect(await ask(client, 'get k')).toBe(UNAUTHENTICATED);
    expect(await client.ask(signInCommand({ token: 'member' }))).toBe('STORED\r\n');
    expect(await ask(client, 'get k')).toBe('VALUE k 0 1\r\n5\r\nEND\r\n');
  });

  test('cannot fill the memory with large values any more', async () => {
    const door = await testDoor({ credentials: CREDENTIALS, clock: testClock(clock.now()) });
    const client = await door.signedIn({ token: 'for-a-minute' });
    revoke?.(door);
    expect(await ask(client, 'get k')).toBe(UNAUTHENTICATED);
    const claim = (bytes: number) => `set oauth 0 0 ${bytes}\r\n${'x'.repeat(bytes)}`;
    expect(await ask(client, claim(2048))).toBe(FAILURE);
    // Not even looked at, or it would be a sign-in that failed.
    expect(await ask(client, claim(2049))).toBe(UNAUTHENTICATED);
  });
});

test('a connection of a suspended project goes on where it was when the project is resumed', async () => {
  const door = await open();
  const client = await door.signedIn({ token: 'member' });
  await store(door);
  door.tokens.update({ ...CREDENTIALS, projects: [project(PROJECT, { suspended: true })] });
  expect(await ask(client, 'get k')).toBe(SUSPENDED);
  door.tokens.update(CREDENTIALS);
  expect(await ask(client, 'get k')).toBe('VALUE k 0 1\r\n5\r\nEND\r\n');
});

describe('a listener without sign-in', () => {
  async function bound() {
    const door = await open();
    const grant = door.tokens.boundGrant(PROJECT);
    if (!grant) throw new Error('there is no such project');
    const cache = door.engine.cache(PROJECT, 'first-cache');
    const port = await door.listener.listen({ host: '127.0.0.1', port: 0, bound: { cache, grant } });
    await store(door);
    const client = await MemcachedClient.connect(port);
    onTestFinished(() => client.destroy());
    return { door, client };
  }

  test.each<[string, Credentials, string]>([
    ['suspended', { ...CREDENTIALS, projects: [project(PROJECT, { suspended: true })] }, SUSPENDED],
    ['deleted', { projects: [], tokens: [] }, 'SERVER_ERROR the project does not exist\r\n'],
  ])(
    'serves nothing of a project that is %s, and serves it when it is back',
    async (_what, credentials, answer) => {
      const { door, client } = await bound();
      expect(await ask(client, 'get k')).toBe('VALUE k 0 1\r\n5\r\nEND\r\n');
      door.tokens.update(credentials);
      for (const [, lines] of COMMANDS) {
        if (!isOpen(lines)) expect([lines, await ask(client, lines)]).toEqual([lines, answer]);
      }
      expect(await item(door)).toEqual(WHOLE);
      door.tokens.update(CREDENTIALS);
      expect(await ask(client, 'get k')).toBe('VALUE k 0 1\r\n5\r\nEND\r\n');
    },
  );
});

test('a long answer ends with the refusal instead of END when the token is revoked meanwhile', async () => {
  const limits = { unansweredBytesMax: 4_096 };
  const door = await testDoor({ credentials: CREDENTIALS, clock: testClock(clock.now()), limits });
  const [client, other] = [await door.signedIn({ token: 'for-a-minute' }), await door.connect()];
  const cache = door.engine.cache(PROJECT, 'first-cache');
  // A listing of so long keys is more than may wait, too.
  const keys = Array.from({ length: 400 }, (_, i) => `k${i}`.padEnd(150, '.'));
  const value = Buffer.alloc(50_000, 'v');
  for (const key of keys) {
    await cache.store('set', key, { value, kind: 'bytes', flags: 0, expiresAt: Number.POSITIVE_INFINITY });
  }
  for (const lines of [`get ${keys.join(' ')}`, 'lru_crawler metadump all']) {
    door.tokens.update(CREDENTIALS);
    await client.ask(signInCommand({ token: 'for-a-minute' }));
    // More than all buffers between here and there take.
    client.socket.pause();
    const requests = lines.startsWith('get') ? 1 : 2_000;
    client.send(`${`${lines}\r\n`.repeat(requests)}mn\r\n`);
    for (let i = 0; i < 3; i++) await other.ask('mn\r\n');
    ENDS[0]?.[1](door);
    client.socket.resume();
    const answer = await client.takeThrough('MN\r\n');
    expect(answer.endsWith(`${UNAUTHENTICATED}MN\r\n`)).toBe(true);
    expect(answer.match(/^(?:END|CLIENT_ERROR unauthenticated)\r$/gm)).toHaveLength(requests);
    door.tokens.update(CREDENTIALS);
    expect(await client.ask(signInCommand({ token: 'for-a-minute' }))).toBe('STORED\r\n');
    expect(await client.ask('mn\r\n')).toBe('MN\r\n');
    expect(answer.length).toBeLessThan(20_000_000);
  }
});
