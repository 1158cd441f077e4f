import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readConfig } from '../src/config.ts';
import { Sweeper } from '../src/service/sweeper.ts';
import { Service } from '../src/service.ts';
import { testClock } from './support/clock.ts';
import { PROJECT, startService, type TestService, TOKEN, temporaryDirectory } from './support/service.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

async function signedIn(service: TestService, cache = 'c'): Promise<TextClient> {
  const client = await textClient(service.memcachedPort);
  expect(await client.ask(signIn(TOKEN, PROJECT, cache))).toBe('STORED\r\n');
  return client;
}

async function put(service: TestService, key: string, body: unknown): Promise<void> {
  const response = await service.rest('PUT', `/c/items/${encodeURIComponent(key)}`, body);
  expect(await response.json()).toEqual({ msg: 'Stored.' });
}

async function item(service: TestService, key: string): Promise<Record<string, unknown>> {
  const response = await service.rest('GET', `/c/items/${encodeURIComponent(key)}`);
  return (await response.json()) as Record<string, unknown>;
}

describe('what REST stores, memcached reads', () => {
  test.each([
    ['text', '"Hello"', 'Hello'],
    ['text that looks like a number', '"42"', '42'],
    ['text beyond ASCII', '"grün 🦊"', Buffer.from('grün 🦊').toString('latin1')],
    ['an empty text', '""', ''],
    ['a number', '42', '42'],
    ['a number of many digits', '123456789012345678901234567890.50', '123456789012345678901234567890.50'],
    ['a boolean', 'true', 'true'],
    ['null', 'null', 'null'],
    ['an object', '{"a": [1, 2.50]}', '{"a": [1, 2.50]}'],
  ])('%s', async (_kind, json, bytes) => {
    const service = await startService();
    const response = await fetch(
      `http://127.0.0.1:${service.httpPort}/1/projects/${PROJECT}/caches/c/items/k?oauth=${TOKEN}`,
      { method: 'PUT', body: `{"value":${json}}` },
    );
    expect(response.status).toBe(200);
    const client = await signedIn(service);
    expect(await client.ask('get k\r\n', 'END\r\n')).toBe(`VALUE k 0 ${bytes.length}\r\n${bytes}\r\nEND\r\n`);
    const back = await service.rest('GET', '/c/items/k');
    expect(await back.text()).toContain(`"value":${json},`);
  });

  test('a value of nearly 1 MB', async () => {
    const service = await startService();
    const value = 'x'.repeat(1_048_000);
    await put(service, 'big', { value });
    const client = await signedIn(service);
    expect(await client.ask('get big\r\n', 'END\r\n')).toBe(`VALUE big 0 1048000\r\n${value}\r\nEND\r\n`);
  });

  test('its expiry', async () => {
    const clock = testClock();
    const service = await startService([], { clock });
    await put(service, 'k', { value: 'v', expires_in: 10 });
    const client = await signedIn(service);
    expect(await client.ask('mg k t\r\n')).toBe('HD t10\r\n');
    clock.advance(10_000);
    expect(await client.ask('mg k t\r\n')).toBe('EN\r\n');
    expect((await service.rest('GET', '/c/items/k')).status).toBe(404);
  });

  test('its expiry, also when the clock of the machine is set', async () => {
    const clock = testClock(1_700_000_000_000);
    const service = await startService([], { clock });
    const client = await signedIn(service);
    await put(service, 'rest', { value: 'v', expires_in: 100 });
    await client.ask(
      'set relative 0 100 1\r\nv\r\nset named 0 1700000100 1\r\nv\r\n',
      'STORED\r\nSTORED\r\n',
    );
    for (const step of [3_600_000, -7_200_000]) {
      clock.step(step);
      clock.advance(40_000);
      const left = step > 0 ? 60 : 20;
      for (const key of ['rest', 'relative', 'named']) {
        expect(await client.ask(`mg ${key} t\r\n`)).toBe(`HD t${left}\r\n`);
      }
    }
    // Its time is now told by the clock as it was set: an hour before what it was.
    expect(await item(service, 'rest')).toMatchObject({ expires: '2023-11-14T21:15:00Z' });
    expect(await client.ask('lru_crawler metadump hash\r\n', 'END\r\n')).toContain('key=rest exp=1699996500');
    // A time that a client names is one of the clock as it is.
    await client.ask(`set named 0 ${clock.unixNow() / 1000 + 5} 1\r\nv\r\n`);
    expect(await client.ask('mg named t\r\n')).toBe('HD t5\r\n');
    clock.advance(20_000);
    for (const key of ['rest', 'relative', 'named'])
      expect(await client.ask(`mg ${key} t\r\n`)).toBe('EN\r\n');
  });

  test('its cas', async () => {
    const service = await startService();
    await put(service, 'k', { value: 'v' });
    const { cas } = await item(service, 'k');
    const client = await signedIn(service);
    expect(await client.ask('gets k\r\n', 'END\r\n')).toBe(`VALUE k 0 1 ${cas}\r\nv\r\nEND\r\n`);
    expect(await client.ask(`cas k 7 0 1 ${cas}\r\nw\r\n`)).toBe('STORED\r\n');
    expect(await item(service, 'k')).toMatchObject({ value: 'w', flags: 7 });
  });
});

