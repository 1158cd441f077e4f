import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { TokenBook } from '../../src/auth/token-book.ts';
import { Refusal } from '../../src/engine/errors.ts';
import type { Store } from '../../src/engine/store.ts';
import { FailedSignIns } from '../../src/limits/failed-sign-ins.ts';
import { RequestRates } from '../../src/limits/request-rate.ts';
import { Batch } from '../../src/memcached/batch.ts';
import { CommandMeter } from '../../src/memcached/command-meter.ts';
import { BufferPool } from '../../src/memcached/connections/buffer-pool.ts';
import type { ServerStatus } from '../../src/memcached/server-status.ts';
import { Session } from '../../src/memcached/session.ts';
import { RequestMeter } from '../../src/metrics/request-meter.ts';
import { CROWD_MIN, UNCOUNTED_REQUESTS } from '../../src/sockets/crowd.ts';
import { SIGN_IN_LIMITS, TWO_PROJECTS, token } from '../support/credentials.ts';
import { Faults, faultyStore } from '../support/faulty-store.ts';
import { lateStore } from '../support/late-store.ts';
import {
  OTHER_PROJECT,
  OTHER_TOKEN,
  PROJECT,
  signInCommand,
  TOKEN,
  testDoor,
} from '../support/memcached-door.ts';
import { transcript } from '../support/transcript.ts';

const STATUS: ServerStatus = {
  startedAt: 0,
  version: '1.2.3',
  maxConnections: 1,
  address: { host: '127.0.0.1', port: 0 },
  valueBytesMax: 1_048_576,
  memoryBytesMax: 1_048_576,
  idleTimeoutSeconds: 0,
  connections: { current: 1, total: 1, rejected: 0 },
  bytes: { read: 0, written: 0 },
  signIns: { total: 0, failed: 0 },
};

const OTHER = { project: OTHER_PROJECT, token: OTHER_TOKEN };

function set(key: string, value: string): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

describe('two tenants with the same names', () => {
  async function bothTenants() {
    const door = await testDoor();
    const mine = await door.signedIn({ cache: 'same' });
    const theirs = await door.signedIn({ ...OTHER, cache: 'same' });
    await mine.ask(set('key', 'mine'));
    await theirs.ask(set('key', 'theirs'));
    return { door, mine, theirs };
  }

  test('each reads its own', async () => {
    const { mine, theirs } = await bothTenants();
    mine.send('get key\r\n');
    expect(await mine.takeThrough('END\r\n')).toBe('VALUE key 0 4\r\nmine\r\nEND\r\n');
    theirs.send('get key\r\n');
    expect(await theirs.takeThrough('END\r\n')).toBe('VALUE key 0 6\r\ntheirs\r\nEND\r\n');
  });

  test('each flushes and deletes its own', async () => {
    const { mine, theirs } = await bothTenants();
    expect(await mine.ask('flush_all\r\n')).toBe('OK\r\n');
    expect(await mine.ask('mg key v\r\n')).toBe('EN\r\n');
    expect(await theirs.ask('mg key s\r\n')).toBe('HD s6\r\n');
    expect(await mine.ask('delete key\r\n')).toBe('NOT_FOUND\r\n');
    expect(await theirs.ask('delete key\r\n')).toBe('DELETED\r\n');
  });

  test('each lists and counts its own', async () => {
    const { mine, theirs } = await bothTenants();
    await theirs.ask(set('secret-name', 'x'));
    mine.send('lru_crawler metadump all\r\n');
    const listing = await mine.takeThrough('END\r\n');
    expect(listing.match(/^key=/gm)).toHaveLength(1);
    expect(listing).not.toContain('secret-name');
    mine.send('stats\r\n');
    const stats = await mine.takeThrough('END\r\n');
    expect(stats).toContain('STAT curr_items 1\r\n');
    expect(stats).toContain('STAT cmd_set 1\r\n');
    theirs.send('stats\r\n');
    expect(await theirs.takeThrough('END\r\n')).toContain('STAT curr_items 2\r\n');
  });

  test('two caches of one project are two, also', async () => {
    const { door, mine } = await bothTenants();
    const another = await door.signedIn({ cache: 'another' });
    expect(await another.ask('mg key v\r\n')).toBe('EN\r\n');
    await another.ask('flush_all\r\n');
    expect(await mine.ask('mg key s\r\n')).toBe('HD s4\r\n');
  });
});

