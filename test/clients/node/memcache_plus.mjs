import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as checks from './checks.mjs';
import { absent, byRest, host, load, many, operation, same } from './checks.mjs';

const MemcachePlus = load('memcache-plus');
const connect = (port = checks.memcachedPort) =>
  new MemcachePlus({ hosts: [`${host}:${port}`], maxValueSize: 4 << 20, netTimeout: 5000 });
const client = connect();

await operation('wrong token', async () => {
  await assert.rejects(client.set('oauth', checks.wrongSignIn));
});

await operation('sign-in', async () => client.set('oauth', checks.signIn));

await operation('set, get', async () => {
  await client.set('key', 'value');
  same(await client.get('key'), 'value');
  same(await client.get('not-there'), null);
});

await operation('seen by REST', async () => same(String(await byRest('key')), 'value'));

await operation('add, replace', async () => {
  await client.add('added', '1');
  await assert.rejects(client.add('added', '2'));
  await client.replace('added', '3');
  await assert.rejects(client.replace('not-there', '4'));
  same(await client.get('added'), '3');
});

await operation('append, prepend', async () => {
  await client.append('key', '>');
  await client.prepend('key', '<');
  same(await client.get('key'), '<value>');
});

await operation('delete', async () => {
  same(await client.delete('key'), true);
  same(await client.delete('key'), false);
});

await operation('incr, decr', async () => {
  await client.set('number', '10');
  same(await client.incr('number', 5), 15);
  same(await client.decr('number', 20), 0);
});

absent('touch');
absent('gat');

await operation('multi-get of 100 keys', async () => {
  for (const [key, value] of Object.entries(many)) await client.set(key, value);
  same({ ...(await client.getMulti([...Object.keys(many), 'not-there'])) }, { ...many, 'not-there': null });
});

await operation('cas', async () => {
  await client.set('cas', '1');
  const [value, cas] = await client.gets('cas');
  same(value, '1');
  same(await client.cas('cas', '2', cas), true);
  same(await client.cas('cas', '3', cas), false);
  same(await client.get('cas'), '2');
});

await operation('flags, types', async () => {
  for (const value of ['text', 'ä ☃', 42, -1.5, { a: [1, null] }, [1, 2]]) {
    await client.set('typed', value);
    same(await client.get('typed'), value);
  }
  await client.set('zipped', 'zipped '.repeat(1000), { compressed: true });
  same(await client.get('zipped', { compressed: true }), 'zipped '.repeat(1000));
});

absent('all byte values', 'it spoils buffers, also with memcached itself');

await operation('900 KB', async () => {
  const text = 'x'.repeat(900 * 1024);
  await client.set('large', text);
  same(await client.get('large'), text);
});

await operation('expiry', async () => {
  await client.set('expiring', '1', 1);
  await client.set('staying', '1', 100);
  same(await client.get('expiring'), '1');
  await sleep(2100);
  same(await client.get('expiring'), null);
  same(await client.get('staying'), '1');
});

await operation('items, version', async () => {
  assert.ok(await client.items());
  assert.ok(await client.version());
});

await operation('flush', async () => {
  await client.set('flushed', '1');
  await client.flush();
  same(await client.get('flushed'), null);
});

await operation('reconnect', async () => {
  await client.disconnect();
  const again = connect();
  await again.set('oauth', checks.signIn);
  await again.set('key', 'again');
  same(await again.get('key'), 'again');
  await again.disconnect();
});

await operation('bound listener', async () => {
  const bound = connect(checks.boundPort);
  const keys = Array.from({ length: 200 }, (_, i) => `bound-${i}`);
  await Promise.all(keys.map((key) => bound.set(key, key)));
  same(await Promise.all(keys.map((key) => bound.get(key))), keys);
});

process.exit(0);