describe('what memcached stores, REST reads', () => {
  test.each([
    ['text', 'Hello', '"Hello"'],
    ['a canonical integer', '42', '42'],
    ['an integer beyond 2^53', '18446744073709551615', '18446744073709551615'],
    ['digits that are no canonical integer', '007', '"007"'],
    ['nothing', '', '""'],
    ['JSON, which is text to memcached', '{"a":1}', '"{\\"a\\":1}"'],
  ])('%s', async (_kind, bytes, json) => {
    const service = await startService();
    const client = await signedIn(service);
    expect(await client.ask(`set k 5 0 ${bytes.length}\r\n${bytes}\r\n`)).toBe('STORED\r\n');
    const response = await service.rest('GET', '/c/items/k');
    expect(await response.text()).toContain(`"value":${json},`);
    expect(await item(service, 'k')).toMatchObject({ flags: 5, expires: '9999-01-01T00:00:00Z' });
  });

  test('all 256 byte values, as base64 or as they are', async () => {
    const service = await startService();
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const client = await signedIn(service);
    expect(await client.ask(`set k 0 0 256\r\n${bytes.toString('latin1')}\r\n`)).toBe('STORED\r\n');
    const asJson = await service.rest('GET', '/c/items/k');
    expect(asJson.headers.get('x-ironcache-encoding')).toBe('base64');
    expect(((await asJson.json()) as { value: string }).value).toBe(bytes.toString('base64'));
    const raw = await service.rest('GET', '/c/items/k', undefined, { accept: 'application/octet-stream' });
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(bytes);
  });

  test('a value of 1 MiB, and its exact size', async () => {
    const service = await startService();
    const client = await signedIn(service);
    const value = 'y'.repeat(1_048_576);
    expect(await client.ask(`set big 0 0 ${value.length}\r\n${value}\r\n`)).toBe('STORED\r\n');
    expect(await item(service, 'big')).toMatchObject({ value });
    const info = (await (await service.rest('GET', '/c')).json()) as Record<string, unknown>;
    expect(info).toMatchObject({ name: 'c', project_id: PROJECT, size: 1 });
  });

  test('its expiry and a key of UTF-8 bytes', async () => {
    const service = await startService([], { clock: testClock(1_700_000_000_000) });
    const client = await signedIn(service);
    const key = Buffer.from('schlüssel').toString('latin1');
    expect(await client.ask(`set ${key} 0 60 1\r\nv\r\n`)).toBe('STORED\r\n');
    expect(await item(service, 'schlüssel')).toMatchObject({ value: 'v', expires: '2023-11-14T22:14:20Z' });
  });
});

