import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { runRepair } from '../src/cli/repair.ts';
import { runCommand } from '../src/cli/run.ts';
import { ServerProcess } from './crash/server-process.ts';
import { testClock } from './support/clock.ts';
import { freePort } from './support/free-port.ts';
import { PROJECT, startService, type TestService, TOKEN, temporaryDirectory } from './support/service.ts';
import { signIn, textClient } from './support/text-client.ts';

async function member({ memcachedPort }: TestService, cache: string) {
  const client = await textClient(memcachedPort);
  expect(await client.ask(signIn(TOKEN, PROJECT, cache))).toBe('STORED\r\n');
  return client;
}

test.each([
  ['log', 'always'],
  ['log', 'everysec'],
  ['log', 'no'],
  ['snapshot', 'everysec'],
])('with %s (%s) both doors find after a restart what they stored', async (durability, fsync) => {
  const options = { dataDir: temporaryDirectory(), clock: testClock() };
  const flags = ['--durability', durability, '--fsync', fsync];
  const first = await startService(flags, options);
  const before = await member(first, 'c');
  expect(await before.ask('set a 7 100 5\r\nvalue\r\n')).toBe('STORED\r\n');
  expect(await before.ask('set n 0 0 2\r\n41\r\n')).toBe('STORED\r\n');
  expect(await before.ask('incr n 1\r\n')).toBe('42\r\n');
  expect((await first.rest('PUT', '/c/items/json', { value: { deep: [1, 2] } })).status).toBe(200);
  const info = await (await first.rest('GET', '/c')).json();
  await first.service.stop();

  const second = await startService(flags, options);
  const after = await member(second, 'c');
  expect(await after.ask('mg a v f t\r\n', 'value\r\n')).toBe('VA 5 f7 t100\r\nvalue\r\n');
  expect(await after.ask('incr n 1\r\n')).toBe('43\r\n');
  expect(await (await second.rest('GET', '/c/items/json')).json()).toMatchObject({ value: { deep: [1, 2] } });
  expect(await (await second.rest('GET', '/c')).json()).toMatchObject({
    id: (info as { id: string }).id,
    size: 3,
  });
});

test.each([
  ['one large item', ['--max-item-size', '32mb'], 20_000_000, 3],
  ['many at once', [], 1_000_000, 40],
])(
  'a snapshot is made of what is more than may wait for the disk: %s',
  async (_what, more, length, count) => {
    const dataDir = temporaryDirectory();
    const flags = [
      '--durability',
      'snapshot',
      '--snapshot-interval',
      '1',
      '--log-max-unwritten',
      '1mb',
      ...more,
    ];
    const first = await startService(flags, { dataDir });
    const client = await member(first, 'c');
    for (let i = 0; i < count; i++) {
      expect(await client.ask(`set k${i} 0 0 ${length}\r\n${'v'.repeat(length)}\r\n`)).toBe('STORED\r\n');
    }
    while (!first.log.some((line) => line.includes('all items are saved'))) await delay(10);
    await first.service.stop();
    expect(first.log.filter((line) => line.includes('could not be'))).toEqual([]);

    const second = await startService(flags, { dataDir });
    expect(await (await second.rest('GET', '/c')).json()).toMatchObject({ size: count });
  },
);

test('while items are restored, REST says how far that is, and memcached is not there yet', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'log', '--memory-limit', '64mb'];
  const first = await startService(flags, { dataDir });
  const client = await member(first, 'c');
  const sets = Array.from({ length: 50_000 }, (_, i) => `ms key-${i} 100 q\r\n${'v'.repeat(100)}\r\n`).join(
    '',
  );
  expect(await client.ask(`${sets}mn\r\n`)).toBe('MN\r\n');
  await first.service.stop();

  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const answers: { path: string; status: number; retryAfter: string | null; text: string }[] = [];
  let isOver = false;
  const asking = (async () => {
    while (!isOver) {
      for (const path of ['/health/live', '/health/ready', `/1/projects/${PROJECT}/caches/c`]) {
        const answer = await fetch(base + path, { headers: { authorization: `OAuth ${TOKEN}` } }).catch(
          () => {},
        );
        if (!answer) continue;
        const retryAfter = answer.headers.get('retry-after');
        answers.push({ path, status: answer.status, retryAfter, text: await answer.text() });
      }
    }
  })();
  const second = await startService([...flags, '--http-port', String(port)], { dataDir });
  isOver = true;
  await asking;
  const refused = answers.filter(({ status }) => status === 503);
  expect(refused.length).toBeGreaterThan(1);
  for (const { retryAfter, text } of refused) {
    expect(retryAfter).toBe('1');
    expect(text).toMatch(/^\{"msg":"The service (restores its items, \d+ % by now|is not ready).*\}$/);
  }
  // Nobody was told of a cache without its items.
  for (const { path, status, text } of answers) {
    if (path === '/health/live') expect(status).toBe(200);
    if (path.endsWith('/c') && status === 200) expect(JSON.parse(text).size).toBe(50_000);
  }
  const info = await (await second.rest('GET', '/c')).json();
  expect(info).toMatchObject({ size: 50_000 });
});

