import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ControlledService, startControlled } from '../../support/control.ts';
import { MemcachedClient } from '../../support/memcached-client.ts';
import { memcachedVersion, startMemcached } from '../../support/real-memcached.ts';
import { temporaryDirectory } from '../../support/service.ts';
import { type Ran, transfer } from '../../support/transfer.ts';

const version = memcachedVersion();
if (version === undefined) {
  process.stdout.write('SKIPPED: loading from memcached, because there is no memcached on this machine\n');
}

let service: ControlledService;
let directory: string;

beforeEach(async () => {
  service = await startControlled(['--memcached-bind', '127.0.0.1:0=here,127.0.0.1:0=there']);
  directory = temporaryDirectory();
});

/** Loads from what listens on this port into the cache `here`. */
function load(port: number, ...args: string[]): Promise<Ran> {
  const from = `127.0.0.1:${port}`;
  const own = ['--data-dir', service.dataDir, '--cache', 'here'];
  return transfer(['load', ...own, '--from-memcached', from, ...args]);
}

function boundPort(cache: 'here' | 'there'): number {
  const bound = service.bound.find(({ cacheName }) => cacheName === cache);
  if (!bound) throw new Error('the service has no bound listeners');
  return bound.port;
}

const SOON = Math.ceil(Date.now() / 1000) + 10_000;

/** Items of every kind that must come over. */
const ITEMS: readonly (readonly [key: string, flags: number, exptime: number, value: string])[] = [
  ['text', 0, 0, 'Hello'],
  ['flags', 4_294_967_295, 0, '42'],
  ['expires', 1, SOON, 'v'],
  ['bytes', 0, 0, '\x00\xff\r\nVALUE x 0 1\r\nEND\r\n'],
  ['empty', 0, 0, ''],
  ['a%20/&=+?', 0, 0, 'key that a URL would encode'],
  ['\xff\xfe', 0, 0, 'key that is no UTF-8'],
  ['voil\xc3\xa0', 0, 0, 'key with a byte that JavaScript takes for a space'],
  ['k'.repeat(250), 0, 0, 'long key'],
  ['large', 0, 0, 'x'.repeat(1_000_000)],
  ...Array.from({ length: 3_000 }, (_, i) => [`key ${i}`.replace(' ', '-'), i, 0, `value ${i}`] as const),
];

async function fill(port: number): Promise<void> {
  const client = await MemcachedClient.connect(port);
  for (const [key, flags, exptime, value] of ITEMS) {
    client.send(`set ${key} ${flags} ${exptime} ${value.length}\r\n${value}\r\n`);
  }
  for (const _ of ITEMS) expect(await client.takeThrough('\r\n')).toBe('STORED\r\n');
  // A key with a space, which only the meta commands can have.
  const base64 = Buffer.from('a b').toString('base64');
  expect(await client.ask(`ms ${base64} 1 b F7 T0\r\nv\r\n`)).toBe('HD\r\n');
  client.destroy();
}

async function expectAll(port: number): Promise<void> {
  const client = await MemcachedClient.connect(port);
  for (const [key, flags, exptime, value] of ITEMS) {
    client.send(`get ${key}\r\n`);
    const answer = `VALUE ${key} ${flags} ${value.length}\r\n${value}\r\nEND\r\n`;
    expect(await client.takeThrough(answer)).toBe(answer);
    if (exptime === 0) continue;
    client.send('lru_crawler metadump all\r\n');
    expect(await client.takeThrough('END\r\n')).toContain(`key=${key} exp=${exptime} `);
  }
  const base64 = Buffer.from('a b').toString('base64');
  expect(await client.ask(`mg ${base64} b f v\r\n`)).toContain('f7');
  client.destroy();
}