describe('both doors change the same item', () => {
  test('counters, signed by one and unsigned by the other', async () => {
    const service = await startService();
    const client = await signedIn(service);
    const increment = async (amount: number) =>
      (await service.rest('POST', '/c/items/n/increment', { amount })).json();
    expect(await increment(5)).toEqual({ msg: 'Added', value: 5 });
    expect(await client.ask('incr n 10\r\n')).toBe('15\r\n');
    expect(await increment(-10)).toEqual({ msg: 'Added', value: 5 });
    expect(await client.ask('decr n 9\r\n')).toBe('0\r\n');
    expect(await item(service, 'n')).toMatchObject({ value: 0 });
  });

  test('a number that memcached shortened is still a number', async () => {
    const service = await startService();
    const client = await signedIn(service);
    await put(service, 'n', { value: 10 });
    expect(await client.ask('decr n 1\r\n')).toBe('9\r\n');
    expect(await client.ask('get n\r\n', 'END\r\n')).toBe('VALUE n 0 2\r\n9 \r\nEND\r\n');
    expect(await item(service, 'n')).toMatchObject({ value: 9 });
  });

  test('deleting the cache by REST empties it under an open connection, which goes on working', async () => {
    const service = await startService();
    const client = await signedIn(service);
    expect(await client.ask('set k 0 0 1\r\nv\r\n')).toBe('STORED\r\n');
    expect(await (await service.rest('DELETE', '/c')).json()).toEqual({ msg: 'Deleted.' });
    expect(await client.ask('get k\r\n')).toBe('END\r\n');
    expect(await client.ask('set k 0 0 1\r\nw\r\n')).toBe('STORED\r\n');
    expect(await item(service, 'k')).toMatchObject({ value: 'w' });
  });

  test('flush_all by memcached is a clear by REST', async () => {
    const service = await startService();
    await put(service, 'k', { value: 'v' });
    const client = await signedIn(service);
    expect(await client.ask('flush_all\r\n')).toBe('OK\r\n');
    expect((await service.rest('GET', '/c/items/k')).status).toBe(404);
    expect(await (await service.rest('GET', '/c')).json()).toMatchObject({ size: 0 });
  });
});

describe('a listener bound to a cache', () => {
  test('serves that cache without sign-in, and the same items', async () => {
    const service = await startService(['--memcached-bind', `127.0.0.1:0=${PROJECT}/c, 127.0.0.1:0=other`]);
    const [bound, other] = service.bound;
    await put(service, 'k', { value: 'v' });
    const client = await textClient(bound?.port ?? 0);
    expect(await client.ask('get k\r\n', 'END\r\n')).toBe('VALUE k 0 1\r\nv\r\nEND\r\n');
    const elsewhere = await textClient(other?.port ?? 0);
    expect(await elsewhere.ask('get k\r\n', 'END\r\n')).toBe('END\r\n');
    expect(service.log.join('')).not.toContain('WITHOUT SIGN-IN');
  });

  test('is warned of where others could reach it', async () => {
    const service = await startService(['--memcached-bind', '0.0.0.0:0=c']);
    expect(service.log.join('')).toContain('serves the cache c WITHOUT SIGN-IN');
  });

  test('needs a project that exists', async () => {
    await expect(startService(['--memcached-bind', `127.0.0.1:0=${'0'.repeat(24)}/c`])).rejects.toThrow(
      `IRONCACHED_MEMCACHED_BIND: there is no project ${'0'.repeat(24)}`,
    );
  });
});

