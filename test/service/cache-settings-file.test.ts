import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { CacheSettingsFile } from '../../src/service/cache-settings-file.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { testClock } from '../support/clock.ts';
import { PROJECT, startService, TOKEN, temporaryDirectory } from '../support/service.ts';
import { signIn, textClient } from '../support/text-client.ts';

const ADMIN = 'an-admin-token-for-the-tests';
const KEPT = { policy: 'none', quota: { itemsMax: 1 }, defaultExpiresInSeconds: 60 } as const;
const OTHER = 'b2'.repeat(12);

const log = { error: () => {} };

function newEngine(): Engine {
  const clock = testClock();
  const store = new ArenaStore({ bytesMax: 1024 * 1024, cachesMax: 10, now: clock.now });
  return new Engine(store, { valueBytesMax: 1000, defaultExpiresInSeconds: 0 }, clock);
}

test('settings are there again at the next start', async () => {
  const dataDir = join(temporaryDirectory(), 'made');
  const file = await CacheSettingsFile.open(dataDir, { engine: newEngine(), cachesMax: 10, log });
  await Promise.all(
    ['a', 'b', 'ä/ö'].map((name, i) =>
      file.configure(PROJECT, name, { ...KEPT, quota: { itemsMax: i + 1 } }),
    ),
  );
  await file.configure(OTHER, 'a', KEPT);
  await file.configure(PROJECT, 'b', undefined);
  await file.configure(PROJECT, 'a', { policy: 'lru', quota: {} });
  const engine = newEngine();
  await CacheSettingsFile.open(dataDir, { engine, cachesMax: 10, log });
  expect(engine.settings(PROJECT, 'ä/ö')).toEqual({ ...KEPT, quota: { itemsMax: 3 } });
  for (const name of ['a', 'b']) expect(engine.settings(PROJECT, name)).toEqual({ policy: 'lru', quota: {} });
  expect(engine.settings(OTHER, 'a')).toEqual(KEPT);
  expect(statSync(join(dataDir, 'cache-settings.json')).mode & 0o777).toBe(0o600);
});

test('what was said of a deleted project is forgotten', async () => {
  const dataDir = temporaryDirectory();
  const engine = newEngine();
  const file = await CacheSettingsFile.open(dataDir, { engine, cachesMax: 10, log });
  await file.configure(PROJECT, 'a', KEPT);
  await file.configure(OTHER, 'a', KEPT);
  await file.forgetProjects([PROJECT]);
  expect(engine.settings(PROJECT, 'a')).toEqual({ policy: 'lru', quota: {} });
  expect(engine.settings(OTHER, 'a')).toEqual(KEPT);
  expect(readFileSync(join(dataDir, 'cache-settings.json'), 'utf8')).not.toContain(PROJECT);
});

test.each([
  ['{', 'is not valid JSON'],
  ['{"version":2,"caches":[]}', 'version must be 1'],
  ['{"version":1,"caches":[{"project_id":"x","cache":"c"}]}', 'caches[0].project_id must be 24 lower-case'],
  [
    `{"version":1,"caches":[{"project_id":"${PROJECT}","cache":"c","policy":"x"}]}`,
    'caches[0].policy must be "lru"',
  ],
])('a broken file is refused at the start: %s', async (text, reason) => {
  const dataDir = temporaryDirectory();
  writeFileSync(join(dataDir, 'cache-settings.json'), text);
  await expect(startService(['--data-dir', dataDir])).rejects.toThrow(reason);
});

test('settings of very many caches are written in pieces, between which others have their turn', async () => {
  const dataDir = temporaryDirectory();
  const names = Array.from({ length: 5_000 }, (_, i) => `cache ${i}`);
  const caches = names.map((cache) => ({ project_id: PROJECT, cache, policy: 'none' }));
  writeFileSync(join(dataDir, 'cache-settings.json'), JSON.stringify({ version: 1, caches }));
  const parts = { engine: newEngine(), cachesMax: names.length + 1, log };
  const file = await CacheSettingsFile.open(dataDir, parts);
  const stringify = vi.spyOn(JSON, 'stringify');
  onTestFinished(() => stringify.mockRestore());
  await file.configure(PROJECT, 'one more', KEPT);
  expect(Math.max(...stringify.mock.results.map(({ value }) => value.length))).toBeLessThan(1_000);
  const engine = newEngine();
  await CacheSettingsFile.open(dataDir, { ...parts, engine });
  expect(engine.settings(PROJECT, 'cache 4999')).toMatchObject({ policy: 'none' });
  expect(engine.settings(PROJECT, 'one more')).toEqual(KEPT);
});