test('a second service on the same directory does not start, and says why', async () => {
  const dataDir = temporaryDirectory();
  await startService(['--durability', 'log'], { dataDir });
  await expect(startService(['--durability', 'snapshot'], { dataDir })).rejects.toThrow(
    /another process uses .*items: end it, or name another directory by IRONCACHED_DATA_DIR/,
  );
});

test('a directory that cannot be written is told with what to do', async () => {
  const dataDir = temporaryDirectory();
  writeFileSync(join(dataDir, 'items'), 'a file in its place');
  await expect(startService(['--durability', 'log'], { dataDir })).rejects.toThrow(
    /the items cannot be kept in .*items: EEXIST.* IRONCACHED_DURABILITY=none$/,
  );
});

test('damaged files are not read and not touched, and what is readable of them can be saved', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'log', '--fsync', 'always'];
  const first = await startService(flags, { dataDir });
  const client = await member(first, 'c');
  for (let i = 0; i < 10; i++) await client.ask(`set key-${i} 0 0 5\r\nvalue\r\n`);
  await first.service.stop();
  const file = join(dataDir, 'items', '000001.log');
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('key-4')] = 0;
  writeFileSync(file, bytes);
  for (let start = 0; start < 2; start++) {
    await expect(startService(flags, { dataDir })).rejects.toThrow(
      /000001\.log cannot be read: it is damaged at byte \d+ of \d+; \d+ bytes behind .* ironcached repair$/,
    );
    expect(readFileSync(file)).toEqual(bytes);
  }
  const said: string[] = [];
  const streams = { out: { write: (text: string) => said.push(text) }, err: { write: () => {} } };
  expect(await runRepair(['repair', '--data-dir', dataDir], streams)).toBe(0);
  expect(said.join('')).toMatch(/^\d+ bytes were readable and are in .*000002\.base\n\d+ bytes were not\n/);
  expect(readFileSync(`${file}.damaged`)).toEqual(bytes);
  const second = await startService(flags, { dataDir });
  expect(await (await second.rest('GET', '/c')).json()).toMatchObject({ size: 9 });
  expect((await second.rest('GET', '/c/items/key-4')).status).toBe(404);
});

test('repair makes no directory where there is none', async () => {
  const dataDir = join(temporaryDirectory(), 'typo');
  const said: string[] = [];
  const streams = { out: { write: () => {} }, err: { write: (text: string) => said.push(text) } };
  expect(await runRepair(['repair', '--data-dir', dataDir], streams)).toBe(1);
  expect(said.join('')).toContain(`there is no directory ${join(dataDir, 'items')}`);
  expect(existsSync(dataDir)).toBe(false);
});

test('a stop that cannot keep the items ends with status 1', async () => {
  const dataDir = temporaryDirectory();
  const server = new ServerProcess(dataDir, { IRONCACHED_DURABILITY: 'snapshot' });
  await server.ready();
  rmSync(join(dataDir, 'items'), { recursive: true });
  writeFileSync(join(dataDir, 'items'), 'a file in its place');
  expect(await server.end('SIGTERM')).toBe(1);
  expect(server.logged('the last changes could not be kept')).toHaveLength(1);
});

test('caches of a project that was deleted meanwhile are gone', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'snapshot'];
  const options = { dataDir, firstStart: true } as const;
  const first = await startService(flags, options);
  const project = first.service.plain?.projectId ?? '';
  const value = {
    value: Buffer.from('v'),
    kind: 'text',
    flags: 0,
    expiresAt: Number.POSITIVE_INFINITY,
  } as const;
  await first.service.engine.cache(project, 'c').store('set', 'k', value);
  await first.service.stop();
  const streams = { out: { write: () => {} }, err: { write: () => {} } };
  expect(await runCommand(['project', 'delete', project, '--data-dir', dataDir], streams)).toBe(0);
  const second = await startService(flags, options);
  expect(await second.service.engine.totals()).toMatchObject({ items: 0 });
  expect(second.log.join('')).toContain('the caches of projects that were deleted are deleted');
});