describe('a cache under an open connection', () => {
  test('is empty when it was deleted, and the next write makes it anew', async () => {
    const door = await testDoor();
    const client = await door.signedIn({ cache: 'c' });
    await client.ask(set('key', 'old'));
    expect(await door.engine.cache(PROJECT, 'c').drop()).toBe(true);
    expect(await client.ask('get key\r\n')).toBe('END\r\n');
    expect(await client.ask('delete key\r\n')).toBe('NOT_FOUND\r\n');
    expect(await client.ask('flush_all\r\n')).toBe('OK\r\n');
    client.send('stats items\r\n');
    expect(await client.line()).toBe('END\r\n');
    expect(await door.engine.list(PROJECT, 0, 10)).toEqual([]);
    expect(await client.ask(set('key', 'new'))).toBe('STORED\r\n');
    expect(await door.engine.list(PROJECT, 0, 10)).toMatchObject([{ name: 'c', items: 1 }]);
  });

  test('shows what others write to it', async () => {
    const door = await testDoor();
    const [one, two] = [await door.signedIn(), await door.signedIn()];
    await one.ask(set('n', '5'));
    expect(await two.ask('incr n 1\r\n')).toBe('6\r\n');
    expect(await one.ask('incr n 1\r\n')).toBe('7\r\n');
  });
});

describe('a store that answers later', () => {
  const late = { around: lateStore };

  transcript(
    'keeps the order of the answers',
    [
      [set('a', '1'), 'STORED\r\n'],
      ['version\r\n', 'VERSION 1.6.18\r\n'],
      ['incr a 5\r\n', '6\r\n'],
      ['mn\r\n', 'MN\r\n'],
      ['set b 7 0 1 noreply\r\nx\r\n', ''],
      ['get a b c\r\n', 'VALUE a 0 1\r\n6\r\nVALUE b 7 1\r\nx\r\nEND\r\n'],
      ['nonsense\r\n', 'ERROR\r\n'],
      ['gat 10 b a\r\n', 'VALUE b 7 1\r\nx\r\nVALUE a 0 1\r\n6\r\nEND\r\n'],
      ['mg a t v\r\n', 'VA 1 t10\r\n6\r\n'],
      ['mg a q\r\n', 'HD\r\n'],
      ['mg nothing q\r\n', ''],
      ['delete b\r\n', 'DELETED\r\n'],
      ['touch a 0\r\n', 'TOUCHED\r\n'],
      ['set a 0 0 2\r\nabcd\r\n', 'CLIENT_ERROR bad data chunk\r\nERROR\r\n'],
      [`set b 0 0 2000000\r\n${'x'.repeat(2_000_000)}\r\n`, 'SERVER_ERROR object too large for cache\r\n'],
      ['ma a N0 v\r\n', 'VA 1\r\n7\r\n'],
      ['ms a 1 c\r\nz\r\n', 'HD c5\r\n'],
      ['flush_all\r\n', 'OK\r\n'],
      ['get a b\r\n', 'END\r\n'],
    ],
    late,
  );

  test('lists a cache, and answers what was sent behind', async () => {
    const client = await (await testDoor(late)).signedIn();
    const keys = Array.from({ length: 50 }, (_, i) => `key${i}`);
    client.send(`${keys.map((key) => set(key, 'v')).join('')}lru_crawler metadump all\r\nget key7\r\nmn\r\n`);
    const answer = await client.takeThrough('MN\r\n');
    const listing = answer.slice('STORED\r\n'.length * 50);
    expect(listing.match(/(?<=^key=)\S+/gm)?.sort()).toEqual(keys.sort());
    expect(listing.endsWith('\nEND\r\nVALUE key7 0 1\r\nv\r\nEND\r\nMN\r\n')).toBe(true);
  });

  test('gives all answers to a client that ends its side at once', async () => {
    const door = await testDoor(late);
    const client = await door.connect({ allowHalfOpen: true });
    client.socket.end(`${signInCommand()}${set('a', '1')}incr a 1\r\nget a\r\n`);
    expect(await client.rest()).toBe('STORED\r\nSTORED\r\n2\r\nVALUE a 0 1\r\n2\r\nEND\r\n');
  });

  test('of many clients that store at once, each gets its own', async () => {
    const door = await testDoor(late);
    const clients = await Promise.all(Array.from({ length: 20 }, () => door.signedIn()));
    const values = clients.map((_, i) => String.fromCharCode(97 + i).repeat(3_000));
    for (const [i, client] of clients.entries()) {
      client.send(`${set(`k${i}`, values[i] ?? '')}get k${i} k${i}\r\n`);
    }
    const answers = await Promise.all(clients.map((client) => client.takeThrough('END\r\n')));
    answers.forEach((answer, i) => {
      const hit = `VALUE k${i} 0 3000\r\n${values[i]}\r\n`;
      expect(answer).toBe(`STORED\r\n${hit}${hit}END\r\n`);
    });
  });

  test('may be left by its client at any time', async () => {
    const door = await testDoor(late);
    const client = await door.signedIn();
    client.send('get a\r\n'.repeat(1000));
    client.destroy();
    expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
    expect(door.logged).toEqual([]);
  });
});

