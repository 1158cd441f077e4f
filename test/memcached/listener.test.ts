import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectByTls } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Store, StoredCache } from '../../src/engine/store.ts';
import type { ClientCertificateRules } from '../../src/memcached/client-certificate.ts';
import { BufferPool } from '../../src/memcached/connections/buffer-pool.ts';
import { SocketConnection } from '../../src/memcached/connections/socket-connection.ts';
import { TWO_PROJECTS } from '../support/credentials.ts';
import { lateStore } from '../support/late-store.ts';
import { MemcachedClient } from '../support/memcached-client.ts';
import { type Door, type DoorOptions, PROJECT, signInCommand, testDoor } from '../support/memcached-door.ts';

const VALUE = 'v'.repeat(10_000);
const VALUE_REPLY = `VALUE k 0 ${VALUE.length}\r\n${VALUE}\r\nEND\r\n`;

function set(key: string, value: string): string {
  return `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;
}

async function stat(client: MemcachedClient, name: string): Promise<number> {
  client.send('stats\r\n');
  const stats = await client.takeThrough('END\r\n');
  return Number(new RegExp(`^STAT ${name} (\\d+)`, 'm').exec(stats)?.[1]);
}

// Until the server has worked off what it can of what was sent to it.
async function untilSteady(door: Door): Promise<number> {
  const observer = await door.signedIn();
  for (let before = -1; ; ) {
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    const written = await stat(observer, 'bytes_written');
    // A round of this very question takes a few kilobytes.
    if (written - before < 10_000) return written;
    before = written;
  }
}

describe('a client that always has more to say lets others have their turn', () => {
  // How much of it is done at most between two looks of the event loop at everything else.
  async function donePerTurn(sent: string, counter: 'sets' | 'getMisses', total: number): Promise<number> {
    const door = await testDoor({ limits: { lineBytesMax: 1024 * 1024 } });
    const client = await door.signedIn();
    const { statistics } = door.engine.cache(PROJECT, 'first-cache');
    client.send(sent);
    return mostPerTurn(() => statistics[counter], total);
  }

  async function mostPerTurn(done: () => number, total: number): Promise<number> {
    let most = 0;
    for (let before = done(); before < total; ) {
      await nextTurn();
      const now = done();
      most = Math.max(most, now - before);
      before = now;
    }
    return most;
  }

  test('after each chunk', async () => {
    // Where the machine is busy, a turn's time may be over in the middle of one: its rest comes with the next, then.
    const time = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => time.mockRestore());
    // One of 192 KiB holds 19 of them and a bit; the value that it ends in may be whole with the next.
    expect(await donePerTurn(set('k', VALUE).repeat(1000), 'sets', 1000)).toBeLessThanOrEqual(20);
  });

  test('after 4096 small requests of a chunk', async () => {
    // The last ones of a chunk and the first of the next may share a turn.
    expect(await donePerTurn(set('k', 'v').repeat(20_000), 'sets', 20_000)).toBeLessThan(2 * 4096);
  });

  test('after a few milliseconds of a chunk: each append to a large value copies it', async () => {
    const door = await testDoor();
    const client = await door.signedIn();
    const { statistics } = door.engine.cache(PROJECT, 'first-cache');
    expect(await client.ask(set('k', 'v'.repeat(1024 * 1024 - 3000)))).toBe('STORED\r\n');
    client.send('append k 0 0 1 noreply\r\nv\r\n'.repeat(3000));
    expect(await mostPerTurn(() => statistics.sets, 3001)).toBeLessThan(1000);
  });

  test('after a few milliseconds of all clients together', async () => {
    const door = await testDoor();
    const clients = await Promise.all(Array.from({ length: 20 }, () => door.signedIn()));
    let done = 0;
    vi.spyOn(door.engine.cache(PROJECT, 'first-cache'), 'get').mockImplementation(() => {
      for (const end = performance.now() + 0.3; performance.now() < end; );
      done++;
      return undefined;
    });
    for (const client of clients) client.send('get k\r\n'.repeat(64));
    let turns = 0;
    for (let before = 0; before < 20 * 64; before = done) {
      await nextTurn();
      if (done > before) turns++;
    }
    // Of each, the first eight may come in one turn.
    expect(turns).toBeGreaterThan((20 * 56) / 24);
  });

  test('after each listing', async () => {
    const door = await testDoor();
    const client = await door.signedIn();
    const listings = vi.spyOn(door.engine.cache(PROJECT, 'first-cache'), 'list');
    client.send('lru_crawler metadump all\r\n'.repeat(100));
    expect(await mostPerTurn(() => listings.mock.calls.length, 100)).toBe(1);
  });

  test('after 4096 lines of one', async () => {
    const door = await testDoor();
    const client = await door.signedIn();
    client.send(Array.from({ length: 10_000 }, (_, i) => `set ${i} 0 0 0 noreply\r\n\r\n`).join(''));
    expect(await client.ask('mn\r\n')).toBe('MN\r\n');
    const drained = vi.spyOn(SocketConnection.prototype, 'needsDrain');
    onTestFinished(() => drained.mockRestore());
    client.send('lru_crawler metadump all\r\n');
    await client.takeThrough('END\r\n');
    expect(drained.mock.calls.length).toBeGreaterThanOrEqual(2);
  });

  test('after 4096 keys of a get', async () => {
    const total = 100_000;
    expect(await donePerTurn(`get${' k'.repeat(total)}\r\n`, 'getMisses', total)).toBeLessThanOrEqual(4096);
  });
});

describe('what is no text protocol', () => {
  // Each with an opaque that its answer has, too.
  const binary = (opcode: string, body = '') =>
    `\x80${opcode}\0\0\0\0\0\0\0\0${String.fromCharCode(body.length >> 8, body.length & 0xff)}\x01\x02\x03\x04${'\0'.repeat(8)}${body}`;
  const TEXT = 'This server speaks the text (ASCII) protocol only.';
  const binaryError = (opcode: string) =>
    `\x81${opcode}\0\0\0\0\0\x81\0\0\0${String.fromCharCode(TEXT.length)}\x01\x02\x03\x04${'\0'.repeat(8)}${TEXT}`;

  test('a client of the binary protocol is told so at every request, and one line says what to change', async () => {
    const door = await testDoor();
    const client = await door.connect();
    const asked = binary('\x0b') + binary('\x01', `${'\0'.repeat(8)}kget k\r\n`) + binary('\0', 'k');
    const told = binaryError('\x0b') + binaryError('\x01') + binaryError('\0');
    client.send(asked);
    expect(await client.take(told.length)).toBe(told);
    await client.sendByteByByte(asked);
    expect(await client.take(told.length)).toBe(told);
    const other = await door.signedIn();
    other.send('stats\r\nquit\r\n');
    const written = 2 * told.length + 'STORED\r\n'.length;
    expect(await other.rest()).toContain(`STAT bytes_written ${written}\r\n`);
    expect(door.logged).toHaveLength(1);
    expect(door.logged[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('binary') });
  });

  test('also behind a value of any size', async () => {
    const door = await testDoor();
    const client = await door.connect();
    const large = Buffer.from(binary('\x01'), 'latin1');
    large.writeUInt32BE(3_000_000, 8);
    client.send(large.toString('latin1') + 'v'.repeat(3_000_000) + binary('\0', 'k'));
    const told = binaryError('\x01') + binaryError('\0');
    expect(await client.take(told.length)).toBe(told);
  });

  test('it is closed once it speaks otherwise, and when it could sign in no more', async () => {
    const door = await testDoor({ limits: { signInTimeoutMs: 100 } });
    const [client, another] = [await door.connect(), await door.connect()];
    client.send(`${binary('\x0b')}get ${'k'.repeat(100)}\r\n`);
    expect(await client.rest()).toBe(binaryError('\x0b'));
    another.send(binary('\x0b') + binary('\x0b').slice(0, 14));
    expect(await another.take(binaryError('\x0b').length)).toBe(binaryError('\x0b'));
    // It is told so in no other terms.
    door.clock.advance(100);
    expect(await another.rest()).toBe('');
  });

  test('it may go on for a moment when it is told to go, and does not stay because it does not close its side', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const door = await testDoor();
    const observer = await door.signedIn();
    const stubborn = await door.connect({ allowHalfOpen: true });
    stubborn.send(`${binary('\x0b')}get k\r\n`);
    await stubborn.rest();
    stubborn.send('get k\r\n');
    for (let i = 0; i < 20; i++) await observer.ask('mn\r\n');
    expect(await stat(observer, 'curr_connections')).toBe(2);
    vi.advanceTimersByTime(250);
    while ((await stat(observer, 'curr_connections')) > 1) await nextTurn();
  });

  test('it is closed when it goes on without reading what it is told', async () => {
    const { socket } = await (await testDoor()).connect();
    socket.pause();
    for (; !socket.destroyed; await nextTurn()) {
      if (!socket.writableNeedDrain) socket.write(binary('\x0a').repeat(5000), 'latin1');
    }
  });

  test('the byte 0x80 is nothing special later on', async () => {
    const client = await (await testDoor()).signedIn();
    expect(await client.ask('\x80\r\n')).toBe('ERROR\r\n');
    expect(await client.ask(set('\x80', '\x80'))).toBe('STORED\r\n');
  });

  test('a web browser that has signed in is closed, one that has not, too', async () => {
    const door = await testDoor();
    for (const client of [await door.signedIn(), await door.connect()]) {
      client.send('GET /get%20k HTTP/1.1\r\nHost: localhost\r\n\r\nset k 0 0 1\r\na\r\n');
      expect(await client.rest()).toBe('');
    }
  });
});

// The column of timers tells it: 02 is that for keepalives.
test.runIf(process.platform === 'linux')(
  'the system asks a silent client whether it is still there',
  async () => {
    const door = await testDoor();
    const { socket } = await door.signedIn();
    const hex = (port: number | undefined) => Number(port).toString(16).toUpperCase().padStart(4, '0');
    const ends = new RegExp(`:${hex(door.port)} \\w+:${hex(socket.localPort)} 01 \\w+:\\w+ (\\w+):`);
    expect(ends.exec(readFileSync('/proc/net/tcp', 'utf8'))?.[1]).toBe('02');
  },
);

describe('limits', () => {
  test('a line that is too long ends its connection and no other', async () => {
    const door = await testDoor({ limits: { lineBytesMax: 4096 } });
    const client = await door.signedIn();
    expect(await client.ask(`get ${'k '.repeat(2000)}\r\n`)).toBe('END\r\n');
    client.send(`get ${'k '.repeat(2100)}\r\n`);
    expect(await client.rest()).toBe('CLIENT_ERROR line too long\r\n');
    expect(door.logged.map(({ message }) => message)).toEqual([
      expect.stringContaining('IRONCACHED_MEMCACHED_MAX_LINE'),
    ]);
    expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
  });

  test('a long line is for who has signed in', async () => {
    const door = await testDoor({ limits: { lineBytesMax: 1_000_000 } });
    const line = `get ${'k '.repeat(450_000)}\r\n`;
    expect(await (await door.signedIn()).ask(line)).toBe('END\r\n');
    const stranger = await door.connect();
    stranger.send(line);
    expect(await stranger.rest()).toBe('CLIENT_ERROR line too long\r\n');
  });

  test('a connection too many is told so and closed; when another ends, there is room again', async () => {
    const door = await testDoor({ limits: { connections: { max: 2, perAddressMax: 0 } } });
    const [first, second] = [await door.signedIn(), await door.signedIn()];
    const third = await door.connect();
    expect(await third.rest()).toBe('ERROR Too many open connections\r\n');
    expect(await stat(first, 'rejected_connections')).toBe(1);
    second.send('quit\r\n');
    await second.rest();
    while ((await stat(first, 'curr_connections')) > 1) await nextTurn();
    expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
  });

  test('a connection too many does not stay because its client does', async () => {
    const door = await testDoor({ limits: { connections: { max: 1, perAddressMax: 0 } } });
    await door.signedIn();
    const stubborn = await door.connect({ allowHalfOpen: true });
    stubborn.send(signInCommand());
    await stubborn.rest();
    // A listener is stopped when all its connections are.
    await door.listener.stop(10);
  });

  test('an address that has too many connections is told so; when one ends, there is room again', async () => {
    const door = await testDoor({ limits: { connections: { max: 100, perAddressMax: 2 } } });
    const [first, second] = [await door.signedIn(), await door.signedIn()];
    const third = await door.connect();
    expect(await third.rest()).toBe('ERROR Too many open connections from your address\r\n');
    expect(await (await door.connect()).rest()).toContain('from your address');
    second.destroy();
    while ((await stat(first, 'curr_connections')) > 1) await nextTurn();
    expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
    // However many are refused, the log has one line.
    expect(door.logged).toEqual([
      {
        level: 'warn',
        details: { door: 'memcached', address: '127.0.0.1', refusal: 'too_many_from_address' },
        message: 'a connection was refused',
      },
    ]);
  });

  test('a silent connection is closed after the idle time, a busy one is not', async () => {
    const door = await testDoor({ limits: { idleTimeoutMs: 500 } });
    const [silent, busy] = [await door.signedIn(), await door.signedIn()];
    let silentEnded = false;
    const ended = silent.rest().then(() => {
      silentEnded = true;
    });
    while (!silentEnded) expect(await busy.ask('mn\r\n')).toBe('MN\r\n');
    await ended;
    expect(await busy.ask('mn\r\n')).toBe('MN\r\n');
  });

  test('a client that reads a long answer is not silent', async () => {
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    async function* listedLate(cache: StoredCache) {
      await ended;
      yield* cache.list();
    }
    const around = (store: Store): Store => {
      const late = lateStore(store);
      const cache: Store['cache'] = (...name) => {
        const stored = late.cache(...name);
        return { ...stored, list: () => listedLate(stored) };
      };
      return { ...late, cache };
    };
    const door = await testDoor({ limits: { idleTimeoutMs: 100 }, around });
    const reading = await door.signedIn();
    reading.send('lru_crawler metadump all\r\nmn\r\n');
    for (let i = 0; i < 2; i++) await (await door.signedIn()).rest();
    end();
    expect(await reading.takeThrough('MN\r\n')).toBe('END\r\nMN\r\n');
    // It is closed when it is silent then.
    expect(await reading.rest()).toBe('');
  });
});

describe('a client that is waited for', () => {
  test.each([
    ['a line', 'get k'],
    ['a line that starts', 'g'],
    ['a long get', `get ${'k '.repeat(2000)}`],
    ['a data block', 'set k 0 0 10\r\n'],
    ['a data block’s end', 'set k 0 0 10\r\n0123456789\r'],
    ['a data block of a meta set', 'ms k 10\r\n0123'],
    ['a refused data block', 'set k 0 0 99999999\r\n'],
  ])('loses its connection when %s never ends', async (_what, beginning) => {
    const door = await testDoor({ limits: { requestTimeoutMs: 100 } });
    const client = await door.signedIn();
    client.send(`mn\r\n${beginning}`);
    expect(await client.line()).toBe('MN\r\n');
    const ended = client.rest();
    await untilEnded(door, ended);
    expect(await ended).toMatch(/CLIENT_ERROR the command took too long to arrive\r\n$/);
  });

  test('does not gain time by sending a byte now and then', async () => {
    const door = await testDoor({ limits: { requestTimeoutMs: 100 } });
    const client = await door.signedIn();
    client.send('set k 0 0 1000000\r\n');
    let isOver = false;
    const ended = client.rest().finally(() => {
      isOver = true;
    });
    while (!isOver) {
      door.clock.advance(10);
      client.send('x');
      await nextTurn();
    }
    expect(await ended).toBe('CLIENT_ERROR the command took too long to arrive\r\n');
  });

  test('may always be in the middle of something, as long as each thing comes to its end', async () => {
    const door = await testDoor({ limits: { requestTimeoutMs: 100 } });
    const client = await door.signedIn();
    client.send('set k 0 0 5\r\nab');
    for (let round = 0; round < 300; round++) {
      client.send('cde\r\nset k 0 0 5\r\nab');
      expect(await client.line()).toBe('STORED\r\n');
      door.clock.advance(90);
    }
  });

  test('has to sign in in time; one that has may be silent', async () => {
    const door = await testDoor({ limits: { signInTimeoutMs: 100 } });
    const [member, stranger] = [await door.signedIn(), await door.connect()];
    expect(await stranger.ask('version\r\n')).toContain('VERSION');
    const ended = stranger.rest();
    await untilEnded(door, ended);
    expect(await ended).toBe('CLIENT_ERROR sign-in took too long\r\n');
    expect(await member.ask('mn\r\n')).toBe('MN\r\n');
  });

  test('has as long to sign in anew when its token was revoked', async () => {
    const door = await testDoor({ limits: { signInTimeoutMs: 100 } });
    const member = await door.signedIn();
    door.clock.advance(200);
    const stranger = await door.connect();
    expect(await stranger.ask('mn\r\n')).toBe('MN\r\n');
    door.clock.advance(60);
    door.tokens.update({ ...TWO_PROJECTS, tokens: [] });
    expect(await member.ask('get k\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    // To talk meanwhile gives no more time.
    expect(await stranger.ask('mn\r\n')).toBe('MN\r\n');
    door.clock.advance(50);
    expect(await stranger.rest()).toBe('CLIENT_ERROR sign-in took too long\r\n');
    door.tokens.update(TWO_PROJECTS);
    expect(await member.ask(signInCommand())).toBe('STORED\r\n');
  });

  test('holds its cache no longer than it is there', async () => {
    const door = await testDoor();
    const [client, other] = [await door.signedIn(), await door.signedIn()];
    const cache = door.engine.cache(PROJECT, 'first-cache');
    expect(cache.holders).toBe(2);
    client.destroy();
    for (let i = 0; i < 100 && cache.holders === 2; i++) await other.ask('mn\r\n');
    expect(cache.holders).toBe(1);
  });

  async function untilEnded(door: Door, ended: Promise<unknown>): Promise<void> {
    let isOver = false;
    const over = ended.finally(() => {
      isOver = true;
    });
    while (!isOver) {
      door.clock.advance(10);
      await nextTurn();
    }
    await over;
  }
});

describe('a client that sends and never reads', () => {
  const requests = 3_000;

  test.each([
    ['many gets', 'get k\r\n'.repeat(requests), VALUE_REPLY.repeat(requests)],
    [
      'one get of many keys',
      `get${' k'.repeat(requests)}\r\n`,
      `${VALUE_REPLY.slice(0, -'END\r\n'.length).repeat(requests)}END\r\n`,
    ],
    ['many meta gets', 'mg k v\r\n'.repeat(requests), `VA ${VALUE.length}\r\n${VALUE}\r\n`.repeat(requests)],
  ])(
    '%s: memory is bounded, others are served, and in the end everything arrives',
    async (_name, sent, expected) => {
      const door = await testDoor({ limits: { unansweredBytesMax: 256 * 1024 } });
      const client = await door.signedIn();
      await client.ask(set('k', VALUE));
      client.socket.pause();
      client.send(sent);
      // Both kernels' buffers hold some megabytes; the rest must not have been written at all.
      expect(await untilSteady(door)).toBeLessThan((expected.length * 2) / 3);
      expect(await (await door.signedIn()).ask('mg k s\r\n')).toBe('HD s10000\r\n');
      client.socket.resume();
      expect((await client.take(expected.length)) === expected).toBe(true);
      expect(await client.ask('mn\r\n')).toBe('MN\r\n');
    },
  );

  test('the keys of a long get are copied once, however often its client has to read first', async () => {
    const door = await testDoor({ limits: { unansweredBytesMax: 64 * 1024 } });
    const client = await door.signedIn();
    await client.ask(set('k', VALUE));
    const copies = vi.spyOn(Buffer, 'from');
    onTestFinished(() => copies.mockRestore());
    client.send(`get${' k'.repeat(requests)}\r\n`);
    const expected = VALUE_REPLY.length * requests - 'END\r\n'.length * (requests - 1);
    expect(await client.take(expected)).toHaveLength(expected);
    expect(copies.mock.calls.length).toBeLessThan(requests);
  });

  test('a listing: memory is bounded, and in the end it arrives', async () => {
    const door = await testDoor({ limits: { unansweredBytesMax: 64 * 1024 } });
    const client = await door.signedIn();
    const count = 60_000;
    const key = (i: number) => `${'k'.repeat(200)}${i}`;
    const cache = door.engine.cache('4e71843298b1db3f0d0000aa', 'first-cache');
    const value = {
      value: Buffer.from('v'),
      kind: 'bytes',
      flags: 0,
      expiresAt: Number.POSITIVE_INFINITY,
    } as const;
    for (let i = 0; i < count; i++) cache.store('set', key(i), value);
    client.socket.pause();
    client.send('lru_crawler metadump all\r\nmn\r\n');
    expect(await untilSteady(door)).toBeLessThan((count * 250) / 2);
    client.socket.resume();
    const answer = await client.takeThrough('END\r\nMN\r\n');
    expect(answer.match(/^key=/gm)).toHaveLength(count);
  });

  test.each([
    ['gets', `${'get k\r\n'.repeat(3_000)}`],
    ['gets, and then quits', `${'get k\r\n'.repeat(500)}quit\r\n`],
  ])('it loses its connection when it takes no byte for too long: %s', async (_what, sent) => {
    const door = await testDoor({ limits: { stallTimeoutMs: 200 } });
    const client = await door.signedIn();
    await client.ask(set('k', VALUE));
    client.socket.pause();
    client.send(sent.repeat(4));
    const observer = await door.signedIn();
    while ((await stat(observer, 'curr_connections')) > 1) await nextTurn();
  });

  test('it may go away, and others do not notice', async () => {
    const door = await testDoor();
    const client = await door.signedIn();
    await client.ask(set('k', VALUE));
    client.socket.pause();
    client.send(`get k\r\n`.repeat(requests));
    await untilSteady(door);
    client.destroy();
    expect(await (await door.signedIn()).ask('mn\r\n')).toBe('MN\r\n');
  });
});

describe('slow and half-open clients', () => {
  test('a value of 1 MB in small packets', async () => {
    const client = await (await testDoor()).signedIn();
    const value = Array.from({ length: 1_048_576 / 16 }, (_, i) => `${i}`.padStart(15, '.'))
      .join('\n')
      .padEnd(1_048_576, '\r');
    const command = set('k', value);
    for (let at = 0; at < command.length; at += 10_007) {
      client.send(command.slice(at, at + 10_007));
      await nextTurn();
    }
    expect(await client.line()).toBe('STORED\r\n');
    client.send('get k\r\n');
    const expected = `VALUE k 0 1048576\r\n${value}\r\nEND\r\n`;
    expect((await client.take(expected.length)) === expected).toBe(true);
  });

  test('many clients stop in the middle of a value: others are served, and all can go on', async () => {
    const door = await testDoor();
    const slow = await Promise.all(Array.from({ length: 100 }, () => door.signedIn()));
    const value = 'v'.repeat(100_000);
    slow.forEach((client, i) => {
      client.send(`set k${i} 0 0 ${value.length}\r\n${value.slice(0, 50_000)}`);
    });
    expect(await (await door.signedIn()).ask('get k0\r\n')).toBe('END\r\n');
    for (const client of slow) client.send(`${value.slice(50_000)}\r\n`);
    for (const client of slow) expect(await client.line()).toBe('STORED\r\n');
  });

  test('a client that ends its side has its answers, all of them', async () => {
    const door = await testDoor();
    const client = await door.connect({ allowHalfOpen: true });
    client.socket.end(`${signInCommand()}${set('k', VALUE)}${'get k\r\n'.repeat(500)}`, 'latin1');
    expect((await client.rest()) === `STORED\r\nSTORED\r\n${VALUE_REPLY.repeat(500)}`).toBe(true);
  });

  test('a client that ends its side in the middle of a command is let go', async () => {
    const door = await testDoor();
    const client = await door.connect({ allowHalfOpen: true });
    client.socket.end(`${signInCommand()}set k 0 0 10\r\nabc`, 'latin1');
    expect(await client.rest()).toBe('STORED\r\n');
    expect(await (await door.signedIn()).ask('get k\r\n')).toBe('END\r\n');
  });

  test('quit is answered by the end, behind all other answers', async () => {
    const client = await (await testDoor()).signedIn();
    client.send(`${set('k', VALUE)}${'get k\r\n'.repeat(100)}quit\r\nget k\r\n`);
    expect((await client.rest()) === `STORED\r\n${VALUE_REPLY.repeat(100)}`).toBe(true);
  });
});

describe('TLS', () => {
  async function tlsDoor(options: DoorOptions = {}, clientCertificates?: ClientCertificateRules) {
    const door = await testDoor(options);
    const [cert, key] = ['first-cert.pem', 'first-key.pem'].map((name) => {
      return readFileSync(new URL(`../support/certificates/${name}`, import.meta.url));
    });
    const port = await door.listener.listen({
      host: '127.0.0.1',
      port: 0,
      tls: { cert, key },
      clientCertificates,
    });
    return { door, port };
  }

  test('a client that ends its side has its answers, all of them', async () => {
    const { port } = await tlsDoor();
    const socket = connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.allowHalfOpen = true;
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => received.push(chunk));
    socket.end(`${signInCommand()}${set('k', VALUE)}${'get k\r\n'.repeat(500)}`, 'latin1');
    await once(socket, 'end');
    expect(
      Buffer.concat(received).toString('latin1') === `STORED\r\nSTORED\r\n${VALUE_REPLY.repeat(500)}`,
    ).toBe(true);
  });

  test.each([
    ['leaves', true],
    ['stays', false],
  ])('stop does not wait for a client that has just shaken hands and %s', async (_what, leaves) => {
    const { door, port } = await tlsDoor();
    const socket = connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    socket.on('error', () => socket.destroy());
    onTestFinished(() => {
      socket.destroy();
    });
    // The server may hear of it only later.
    await once(socket, 'secureConnect');
    if (leaves) socket.destroy();
    const started = performance.now();
    await door.listener.stop(4_000);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a client that is closed for want of a certificate does not stay because it does not close its side', async () => {
    const { door, port } = await tlsDoor({}, { areRequired: true, names: new Map() });
    const socket = connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    onTestFinished(() => void socket.destroy());
    socket.allowHalfOpen = true;
    await once(socket.resume(), 'end');
    // A listener is stopped when all its connections are.
    await door.listener.stop(60_000);
  });

  test('a client that never shakes hands is cut off', async () => {
    const { door, port } = await tlsDoor({ limits: { handshakeTimeoutMs: 100 } });
    const client = await MemcachedClient.connect(port);
    expect(await client.rest()).toBe('');
    expect(door.logged).toMatchObject([
      { details: { err: { code: 'ERR_TLS_HANDSHAKE_TIMEOUT' } }, message: 'a TLS handshake failed' },
    ]);
  });

  test('a connection too many is closed before the handshake, and one that never shakes hands counts', async () => {
    const { door, port } = await tlsDoor({ limits: { connections: { max: 1, perAddressMax: 0 } } });
    const silent = await MemcachedClient.connect(port);
    const refused = await MemcachedClient.connect(port);
    expect(await refused.rest()).toBe('');
    silent.destroy();
    // The server may hear of it only later.
    for (let isIn = false; !isIn; ) {
      const socket = connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
      isIn = await new Promise((resolve) => {
        socket.once('secureConnect', () => resolve(true));
        socket.once('error', () => resolve(false));
      });
      socket.destroy();
    }
    expect(door.logged[0]).toMatchObject({ details: { refusal: 'too_many' } });
  });

  test('stop cuts off a client that never shakes hands', async () => {
    const { door, port } = await tlsDoor();
    const client = await MemcachedClient.connect(port);
    // It is accepted when another one behind it is.
    const socket = connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    socket.destroy();
    await door.listener.stop(50);
    expect(await client.rest()).toBe('');
  });
});

test('2,000 idle connections hold no buffers', { timeout: 20_000 }, async () => {
  const door = await testDoor();
  const before = memory();
  const clients: MemcachedClient[] = [];
  for (let i = 0; i < 2_000; i++) {
    const client = await door.signedIn();
    client.send('get begun');
    clients.push(client);
  }
  expect(await stat(await door.signedIn(), 'curr_connections')).toBe(2_001);
  // Both ends of every connection live in this process.
  expect((memory() - before) / clients.length).toBeLessThan(40_000);
  for (const client of clients.slice(0, 20)) expect(await client.ask(' key\r\n')).toBe('END\r\n');
});

test.each([
  ['at once', {}],
  ['later', { around: lateStore }],
])(
  'an error that nothing else catches ends its connection and no other: %s',
  async (_when, options: DoorOptions) => {
    const door = await testDoor(options);
    const [unlucky, other] = [await door.signedIn(), await door.signedIn()];
    unlucky.send('get k\r\n');
    const err = new Error('a socket that throws');
    const write = vi.spyOn(SocketConnection.prototype, 'write').mockImplementationOnce(() => {
      throw err;
    });
    onTestFinished(() => write.mockRestore());
    expect(await unlucky.rest()).toBe('');
    expect(door.logged).toEqual([
      {
        level: 'error',
        details: { err, door: 'memcached' },
        message: 'a memcached connection was closed because of an error; this is a bug',
      },
    ]);
    expect(await other.ask('mn\r\n')).toBe('MN\r\n');
  },
);

test('buffers that nobody needs are let go in time', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const trimmed = vi.spyOn(BufferPool.prototype, 'trim');
  onTestFinished(() => {
    vi.useRealTimers();
    trimmed.mockRestore();
  });
  await testDoor();
  vi.advanceTimersByTime(10_000);
  expect(trimmed).toHaveBeenCalledTimes(2);
});

test('of several addresses, stats settings tells the first', async () => {
  const door = await testDoor();
  await door.listener.listen({ host: '127.0.0.1', port: 0 });
  const client = await door.signedIn();
  client.send('stats settings\r\n');
  expect(await client.takeThrough('END\r\n')).toContain(`STAT tcpport ${door.port}\r\n`);
});

describe('stop', () => {
  test('leaves no timer behind, of its own or of a client that is gone', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const door = await testDoor({ limits: { signInTimeoutMs: 60_000 } });
    const client = await door.connect();
    client.send('\x80'.padEnd(24, '\0'));
    await client.take(24);
    client.destroy();
    while (!door.debugged.some(({ message }) => message === 'a client is gone')) await nextTurn();
    await door.listener.stop(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('ends idle connections and takes no new ones', async () => {
    const door = await testDoor();
    const clients = [await door.connect(), await door.signedIn()];
    const stopped = door.listener.stop(5_000);
    for (const client of clients) expect(await client.rest()).toBe('');
    await stopped;
    await expect(door.connect()).rejects.toThrow('ECONNREFUSED');
  });

  test('gives the answers that are pending', async () => {
    const door = await testDoor({ around: lateStore });
    const client = await door.signedIn();
    client.send(`${set('a', '1')}incr a 1\r\nget a\r\n`);
    // Its first command is with the store by then.
    while ((await door.engine.cache('4e71843298b1db3f0d0000aa', 'first-cache').peek('a')) === undefined)
      await nextTurn();
    await Promise.all([
      door.listener.stop(5_000),
      client.rest().then((answer) => expect(answer).toBe('STORED\r\n2\r\nVALUE a 0 1\r\n2\r\nEND\r\n')),
    ]);
  });

  test('waits for a client that has much to read, and cuts off one that reads nothing', async () => {
    const door = await testDoor({ limits: { unansweredBytesMax: 64 * 1024 } });
    const [reader, sleeper] = [await door.signedIn(), await door.signedIn()];
    await reader.ask(set('k', VALUE));
    for (const client of [reader, sleeper]) {
      client.socket.pause();
      client.send('get k\r\n'.repeat(3_000));
    }
    await untilSteady(door);
    const stopped = door.listener.stop(2_000);
    reader.socket.resume();
    expect((await reader.rest()).length).toBe(VALUE_REPLY.length * 3_000);
    await stopped;
    sleeper.socket.resume();
    await once(sleeper.socket, 'close');
    expect(sleeper.unreadLength).toBeLessThan(VALUE_REPLY.length * 3_000);
  });
});

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