test.each([true, false])(
  'a project that is made again by the id of a deleted one is empty; while it runs: %s',
  async (runs) => {
    const dataDir = temporaryDirectory();
    const flags = ['--durability', 'log'];
    const options = { dataDir, firstStart: true } as const;
    const first = await startService(flags, options);
    const project = first.service.plain?.projectId ?? '';
    const value = { value: Buffer.from('v'), kind: 'text', flags: 0, expiresAt: Infinity } as const;
    await first.service.engine.cache(project, 'c').store('set', 'k', value);
    if (!runs) await first.service.stop();
    const made: string[] = [];
    const streams = { out: { write: (text: string) => made.push(text) }, err: { write: () => {} } };
    const control = (...args: string[]) => runCommand([...args, '--data-dir', dataDir], streams);
    expect(await control('project', 'delete', project)).toBe(0);
    expect(await control('project', 'create', 'again', '--id', project)).toBe(0);
    const second = runs ? first : await startService(flags, options);
    await second.service.reloadCredentials();
    expect(await second.service.engine.totals()).toMatchObject({ items: 0 });
    // What it stores from now on stays, also over the next start.
    await second.service.engine.cache(project, 'c').store('set', 'new', value);
    await second.service.reloadCredentials();
    await second.service.stop();
    expect(readFileSync(join(dataDir, 'credentials.json'), 'utf8')).not.toContain('deleted_projects');
    const third = await startService(flags, options);
    expect(await third.service.engine.totals()).toMatchObject({ items: 1 });
  },
);

test('nor does a crash bring back what it had, before the next snapshot is made', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'snapshot'];
  const first = await startService(flags, { dataDir, firstStart: true });
  const project = first.service.plain?.projectId ?? '';
  const value = { value: Buffer.from('v'), kind: 'text', flags: 0, expiresAt: Infinity } as const;
  await first.service.engine.cache(project, 'c').store('set', 'k', value);
  await first.service.stop();
  const second = await startService(flags, { dataDir, firstStart: true });
  const streams = { out: { write: () => {} }, err: { write: () => {} } };
  const control = (...args: string[]) => runCommand([...args, '--data-dir', dataDir], streams);
  expect(await control('project', 'delete', project)).toBe(0);
  expect(await control('project', 'create', 'again', '--id', project)).toBe(0);
  await second.service.reloadCredentials();
  expect(await second.service.engine.totals()).toMatchObject({ items: 0 });
  // Behind whatever that entails.
  await second.service.reloadCredentials();
  // What a crash would leave.
  const crashed = temporaryDirectory();
  cpSync(dataDir, crashed, { recursive: true, filter: (path) => !path.endsWith('lock') });
  const third = await startService(flags, { dataDir: crashed, firstStart: true });
  expect(await third.service.engine.totals()).toMatchObject({ items: 0 });
});

test('what a project stores once it was made again stays over a crash right after that', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'log', '--fsync', 'always'];
  const { service, httpPort } = await startService(flags, { dataDir, firstStart: true });
  const project = service.plain?.projectId ?? '';
  const made: string[] = [];
  const streams = { out: { write: (text: string) => made.push(text) }, err: { write: () => {} } };
  const control = (...args: string[]) => runCommand([...args, '--data-dir', dataDir], streams);
  expect(await control('project', 'delete', project)).toBe(0);
  made.length = 0;
  expect(await control('project', 'create', 'again', '--id', project)).toBe(0);
  await service.reloadCredentials();
  const url = `http://127.0.0.1:${httpPort}/1/projects/${project}/caches/c/items/k`;
  const headers = { authorization: `OAuth ${JSON.parse(made.join('')).token}` };
  expect((await fetch(url, { method: 'PUT', headers, body: '{"value":"v"}' })).status).toBe(200);
  // What a crash would leave.
  const crashed = temporaryDirectory();
  cpSync(dataDir, crashed, { recursive: true, filter: (path) => !path.endsWith('lock') });
  const second = await startService(flags, { dataDir: crashed, firstStart: true });
  expect(await second.service.engine.totals()).toMatchObject({ items: 1 });
});

test('what the system does not let restore is told, with the setting of the directory', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'log'];
  await (await startService(flags, { dataDir })).service.stop();
  const file = join(dataDir, 'items', '000001.log');
  rmSync(file);
  mkdirSync(file);
  await expect(startService(flags, { dataDir })).rejects.toThrow(
    /^the items cannot be restored: \S+000001.log cannot be read: EISDIR.* \(see IRONCACHED_DATA_DIR\)$/,
  );
});