/** A session without a socket, signed in to a cache of the door, by a listener's own right unless told otherwise. */
function boundSession(
  door: Awaited<ReturnType<typeof testDoor>>,
  {
    write,
    end = () => {},
    waiting = () => 0,
    needsDrain = () => false,
    buffers = new BufferPool(),
    requestTimeoutMs = 0,
    grant = door.tokens.boundGrant(PROJECT),
  }: {
    write: (text: string) => void;
    end?: () => void;
    waiting?: () => number;
    needsDrain?: () => boolean;
    buffers?: BufferPool;
    requestTimeoutMs?: number;
    grant?: ReturnType<TokenBook['boundGrant']>;
  },
) {
  if (!grant) throw new Error('the door has no such project');
  const batch = new Batch();
  const session = new Session({
    engine: door.engine,
    tokens: door.tokens,
    server: STATUS,
    buffers,
    batch,
    moment: door.clock,
    connection: {
      write: (bytes) => {
        write(bytes.toString('latin1'));
        return true;
      },
      waiting,
      needsDrain,
      pause: () => {},
      resume: () => {},
      expectDrain: () => {},
      end,
      abort: () => {},
    },
    lineBytesMax: 2048,
    onLongLine: () => {},
    unansweredBytesMax: 65_536,
    patience: { signInTimeoutMs: 0, requestTimeoutMs },
    signIns: new FailedSignIns(SIGN_IN_LIMITS, door.clock.now, { warn() {} }),
    rates: new RequestRates(0, door.clock.now),
    address: '',
    failuresMax: 1,
    meter: new CommandMeter(new RequestMeter('memcached'), 0),
    onBug: () => {},
    bound: { cache: door.engine.cache(PROJECT, 'bound'), grant },
    onSlow: () => {},
    onSignInFailure: () => {},
  });
  return { session, batch };
}

test('what a connection brings although it was told to pause waits for its turn', async () => {
  const door = await testDoor({ around: lateStore });
  const written: string[] = [];
  await new Promise<void>((end) => {
    const { session } = boundSession(door, { write: (text) => written.push(text), end });
    const chunk = Buffer.alloc(100);
    for (const more of ['ms a 1 k Oone\r\n1\r\nincr a 1\r\nge', 't a\r\nver', 'sion\r\n', 'quit\r\n']) {
      chunk.fill('x');
      chunk.write(more);
      session.receive(chunk.subarray(0, more.length));
    }
  });
  expect(written.join('')).toBe('HD ka Oone\r\n2\r\nVALUE a 0 1\r\n2\r\nEND\r\nVERSION 1.6.18\r\n');
});

test('where few ask at a time, each is answered at once; where many do, at the end of the turn', async () => {
  const written: string[] = [];
  const { session, batch } = boundSession(await testDoor(), { write: (text) => written.push(text) });
  session.receive(Buffer.from('mn\r\n'));
  expect(written).toEqual(['MN\r\n']);
  // The first one was counted alone.
  for (let i = 0; i < UNCOUNTED_REQUESTS + CROWD_MIN; i++) batch.crowd.grow();
  await nextTurn();
  session.receive(Buffer.from('mn\r\n'));
  expect(written).toEqual(['MN\r\n']);
  await nextTurn();
  expect(written).toEqual(['MN\r\n', 'MN\r\n']);
  session.receive(Buffer.from('mn\r\n'));
  expect(written).toEqual(['MN\r\n', 'MN\r\n', 'MN\r\n']);
});

