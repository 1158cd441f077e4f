import { expect, test } from 'vitest';
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
  const dataDir = temporaryDirectory();
  const flags = ['--durability', durability, '--fsync', fsync];
  const first = await startService(flags, { dataDir });
  const before = await member(first, 'c');
  expect(await before.ask('set a 7 100 5\r\nvalue\r\n')).toBe('STORED\r\n');
  expect(await before.ask('set n 0 0 2\r\n41\r\n')).toBe('STORED\r\n');
  expect(await before.ask('incr n 1\r\n')).toBe('42\r\n');
  expect((await first.rest('PUT', '/c/items/json', { value: { deep: [1, 2] } })).status).toBe(200);
  const info = await (await first.rest('GET', '/c')).json();
  await first.service.stop();

  const second = await startService(flags, { dataDir });
  const after = await member(second, 'c');
  expect(await after.ask('mg a v f t\r\n')).toMatch(/^VA 5 f7 t(99|100)\r\n/);
  expect(await after.receive()).toBe('value\r\n');
  expect(await after.ask('incr n 1\r\n')).toBe('43\r\n');
  expect(await (await second.rest('GET', '/c/items/json')).json()).toMatchObject({ value: { deep: [1, 2] } });
  expect(await (await second.rest('GET', '/c')).json()).toMatchObject({
    id: (info as { id: string }).id,
    size: 3,
  });
});