test('an end that was cut off is kept whole beside the file, or the start is refused', async () => {
  const dataDir = temporaryDirectory();
  const { service } = await startService(['--durability', 'log'], { dataDir });
  const value = { value: Buffer.alloc(50_000, 'v'), kind: 'bytes', flags: 0, expiresAt: Infinity } as const;
  await service.engine.cache(PROJECT, 'c').store('set', 'k', value);
  await service.stop();
  const file = join(dataDir, 'items', '000001.log');
  const size = statSync(file).size - 100;
  truncateSync(file, size);
  // As on a disk that becomes full: a part of it can be written.
  const command = `ulimit -f 20; exec ${process.execPath} dist/main.js`;
  const env = { IRONCACHED_DATA_DIR: dataDir, IRONCACHED_DURABILITY: 'log', IRONCACHED_HTTP_PORT: '0' };
  const { status, stderr } = spawnSync('bash', ['-c', command], {
    env: { ...env, IRONCACHED_MEMORY_LIMIT: '64mb' },
    timeout: 20_000,
  });
  expect([status, String(stderr)]).toEqual([1, expect.stringContaining('cannot be restored: EFBIG')]);
  expect(statSync(file).size).toBe(size);
});

test('caches outlast a start that knows nothing of their project', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--durability', 'log'];
  const first = await startService(flags, { dataDir });
  expect(await (await member(first, 'c')).ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n');
  await first.service.stop();
  // Without the project that was given before, it makes one of its own.
  const second = await startService(flags, { dataDir, firstStart: true });
  expect(second.log.join('')).toContain('there are caches of projects that do not exist');
  await second.service.stop();
  const third = await startService(flags, { dataDir });
  expect(await (await member(third, 'c')).ask('get k\r\n', 'END\r\n')).toBe('VALUE k 0 1\r\nv\r\nEND\r\n');
});

test('what was kept is neither read nor touched without durability, and the log says that it is there', async () => {
  const dataDir = temporaryDirectory();
  const first = await startService(['--durability', 'log'], { dataDir });
  await (await member(first, 'c')).ask('set k 0 0 1\r\nv\r\n');
  await first.service.stop();
  const second = await startService([], { dataDir });
  expect(await second.service.engine.totals()).toMatchObject({ items: 0 });
  expect(second.log.join('')).toContain('items that were kept before are not read');
  await second.service.stop();
  const third = await startService(['--durability', 'log'], { dataDir });
  expect(await third.service.engine.totals()).toMatchObject({ items: 1 });
});

test('the metrics tell how items are kept, where they are', async () => {
  const dataDir = temporaryDirectory();
  const flags = ['--metrics-port', '0', '--durability', 'log', '--fsync', 'always'];
  const first = await startService(flags, { dataDir });
  expect((await first.rest('PUT', '/c/items/k', { value: 'v' })).status).toBe(200);
  const text = await (await fetch(`http://127.0.0.1:${first.metricsPort}/metrics`)).text();
  expect(text).toMatch(/^ironcached_durability_lag_bytes 0$/m);
  expect(text).toMatch(/^ironcached_durability_file_bytes [1-9]\d+$/m);
  expect(text).toMatch(
    /^# TYPE ironcached_durability_failures_total counter\nironcached_durability_failures_total 0$/m,
  );
  // Nothing was saved yet, not even in 1970.
  expect(text).not.toMatch(/^ironcached_durability_saved_timestamp_seconds /m);
  const before = Date.now() / 1000;
  const saves = ['--metrics-port', '0', '--durability', 'snapshot', '--snapshot-interval', '1'];
  const second = await startService(saves);
  const savedAt = await vi.waitFor(async () => {
    const told = await (await fetch(`http://127.0.0.1:${second.metricsPort}/metrics`)).text();
    const [, seconds] = /^ironcached_durability_saved_timestamp_seconds (\S+)$/m.exec(told) ?? [];
    return seconds ?? expect.fail('nothing is saved yet');
  }, 20_000);
  expect(Number(savedAt)).toBeGreaterThanOrEqual(Math.floor(before));
  expect(Number(savedAt)).toBeLessThanOrEqual(Date.now() / 1000);
  const plain = await startService(['--metrics-port', '0']);
  expect(await (await fetch(`http://127.0.0.1:${plain.metricsPort}/metrics`)).text()).not.toContain(
    'durability',
  );
});