test('what waits for the end of the turn is answered before what comes behind it, and before a stop', async () => {
  const written: string[] = [];
  const { session, batch } = boundSession(await testDoor(), {
    write: (text) => written.push(text),
    end: () => written.push('the end'),
  });
  for (let i = 0; i < CROWD_MIN; i++) batch.crowd.grow();
  await nextTurn();
  const chunk = Buffer.from('mn\r\nver');
  session.receive(chunk);
  chunk.fill('x');
  expect(written).toEqual([]);
  session.receive(Buffer.from('sion\r\nmn\r\n'));
  session.stop();
  await nextTurn();
  expect(written.join('')).toBe('MN\r\nVERSION 1.6.18\r\nMN\r\nthe end');
});

test.each(['before', 'after'])(
  'what waits for the end of the turn is answered in order though its client took what it was sent %s that',
  async (when) => {
    const door = await testDoor();
    const written: string[] = [];
    let isBehind = false;
    const { session, batch } = boundSession(door, {
      write: (text) => written.push(text),
      needsDrain: () => isBehind,
    });
    const take = () => {
      isBehind = false;
      session.drained();
    };
    const listedInParts = 5000;
    for (let i = 0; i < listedInParts; i++) {
      session.receive(Buffer.from(`set key${i} 0 0 1 noreply\r\n1\r\n`));
    }
    for (let i = 0; i < UNCOUNTED_REQUESTS + CROWD_MIN; i++) batch.crowd.grow();
    await nextTurn();
    session.receive(Buffer.from('mn\r\n'));
    session.receive(Buffer.from('lru_crawler metadump all\r\nversion\r\n'));
    isBehind = true;
    // Others, with whose replies the first one leaves.
    for (let i = 0; i < 15; i++) batch.sendSoon({ leave: () => {} });
    expect(written).toEqual(['MN\r\n']);
    if (when === 'before') take();
    await nextTurn();
    if (when === 'after') take();
    await vi.waitFor(() => expect(written.join('')).toMatch(/END\r\n.*VERSION|VERSION.*END\r\n/s));
    expect(written.join('')).toMatch(/END\r\nVERSION 1\.6\.18\r\n$/);
  },
);

test('a listing ends with the refusal instead of END where the token may only write meanwhile', async () => {
  const door = await testDoor();
  const grant = door.tokens.check(PROJECT, TOKEN);
  const written: string[] = [];
  let isBehind = false;
  const { session } = boundSession(door, {
    write: (text) => written.push(text),
    needsDrain: () => isBehind,
    ...(typeof grant === 'object' && { grant }),
  });
  const listedInParts = 5000;
  for (let i = 0; i < listedInParts; i++) {
    session.receive(Buffer.from(`set key${i} 0 0 1 noreply\r\n1\r\n`));
  }
  isBehind = true;
  session.receive(Buffer.from('lru_crawler metadump all\r\nmn\r\n'));
  await vi.waitFor(() => expect(written).not.toEqual([]));
  door.tokens.update({ ...TWO_PROJECTS, tokens: [token(TOKEN, [PROJECT], { permissions: ['write'] })] });
  isBehind = false;
  session.drained();
  await vi.waitFor(() => expect(written.at(-1)).toMatch(/MN\r\n$/));
  const [listed, refused] = written.join('').split('CLIENT_ERROR');
  // It is told once.
  session.receive(Buffer.from('mn\r\n'));
  await vi.waitFor(() => expect(written.at(-1)).toBe('MN\r\n'));
  expect(listed).toMatch(/^(key=.*\n)+$/);
  expect(refused).toBe(' this token may not read\r\nMN\r\n');
});

test('while its client does not read, a listing is not what the client waits for; once that is gone, it is over', async () => {
  const door = await testDoor();
  const cache = door.engine.cache(PROJECT, 'bound');
  const list = cache.list.bind(cache);
  let isOver = false;
  vi.spyOn(cache, 'list').mockImplementation(async function* () {
    try {
      yield* list();
    } finally {
      isOver = true;
    }
  });
  let isBehind = false;
  let written = false;
  const write = () => {
    written = true;
  };
  const { session } = boundSession(door, { write, needsDrain: () => isBehind });
  const listedInParts = 5000;
  for (let i = 0; i < listedInParts; i++) {
    session.receive(Buffer.from(`set key${i} 0 0 1 noreply\r\n1\r\n`));
  }
  session.receive(Buffer.from('lru_crawler metadump all\r\n'));
  expect(session.isAnswering).toBe(true);
  isBehind = true;
  expect(session.isAnswering).toBe(false);
  await vi.waitFor(() => expect(written).toBe(true));
  expect(isOver).toBe(false);
  session.abandon();
  await vi.waitFor(() => expect(isOver).toBe(true));
});

