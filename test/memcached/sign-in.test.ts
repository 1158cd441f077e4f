import { describe, expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import { project, token } from '../support/credentials.ts';
import {
  claim,
  OTHER_PROJECT,
  OTHER_TOKEN,
  PROJECT,
  signInCommand,
  TOKEN,
  testDoor,
} from '../support/memcached-door.ts';
import { transcript } from '../support/transcript.ts';

const CLAIM = claim();
const FAILURE = 'CLIENT_ERROR authentication failure\r\n';
const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated\r\n';
const GET_MISS = ['get missing\r\n', 'END\r\n'] as const;

function set(key: string, value: string, words = '0 0'): string {
  return `set ${key} ${words} ${value.length}\r\n${value}\r\n`;
}

function wrongly(value: string): readonly [string, string] {
  return [set('oauth', value), FAILURE];
}

describe('signing in', () => {
  const unsigned = { unsigned: true };

  transcript('by the pseudo-item oauth', [[set('oauth', CLAIM), 'STORED\r\n'], GET_MISS], unsigned);
  transcript(
    'with flags and an exptime, as serialising clients send them',
    [[`set oauth 16 60 ${CLAIM.length}\r\n${CLAIM}\r\n`, 'STORED\r\n'], GET_MISS],
    unsigned,
  );
  // As `memcached -Y` takes it; emcache sends this.
  test.each(['_ _', '-1 0', '0 99999999999999999999', 'x y'])(
    'whatever flags and exptime are: %s',
    async (words) => {
      const client = await (await testDoor()).connect();
      expect(await client.ask(set('oauth', 'wrong', words))).toBe(FAILURE);
      expect(await client.ask(set('_', `${PROJECT}/c ${TOKEN}`, words))).toBe('STORED\r\n');
      expect(await client.ask('set a _ 0 1\r\n')).toBe('CLIENT_ERROR bad command line format\r\n');
    },
  );

  test('with more words behind the length', async () => {
    const client = await (await testDoor()).connect();
    expect(await client.ask(`set oauth 0 0 ${CLAIM.length} more words\r\n${CLAIM}\r\n`)).toBe('STORED\r\n');
  });

  test.each(['\n', '\r\n'])(
    'with a line end behind the claim, which is none of the cache name: %j',
    async (end) => {
      const door = await testDoor();
      const client = await door.connect();
      expect(await client.ask(set('oauth', `${CLAIM}${end}`))).toBe('STORED\r\n');
      await client.ask(set('k', 'v'));
      expect(await (await door.signedIn()).ask('mg k v\r\n')).toContain('VA 1');
    },
  );

  transcript(
    'with an exptime that has passed',
    [[set('oauth', CLAIM, '4294967295 -1'), 'STORED\r\n'], GET_MISS],
    unsigned,
  );
  transcript(
    'silently, and a command at once behind it',
    [[`set oauth 0 0 ${CLAIM.length} noreply\r\n${CLAIM}\r\nget missing\r\n`, 'END\r\n']],
    unsigned,
  );
  transcript(
    'by the meta protocol, with the flags asked for',
    [[`ms oauth ${CLAIM.length} c F0 T0 MS O7 k\r\n${CLAIM}\r\n`, 'HD c0 O7 koauth\r\n'], GET_MISS],
    unsigned,
  );
  transcript(
    'by the meta protocol without flags, and quietly',
    [[`ms oauth ${CLAIM.length} q\r\n${CLAIM}\r\nmn\r\n`, 'MN\r\n'], GET_MISS],
    unsigned,
  );
  transcript(
    'by the meta protocol with a base64 key',
    [[`ms b2F1dGg= ${CLAIM.length} b k\r\n${CLAIM}\r\n`, 'HD kb2F1dGg= b\r\n'], GET_MISS],
    unsigned,
  );
  transcript(
    "in memcached's own form, under any key",
    [
      [set('anything', `${PROJECT}/first-cache ${TOKEN}`), 'STORED\r\n'],
      ['get anything\r\n', 'END\r\n'],
    ],
    unsigned,
  );
  transcript(
    "in memcached's own form under oauth, with spaces in the cache name",
    [[set('oauth', `${PROJECT}/my own cache ${TOKEN}`), 'STORED\r\n'], GET_MISS],
    unsigned,
  );
  transcript(
    'after commands that anyone may use',
    [
      ['version\r\n', 'VERSION 1.6.18\r\n'],
      ['verbosity 1\r\n', 'OK\r\n'],
      ['verbosity 1 noreply\r\n', ''],
      ['mn\r\n', 'MN\r\n'],
      [set('oauth', CLAIM), 'STORED\r\n'],
      GET_MISS,
    ],
    unsigned,
  );
  transcript(
    'after a wrong attempt',
    [
      wrongly(`wrong ${PROJECT} c`),
      ['get a\r\n', UNAUTHENTICATED],
      [set('oauth', CLAIM), 'STORED\r\n'],
      GET_MISS,
    ],
    unsigned,
  );

  for (const cache of ['with spaces  in it', 'Größe', '日本語/キャッシュ', 'a\tb', '/', ' ']) {
    test(`to the cache ${JSON.stringify(cache)}`, async () => {
      const door = await testDoor();
      const client = await door.signedIn({ cache });
      expect(await client.ask('set k 0 0 1\r\na\r\n')).toBe('STORED\r\n');
      const found = await door.engine.cache(PROJECT, cache).peek('k');
      expect(found?.value.toString()).toBe('a');
    });
  }
});

describe('what does not sign in', () => {
  const unsigned = { unsigned: true, limits: { signInFailuresMax: 100 } };
  transcript(
    'a wrong token, project or form',
    [
      wrongly(`${TOKEN}x ${PROJECT} cache`),
      wrongly(`${OTHER_TOKEN} ${PROJECT} cache`),
      wrongly(`${TOKEN} ${OTHER_PROJECT} cache`),
      wrongly(`${TOKEN} 000000000000000000000000 cache`),
      wrongly(`${TOKEN} no-project cache`),
      wrongly(`${TOKEN} ${PROJECT}`),
      wrongly(`${TOKEN} ${PROJECT} `),
      wrongly(`${TOKEN}  ${PROJECT} cache`),
      wrongly(` ${TOKEN} ${PROJECT} cache`),
      wrongly(TOKEN),
      wrongly(''),
      wrongly('\x04\x08I"'),
      [set('key', `${PROJECT}/cache wrong`), FAILURE],
      [set('key', `${OTHER_PROJECT}/cache ${TOKEN}`), FAILURE],
    ],
    unsigned,
  );
  transcript(
    'a wrong claim by the meta protocol, also quietly; a silent one is told nothing',
    [
      ['ms oauth 5\r\nwrong\r\n', FAILURE],
      ['ms oauth 5 q\r\nwrong\r\n', FAILURE],
      ['set oauth 0 0 5 noreply\r\nwrong\r\n', ''],
    ],
    unsigned,
  );
  transcript(
    'the right claim by another command, under another key or in a broken block',
    [
      [`add oauth 0 0 ${CLAIM.length}\r\n${CLAIM}\r\n`, UNAUTHENTICATED],
      [`ms oauth ${CLAIM.length} ME\r\n${CLAIM}\r\n`, UNAUTHENTICATED],
      [set('OAUTH', CLAIM), UNAUTHENTICATED],
      [`set oauth 0 0 ${CLAIM.length}\r\n${CLAIM}XX`, UNAUTHENTICATED],
      ['get a\r\n', UNAUTHENTICATED],
    ],
    unsigned,
  );
  transcript(
    'a block that no claim needs is passed over',
    [
      [set('oauth', 'x'.repeat(3000)), UNAUTHENTICATED],
      [`set k 0 0 3000 noreply\r\n${'x'.repeat(3000)}\r\n`, ''],
      [`ms k 3000\r\n${'x'.repeat(3000)}\r\n`, UNAUTHENTICATED],
      [set('oauth', CLAIM), 'STORED\r\n'],
    ],
    unsigned,
  );
});

test('a cache name that is too long is refused, and the connection stays open', async () => {
  const client = await (await testDoor()).connect();
  expect(await client.ask(signInCommand({ cache: 'c'.repeat(251) }))).toBe(
    'CLIENT_ERROR the cache name is too long\r\n',
  );
  expect(await client.ask('get a\r\n')).toBe(UNAUTHENTICATED);
  expect(await client.ask(signInCommand({ cache: 'c'.repeat(250) }))).toBe('STORED\r\n');
});

// Each would become the same name, that of question marks, and so share its items.
test('a cache name that is not UTF-8 is refused, whichever form of sign-in it is in', async () => {
  const client = await (await testDoor()).connect();
  // One character a byte: Latin-1.
  for (const name of ['caf\xe9', '\xff']) {
    expect(await client.ask(set('oauth', `${TOKEN} ${PROJECT} ${name}`))).toBe(FAILURE);
    expect(await client.ask(set('_', `${PROJECT}/${name} ${TOKEN}`))).toBe(UNAUTHENTICATED);
  }
});

test('the first three failures are answered at once, further ones only after the delay', async () => {
  const delayMs = 60;
  const client = await (await testDoor({ signInLimits: { delayMs } })).connect();
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    expect(await client.ask(set('oauth', 'wrong'))).toBe(FAILURE);
    times.push(performance.now() - started);
  }
  for (const time of times.slice(0, 3)) expect(time).toBeLessThan(delayMs);
  // Timers may fire a millisecond early.
  for (const time of times.slice(3)) expect(time).toBeGreaterThan(delayMs - 2);
});