describe('loading from another ironcached', () => {
  test('brings every item with its flags and its expiry', async () => {
    await fill(boundPort('there'));
    const { status, err } = await load(boundPort('there'));
    expect([status, err]).toEqual([0, expect.stringMatching(/^loaded 3,011 items, /)]);
    await expectAll(boundPort('here'));
  });

  test('signs in by the first user of a file, and says so where one is asked for', async () => {
    const client = await MemcachedClient.connect(boundPort('there'));
    await client.ask('set k 0 0 1\r\nv\r\n');
    client.destroy();
    const iron = JSON.parse(readFileSync(join(service.dataDir, 'iron.json'), 'utf8'));
    const file = join(directory, 'users');
    writeFileSync(file, `${iron.project_id}/there:${iron.token}\nsomebody:else\n`);
    const port = service.memcachedPort;
    expect((await load(port, '--memcached-auth', file)).err).toMatch(/^loaded 1 items, /);
    expect((await load(port)).err).toBe(
      `ironcached: the memcached at 127.0.0.1:${port}: it asks for a user and a password: give --memcached-auth\n`,
    );
    writeFileSync(file, 'somebody:else');
    expect((await load(port, '--memcached-auth', file)).err).toContain(
      'it does not accept this user and password\n',
    );
    writeFileSync(file, 'somebody');
    expect((await load(port, '--memcached-auth', file)).err).toContain(
      'must have USER:PASSWORD in its first line',
    );
    expect((await load(port, '--memcached-auth', directory)).err).toContain(
      `ironcached: ${directory} cannot be read: EISDIR`,
    );
  });

  test('leaves items as they are that are there, where that is asked for', async () => {
    for (const cache of ['here', 'there'] as const) {
      const client = await MemcachedClient.connect(boundPort(cache));
      await client.ask(`set k 0 0 ${cache.length}\r\n${cache}\r\n`);
      client.destroy();
    }
    const { err } = await load(boundPort('there'), '--add');
    expect(err).toMatch(/^loaded 0 items, .*; 1 were there and stay\n$/);
  });
});

describe.skipIf(version === undefined)(`loading from memcached ${version}`, () => {
  test('brings every item with its flags and its expiry', async () => {
    // What it is just moving between its orders of use, memcached does not list.
    const memcached = await startMemcached(['-o', 'no_lru_maintainer']);
    onTestFinished(memcached.stop);
    await fill(memcached.port);
    const { status, err } = await load(memcached.port);
    expect([status, err]).toEqual([0, expect.stringMatching(/^loaded 3,011 items, /)]);
    await expectAll(boundPort('here'));
  });

  test('waits while another listing is on its way', async () => {
    const memcached = await startMemcached();
    onTestFinished(memcached.stop);
    await fill(memcached.port);
    const client = await MemcachedClient.connect(memcached.port);
    client.socket.pause();
    client.send('lru_crawler metadump all\r\n');
    const loading = load(memcached.port);
    client.socket.resume();
    expect((await loading).status).toBe(0);
    client.destroy();
  });
});

describe('what is no memcached', () => {
  /** Answers whatever comes with this, and ends the connection. */
  async function answering(answer: string): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answer));
    });
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  test.each([
    [
      'ERROR\r\n',
      'it does not list its keys, as memcached does from 1.4.31 on (lru_crawler metadump): ERROR',
    ],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'it does not list its keys'],
    ['key=a exp', 'it ended the connection'],
    ['key=a\r\n', 'its listing of keys cannot be understood'],
    ['', 'it ended the connection'],
  ])('is told to be none, and nothing is loaded: %j', async (answer, mistake) => {
    const port = await answering(answer);
    const { status, err } = await load(port);
    expect(status).toBe(1);
    expect(err).toContain(`ironcached: the memcached at 127.0.0.1:${port}: ${mistake}`);
  });

  test('is told where nobody listens', async () => {
    const { status, err } = await load(1);
    expect(status).toBe(1);
    expect(err).toContain('ironcached: the memcached at 127.0.0.1:1 cannot be reached: ');
  });
});

test('a load that the service refuses lets go of the memcached, so that the process ends', async () => {
  const client = await MemcachedClient.connect(boundPort('there'));
  // More than is read before the service is asked.
  const value = 'x'.repeat(100_000);
  for (const key of ['a', 'b']) client.send(`set ${key} 0 0 ${value.length}\r\n${value}\r\n`);
  await client.takeThrough('STORED\r\nSTORED\r\n');
  const closed: Promise<unknown>[] = [];
  const memcached = createServer((socket) => {
    const onwards = connect(boundPort('there'), '127.0.0.1');
    // Unread values make a reset of its end.
    closed.push(new Promise((resolve) => socket.on('error', () => {}).once('close', resolve)));
    socket.once('close', () => onwards.destroy());
    socket.pipe(onwards).pipe(socket);
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void memcached.close());
  await once(memcached, 'listening');
  const { port } = memcached.address() as AddressInfo;
  const { status, err } = await load(port, '--project', '0'.repeat(24));
  expect([status, err]).toEqual([1, expect.stringContaining('There is no project')]);
  expect(closed).toHaveLength(2);
  await Promise.all(closed);
});