test('a client that did not read for a while has all the time there is for the command that it had begun', async () => {
  const door = await testDoor();
  const written: string[] = [];
  let waiting = 0;
  const { session } = boundSession(door, {
    write: (text) => written.push(text),
    waiting: () => waiting,
    requestTimeoutMs: 100,
  });
  session.receive(Buffer.from('mn\r\nset k 0 0 '));
  session.losePatience();
  waiting = 65_536;
  session.receive(Buffer.from('2\r\n1'));
  door.clock.advance(200);
  session.losePatience();
  waiting = 0;
  session.drained();
  door.clock.advance(99);
  session.losePatience();
  session.receive(Buffer.from('2\r\n'));
  expect(written).toEqual(['MN\r\n', 'STORED\r\n']);
});

test('a long get whose client has to read first is answered to its end, though its line is long gone', async () => {
  const door = await testDoor();
  const written: string[] = [];
  let waiting = 0;
  const write = (text: string) => {
    written.push(text);
    waiting += text.length;
  };
  const { session } = boundSession(door, { write, waiting: () => waiting });
  const keys = ['one', 'two', 'three'];
  for (const key of keys) session.receive(Buffer.from(set(key, key.repeat(1000))));
  written.length = 0;
  const asked = Array.from({ length: 90 }, (_, i) => keys[i % 3] as string);
  const chunk = Buffer.from(`get ${asked.join(' ')}\r\nmn\r\n`);
  session.receive(chunk);
  chunk.fill('x');
  const answers = asked.map((key) => `VALUE ${key} 0 ${1000 * key.length}\r\n${key.repeat(1000)}\r\n`);
  while (written.at(-1)?.endsWith('MN\r\n') !== true) {
    await nextTurn();
    waiting = 0;
    session.drained();
  }
  expect(written.length).toBeGreaterThan(1);
  expect(written.join('')).toBe(`${answers.join('')}END\r\nMN\r\n`);
});

test('a client that goes in the middle of a value leaves its buffer to the next', async () => {
  const buffers = new BufferPool();
  const { session } = boundSession(await testDoor(), { write: () => {}, buffers });
  session.receive(Buffer.from(`set k 0 0 100000\r\n${'here '.repeat(100)}`));
  session.abandon();
  expect(buffers.take(100_000).bytes.toString('latin1', 0, 500)).toBe('here '.repeat(100));
});

test('what was answered in a crowd is not written to a client that is gone', async () => {
  const written: string[] = [];
  const { session, batch } = boundSession(await testDoor(), { write: (text) => written.push(text) });
  for (let i = 0; i < CROWD_MIN; i++) batch.crowd.grow();
  await nextTurn();
  session.receive(Buffer.from('mn\r\n'));
  session.abandon();
  await nextTurn();
  expect(written).toEqual([]);
});