describe('start and stop', () => {
  test('the first start makes a project and a token, the next ones use them', async () => {
    const dataDir = temporaryDirectory();
    const start = () => startService(['--data-dir', dataDir], { firstStart: true });
    const first = await start();
    const file = JSON.parse(readFileSync(join(dataDir, 'iron.json'), 'utf8'));
    expect(file).toEqual({
      project_id: expect.stringMatching(/^[0-9a-f]{24}$/),
      token: expect.stringMatching(/^[\w-]{32}$/),
      protocol: 'http',
      host: '127.0.0.1',
      port: first.httpPort,
      scheme: 'http',
      api_version: '1',
    });
    await first.service.stop();
    const second = await start();
    expect(second.service.plain).toEqual({ projectId: file.project_id, token: file.token });
  });

  test('one that is stopped when its doors have just opened does not say that it is ready', async () => {
    const stopping: Promise<boolean>[] = [];
    const opened = vi.spyOn(Sweeper.prototype, 'start').mockImplementation(() => {
      stopping.push(service.stop());
    });
    onTestFinished(() => opened.mockRestore());
    const said: string[] = [];
    const own = ['--http-port', '0', '--memcached-port', '0', '--data-dir', temporaryDirectory()];
    const result = readConfig(['--project-id', PROJECT, '--token', TOKEN, ...own], {});
    if (!('config' in result)) throw new Error(JSON.stringify(result));
    const logger = pino({}, { write: (line: string) => said.push(line) });
    const service = new Service({ config: result.config, logger, version: '1.2.3' });
    await expect(service.start()).rejects.toThrow('stopped before it was ready');
    expect(await Promise.all(stopping)).toEqual([true]);
    expect(said.join('')).not.toContain('ironcached is ready');
  });

  test('credentials that cannot be used are told with the setting that names them', async () => {
    const path = join(temporaryDirectory(), 'credentials.json');
    const start = () => startService(['--credentials-file', path], { firstStart: true });
    await expect(start()).rejects.toThrow(
      /^no credentials: ENOENT.*\(IRONCACHED_CREDENTIALS_FILE names the file\)$/,
    );
    writeFileSync(path, '{"version": 2, "projects": [{"id": "x"}], "tokens": []}');
    await expect(start()).rejects.toThrow('projects[0].id must be 24 lower-case hexadecimal digits');
    const dataDir = temporaryDirectory();
    writeFileSync(join(dataDir, 'credentials.json'), '{');
    await expect(startService(['--data-dir', dataDir], { firstStart: true, dataDir })).rejects.toThrow(
      'IRONCACHED_DATA_DIR names the directory',
    );
  });

  test('a project that its file does not name for a while finds its caches again', async () => {
    const file = join(temporaryDirectory(), 'credentials.json');
    const named = {
      version: 2,
      projects: [{ id: PROJECT }],
      tokens: [{ name: 't', token: TOKEN, projects: [PROJECT] }],
    };
    writeFileSync(file, JSON.stringify(named));
    const service = await startService(['--credentials-file', file], { firstStart: true });
    expect((await service.rest('PUT', '/c/items/k', { value: 'v' })).status).toBe(200);
    writeFileSync(file, JSON.stringify({ version: 2, projects: [], tokens: [] }));
    await service.service.reloadCredentials();
    expect((await service.rest('GET', '/c/items/k')).status).toBe(404);
    expect(service.log.join('')).toContain('projects are not named any more');
    writeFileSync(file, JSON.stringify(named));
    await service.service.reloadCredentials();
    expect((await service.rest('GET', '/c/items/k')).status).toBe(200);
  });

  test('a taken port is told in one line', async () => {
    const service = await startService();
    await expect(startService(['--memcached-port', String(service.memcachedPort)])).rejects.toThrow(
      /^the memcached listener cannot start: .*another program uses that port \(see IRONCACHED_MEMCACHED_PORT\)$/,
    );
    await expect(startService(['--http-port', String(service.httpPort)])).rejects.toThrow(
      /^the REST listener cannot start: .*another program uses that port \(see IRONCACHED_HTTP_PORT\)$/,
    );
  });

  test('a host that is none of this machine is told in one line', async () => {
    // An address that is for examples alone: RFC 5737.
    for (const [flag, setting] of [
      ['--memcached-host', 'MEMCACHED_HOST'],
      ['--http-host', 'HTTP_HOST'],
    ]) {
      await expect(startService([`${flag}=203.0.113.1`])).rejects.toThrow(
        new RegExp(`listener cannot start: [^\n]* \\(see IRONCACHED_${setting}\\)$`),
      );
    }
  });

  test('a data directory that is a file is told with its setting', async () => {
    const dataDir = join(temporaryDirectory(), 'file');
    writeFileSync(dataDir, '');
    await expect(startService(['--data-dir', dataDir], { firstStart: true, dataDir })).rejects.toThrow(
      'IRONCACHED_DATA_DIR',
    );
  });

  test('a stop answers what was asked, then closes every connection', async () => {
    const service = await startService();
    const client = await signedIn(service);
    client.send('set k 0 0 1\r\nv\r\nget k\r\n');
    expect(await client.receive('END\r\n')).toBe('STORED\r\nVALUE k 0 1\r\nv\r\nEND\r\n');
    await service.service.stop();
    expect(await client.rest()).toBe('');
    await expect(fetch(`http://127.0.0.1:${service.httpPort}/version`)).rejects.toThrow('fetch failed');
  });
});
