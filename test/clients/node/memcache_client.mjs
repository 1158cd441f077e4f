import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as checks from './checks.mjs';
import { absent, byRest, host, load, many, operation, same } from './checks.mjs';

const { MemcacheClient } = load('memcache-client');
const connect = (port = checks.memcachedPort, maxConnections = 1) =>
  new MemcacheClient({ server: { server: `${host}:${port}`, maxConnections } });
const client = connect();
const valueAt = async (key) => (await client.get(key))?.value;

await operation('wrong token', async () => {
  await assert.rejects(client.set('oauth', checks.wrongSignIn));
  await assert.rejects(client.get('key'));
});

await operation('sign-in', async () => same(await client.set('oauth', checks.signIn), ['STORED']));

await operation('set, get', async () => {
  same(await client.set('key', 'value'), ['STORED']);
  same(await valueAt('key'), 'value');
  same(await valueAt('not-there'), undefined);
  await client.set('empty', '');
  same(await valueAt('empty'), '');
});

await operation('seen by REST', async () => same(String(await byRest('key')), 'value'));

await operation('add, replace', async () => {
  same(await client.add('added', '1'), ['STORED']);
  await assert.rejects(client.add('added', '2'), /NOT_STORED/);
  same(await client.replace('added', '3'), ['STORED']);
  await assert.rejects(client.replace('not-there', '4'), /NOT_STORED/);
  same(await valueAt('added'), '3');
});

await operation('append, prepend', async () => {
  await client.append('key', '>');
  await client.prepend('key', '<');
  same(await valueAt('key'), '<value>');
});

await operation('delete', async () => {
  same(await client.delete('key'), ['DELETED']);
  await assert.rejects(client.delete('key'), /NOT_FOUND/);
});

await operation('incr, decr', async () => {
  await client.set('number', '10');
  same(await client.incr('number', 5), '15');
  same(await client.decr('number', 20), '0');
  await assert.rejects(client.incr('not-there', 1), /NOT_FOUND/);
});

await operation('touch', async () => {
  await client.set('touched', '1', { lifetime: 100 });
  same(await client.touch('touched', 1), ['TOUCHED']);
  await assert.rejects(client.touch('not-there', 1), /NOT_FOUND/);
});

absent('gat');

await operation('multi-get of 100 keys', async () => {
  await Promise.all(Object.entries(many).map(([key, value]) => client.set(key, value)));
  const found = await client.get([...Object.keys(many), 'not-there']);
  same(Object.fromEntries(Object.entries(found).map(([key, { value }]) => [key, value])), many);
});

await operation('cas', async () => {
  await client.set('cas', '1');
  const { casUniq } = await client.gets('cas');
  same(await client.cas('cas', '2', { casUniq }), ['STORED']);
  await assert.rejects(client.cas('cas', '3', { casUniq }), /EXISTS/);
  same(await valueAt('cas'), '2');
});

await operation('flags, types', async () => {
  for (const value of ['text', 'ä ☃', 42, -1.5, { a: [1, null] }, [1, 2]]) {
    await client.set('typed', value);
    same(await valueAt('typed'), value);
  }
});

await operation('all byte values', async () => {
  await client.set('bytes', checks.allBytes);
  same(await valueAt('bytes'), checks.allBytes);
  same(await byRest('bytes'), checks.allBytes);
});

await operation('900 KB', async () => {
  await client.set('large', checks.large);
  same(await valueAt('large'), checks.large);
});

await operation('expiry', async () => {
  await client.set('expiring', '1', { lifetime: 1 });
  await client.set('staying', '1', { lifetime: 100 });
  same(await valueAt('expiring'), '1');
  await sleep(2100);
  same(await valueAt('expiring'), undefined);
  same(await valueAt('touched'), undefined);
  same(await valueAt('staying'), '1');
});

await operation('noreply', async () => {
  await client.set('quiet', '1', { noreply: true });
  same(await valueAt('quiet'), '1');
});

await operation('stats, version', async () => {
  const { STAT } = await client.cmd('stats');
  assert.ok(STAT.some(([name, value]) => name === 'curr_items' && Number(value) > 0));
  assert.ok(await client.version());
});

await operation('flush', async () => {
  await client.set('flushed', '1');
  same(await client.cmd('flush_all'), ['OK']);
  same(await valueAt('flushed'), undefined);
});

await operation('reconnect', async () => {
  client.shutdown();
  const again = connect();
  await assert.rejects(again.get('key'));
  await again.set('oauth', checks.signIn);
  await again.set('key', 'again');
  same((await again.get('key')).value, 'again');
  again.shutdown();
});

await operation('pool, bound listener', async () => {
  const pool = connect(checks.boundPort, 8);
  const keys = Array.from({ length: 200 }, (_, i) => `pooled-${i}`);
  await Promise.all(keys.map((key) => pool.set(key, key)));
  const found = await Promise.all(keys.map((key) => pool.get(key)));
  same(
    found.map(({ value }) => value),
    keys,
  );
  pool.shutdown();
});

process.exit(0);