test('a client whose token was revoked holds its cache no longer, and gives up nobody else’s part of it', async () => {
  const tokens = [token('one', [PROJECT]), token('two', [PROJECT])];
  const door = await testDoor({ credentials: { ...TWO_PROJECTS, tokens } });
  const [one] = [await door.signedIn({ token: 'one' }), await door.signedIn({ token: 'two' })];
  const cache = door.engine.cache(PROJECT, 'first-cache');
  expect(cache.holders).toBe(2);
  door.tokens.update({ ...TWO_PROJECTS, tokens: tokens.slice(1) });
  expect(await one.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
  expect(cache.holders).toBe(1);
  expect(await one.ask('quit\r\n')).toBe('');
  await vi.waitFor(() => expect(door.listener.figures.connectionsOpen).toBe(1));
  expect(cache.holders).toBe(1);
});

test('the clock stands still while what came is answered, from when it was read on', async () => {
  const door = await testDoor();
  const events: (string | number)[] = [];
  vi.spyOn(door.clock, 'hold').mockImplementation((at) => events.push(at));
  vi.spyOn(door.clock, 'release').mockImplementation(() => events.push('released'));
  const { session } = boundSession(door, { write: (text) => events.push(text) });
  const before = performance.now();
  session.receive(Buffer.from('mn\r\nmn\r\n'));
  expect(events).toEqual([expect.any(Number), 'MN\r\nMN\r\n', 'released']);
  expect(events[0]).toBeGreaterThanOrEqual(before);
  expect(events[0]).toBeLessThanOrEqual(performance.now());
});

const stores: [string, (store: Store) => Store][] = [
  ['at once', (store) => store],
  ['later', lateStore],
];

describe.each(stores)('a store that fails %s', (_when, timing) => {
  async function failing(options = {}) {
    const faults = new Faults();
    const door = await testDoor({ ...options, around: (store) => timing(faultyStore(store, faults)) });
    return { faults, door, client: await door.signedIn(), other: await door.signedIn() };
  }

  test('by a bug: the client is told, the owner reads it, everyone goes on', async () => {
    const { faults, door, client, other } = await failing();
    const bug = new TypeError('a bug');
    faults.inject('write', bug);
    client.send(`${set('a', '1')}get a\r\n${set('a', '2')}`);
    expect(await client.takeThrough('STORED\r\n')).toBe('SERVER_ERROR internal error\r\nEND\r\nSTORED\r\n');
    expect(door.logged).toMatchObject([{ level: 'error', details: { err: bug } }]);
    expect(await other.ask('mg a s\r\n')).toBe('HD s1\r\n');
  });

  test.each([
    ['read', 'get a\r\n'],
    ['write', 'delete a\r\n'],
    ['read', 'mg a v\r\n'],
    ['write', 'mg a v h\r\n'],
    ['clear', 'flush_all\r\n'],
    ['info', 'stats\r\n'],
    ['list', 'lru_crawler metadump all\r\n'],
  ] as const)('by a bug in %s: %j is answered', async (operation, command) => {
    const { faults, client } = await failing();
    await client.ask(set('a', '1'));
    faults.inject(operation, new TypeError('a bug'));
    expect(await client.ask(command)).toBe('SERVER_ERROR internal error\r\n');
    expect(await client.ask('mn\r\n')).toBe('MN\r\n');
  });

  test('by a bug: noreply stays silent', async () => {
    const { faults, client } = await failing();
    faults.inject('write', new TypeError('a bug'));
    client.send('set a 0 0 1 noreply\r\n1\r\nmn\r\n');
    expect(await client.line()).toBe('MN\r\n');
  });

  test('again and again, also when the old value is to be taken away', async () => {
    const { faults, door, client, other } = await failing();
    faults.inject('write', new Refusal('store_unavailable', 'gone'), 4);
    client.send(`${set('a', '1')}ms a 1\r\n1\r\nmn\r\n`);
    expect(await client.takeThrough('MN\r\n')).toBe(
      `${'SERVER_ERROR changes cannot be kept now, reading goes on; try again later\r\n'.repeat(2)}MN\r\n`,
    );
    expect(await other.ask(set('a', '1'))).toBe('STORED\r\n');
    expect(door.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('also when a value that is too large should take the old one away', async () => {
    const { faults, client } = await failing({ valueBytesMax: 10 });
    faults.inject('write', new Refusal('store_unavailable', 'gone'), 2);
    client.send(`${set('a', 'x'.repeat(11))}mn\r\n`);
    expect(await client.takeThrough('MN\r\n')).toMatch(/^SERVER_ERROR [^\r]+\r\nMN\r\n$/);
  });

  test('by having no memory: the old value is gone, everyone goes on', async () => {
    const { client, other } = await failing({ bytesMax: 4096 });
    const large = 'x'.repeat(5000);
    expect(await client.ask(set('a', 'old'))).toBe('STORED\r\n');
    expect(await client.ask(set('a', large))).toBe('SERVER_ERROR out of memory storing object\r\n');
    expect(await client.ask('mg a v\r\n')).toBe('EN\r\n');
    expect(await client.ask(`add b 0 0 5000\r\n${large}\r\n`)).toBe(
      'SERVER_ERROR out of memory storing object\r\n',
    );
    expect(await client.ask(`ms b 5000 q\r\n${large}\r\n`)).toBe(
      'SERVER_ERROR out of memory storing object\r\n',
    );
    expect(await other.ask(set('b', 'small'))).toBe('STORED\r\n');
  });

  test('by having no room for another cache', async () => {
    const { door, client } = await failing({ cachesMax: 1 });
    await client.ask(set('a', '1'));
    const more = await door.signedIn({ cache: 'one-more' });
    expect(await more.ask('get a\r\n')).toBe('END\r\n');
    expect(await more.ask(set('a', '1'))).toBe('SERVER_ERROR the project has too many caches\r\n');
    expect(await more.ask('mn\r\n')).toBe('MN\r\n');
  });
});