test('what is sent behind a delayed failure waits for its turn', async () => {
  const client = await (await testDoor()).connect();
  client.send(`${set('oauth', 'wrong').repeat(5)}version\r\n${signInCommand()}get a\r\nmn\r\n`);
  expect(await client.takeThrough('MN\r\n')).toBe(
    `${FAILURE.repeat(5)}VERSION 1.6.18\r\nSTORED\r\nEND\r\nMN\r\n`,
  );
});

test('a client that has failed too often is answered and loses its connection, and nobody else does', async () => {
  const door = await testDoor({ limits: { signInFailuresMax: 4 } });
  const other = await door.signedIn();
  const client = await door.connect();
  client.send(`${set('oauth', 'wrong').repeat(4)}${signInCommand()}get a\r\n`);
  expect(await client.rest()).toBe(FAILURE.repeat(4));
  expect(await other.ask('mn\r\n')).toBe('MN\r\n');
  expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
});

describe('an address with too many failures', () => {
  const refused = (seconds: number) =>
    `SERVER_ERROR too many failed sign-ins from your address; try again in ${seconds} seconds\r\n`;

  test('is refused for a while, also with a token that is right', async () => {
    const door = await testDoor({ signInLimits: { failuresPerAddressMax: 3 } });
    await door.signedIn({ project: OTHER_PROJECT, token: OTHER_TOKEN });
    const client = await door.connect();
    client.send(set('oauth', 'wrong').repeat(4));
    expect(await client.take((FAILURE.repeat(3) + refused(60)).length)).toBe(FAILURE.repeat(3) + refused(60));
    const another = await door.connect();
    door.clock.advance(20_000);
    expect(await another.ask(signInCommand())).toBe(refused(40));
    expect(await another.ask('get k\r\n')).toBe(UNAUTHENTICATED);
    // Attempts do not prolong it.
    door.clock.advance(40_000);
    expect(await another.ask(signInCommand())).toBe('STORED\r\n');
  });

  test('is not refused where a token was right before', async () => {
    const door = await testDoor({ signInLimits: { failuresPerAddressMax: 3 } });
    await door.signedIn();
    const stranger = await door.connect();
    stranger.send(set('oauth', 'wrong').repeat(3));
    await stranger.take(3 * FAILURE.length);
    expect(await (await door.connect()).ask(signInCommand())).toBe('STORED\r\n');
  });

  // Nobody guesses what is known: an expired token of many clients would lock out all others behind their address.
  test.each([
    ['has expired', claim({ token: 'expired' })],
    ['is for another project', claim({ token: 'foreign' })],
    ['may only administer', claim({ token: 'admin' })],
    ['is shown for a project that is none', claim({ token: 'foreign', project: 'f'.repeat(24) })],
  ])('has none by a token that is known, but %s', async (_what, value) => {
    const clock = testClock();
    const credentials = {
      projects: [project(PROJECT), project(OTHER_PROJECT)],
      tokens: [
        token('expired', [PROJECT], { expiresAt: clock.now() }),
        token('foreign', [OTHER_PROJECT]),
        token('admin', '*', { permissions: ['admin'] }),
        token('newcomer', [PROJECT]),
      ],
    };
    const door = await testDoor({ credentials, clock, signInLimits: { failuresPerAddressMax: 3 } });
    const client = await door.connect();
    client.send(set('oauth', value).repeat(4));
    expect(await client.take(4 * FAILURE.length)).toBe(FAILURE.repeat(4));
    expect(await (await door.connect()).ask(signInCommand({ token: 'newcomer' }))).toBe('STORED\r\n');
  });

  test('loses each connection after as many attempts as ever', async () => {
    const door = await testDoor({
      limits: { signInFailuresMax: 5 },
      signInLimits: { failuresPerAddressMax: 2 },
    });
    const client = await door.connect();
    client.send(set('oauth', 'wrong').repeat(10));
    expect(await client.rest()).toBe(FAILURE.repeat(2) + refused(60).repeat(3));
  });
});

describe('after sign-in', () => {
  transcript('oauth is an ordinary key', [
    ['get oauth\r\n', 'END\r\n'],
    [set('oauth', 'hello', '7 0'), 'STORED\r\n'],
    ['get oauth\r\n', 'VALUE oauth 7 5\r\nhello\r\nEND\r\n'],
    [set('oauth', claim({ project: OTHER_PROJECT, token: OTHER_TOKEN })), 'STORED\r\n'],
    ['delete oauth\r\n', 'DELETED\r\n'],
    ['ms oauth 1 c\r\na\r\n', 'HD c3\r\n'],
  ]);

  test('a second claim is stored and changes nothing', async () => {
    const door = await testDoor();
    const client = await door.signedIn({ cache: 'mine' });
    expect(await client.ask(signInCommand({ cache: 'another' }))).toBe('STORED\r\n');
    expect(await client.ask('set k 0 0 1\r\na\r\n')).toBe('STORED\r\n');
    expect(await door.engine.cache(PROJECT, 'mine').info()).toMatchObject({ items: 2 });
    expect(await door.engine.cache(PROJECT, 'another').info()).toBeUndefined();
  });
});