test('a project may have settings for so many caches, and those that it has may be changed', async () => {
  const engine = newEngine();
  const parts = { engine, cachesMax: 2, log };
  const file = await CacheSettingsFile.open(temporaryDirectory(), parts);
  for (const name of ['a', 'b']) await file.configure(PROJECT, name, KEPT);
  await expect(file.configure(PROJECT, 'c', KEPT)).rejects.toMatchObject({ code: 'too_many_caches' });
  await file.configure(OTHER, 'c', KEPT);
  await file.configure(PROJECT, 'b', { policy: 'lru', quota: {} });
  await file.configure(PROJECT, 'a', undefined);
  await file.configure(PROJECT, 'c', KEPT);
  expect(engine.settings(PROJECT, 'c')).toEqual(KEPT);
});

test('nor may it have more by asking for several at once', async () => {
  const engine = newEngine();
  const file = await CacheSettingsFile.open(temporaryDirectory(), { engine, cachesMax: 2, log });
  const asked = ['a', 'b', 'c'].map((name) => file.configure(PROJECT, name, KEPT));
  const told = await Promise.allSettled(asked);
  expect(told.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect(engine.settings(PROJECT, 'c')).toEqual({ policy: 'lru', quota: {} });
});

test('what was not kept is not kept with the next change either', async () => {
  const dataDir = temporaryDirectory();
  const parts = { engine: newEngine(), cachesMax: 10, log };
  const file = await CacheSettingsFile.open(dataDir, parts);
  await file.configure(PROJECT, 'a', KEPT);
  const obstacle = join(dataDir, 'cache-settings.json.new');
  mkdirSync(obstacle);
  await expect(file.configure(PROJECT, 'b', KEPT)).rejects.toThrow();
  await expect(file.configure(PROJECT, 'a', undefined)).rejects.toThrow();
  rmSync(obstacle, { recursive: true });
  await file.configure(OTHER, 'c', KEPT);
  const engine = newEngine();
  await CacheSettingsFile.open(dataDir, { ...parts, engine });
  expect(engine.settings(PROJECT, 'a')).toEqual(KEPT);
  expect(engine.settings(PROJECT, 'b')).toEqual({ policy: 'lru', quota: {} });
  expect(engine.settings(OTHER, 'c')).toEqual(KEPT);
});

test('where there are no settings, nothing is written to forget them', async () => {
  const dataDir = join(temporaryDirectory(), 'none');
  const file = await CacheSettingsFile.open(dataDir, { engine: newEngine(), cachesMax: 10, log });
  await file.forgetProjects([PROJECT]);
  await file.configure(PROJECT, 'a', undefined);
  expect(existsSync(dataDir)).toBe(false);
});

test('settings that cannot be kept are told so, and not made', async () => {
  const service = await startService(['--admin-token', ADMIN]);
  const url = `http://127.0.0.1:${service.httpPort}/1/projects/${PROJECT}/caches/c/settings?oauth=${ADMIN}`;
  const obstacle = join(service.dataDir, 'cache-settings.json.new');
  mkdirSync(obstacle);
  const put = () => fetch(url, { method: 'PUT', body: '{"policy":"none"}' });
  const refused = await put();
  expect([refused.status, await refused.json()]).toEqual([
    500,
    { msg: 'The change could not be kept, and was not made. The log says why.' },
  ]);
  expect(service.log.join('')).toContain('settings of a cache could not be kept');
  expect(await (await fetch(url)).json()).toMatchObject({ policy: 'lru' });
  rmSync(obstacle, { recursive: true });
  expect((await put()).status).toBe(200);
});

test('an admin sets a cache of the running service, and a memcached client feels it', async () => {
  const service = await startService(['--admin-token', ADMIN]);
  const url = `http://127.0.0.1:${service.httpPort}/1/projects/${PROJECT}/caches/c/settings`;
  const ask = (token: string) =>
    fetch(url, {
      method: 'PUT',
      headers: { authorization: `OAuth ${token}` },
      body: '{"policy":"none","quotas":{"items":1,"bytes":1000}}',
    });
  expect((await ask(TOKEN)).status).toBe(403);
  expect((await ask(ADMIN)).status).toBe(200);
  const client = await textClient(service.memcachedPort);
  await client.ask(signIn(TOKEN, PROJECT, 'c'));
  expect(await client.ask('set a 0 0 1\r\n1\r\n')).toBe('STORED\r\n');
  expect(await client.ask('set b 0 0 1\r\n1\r\n')).toBe('SERVER_ERROR out of memory storing object\r\n');
  expect(await client.ask('set a 0 0 1\r\n2\r\n')).toBe('STORED\r\n');
  // Where things are evicted, a failed set takes the old value with it. Here, nothing is lost.
  for (const bytes of [1000, 2_000_000]) {
    expect(await client.ask(`set a 0 0 ${bytes}\r\n${'x'.repeat(bytes)}\r\n`)).toMatch(/^SERVER_ERROR /);
  }
  expect(await client.ask('get a b\r\n', 'END\r\n')).toBe('VALUE a 0 1\r\n2\r\nEND\r\n');
});
