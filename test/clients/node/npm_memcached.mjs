import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as checks from './checks.mjs';
import { absent, byRest, call, host, load, many, operation, same } from './checks.mjs';

const Memcached = load('memcached');
// One connection, since each must sign in, and one that stays, without a pause; a pool goes to a bound
// listener.
const connect = (port = checks.memcachedPort, options = { poolSize: 1, idle: 0 }) =>
  new Memcached(`${host}:${port}`, { maxValue: 4 << 20, ...options });
const client = connect();
const run = (method, ...args) => call(client, method, ...args);

await operation('wrong token', async () => {
  await assert.rejects(run('set', 'oauth', checks.wrongSignIn, 0));
  await assert.rejects(run('get', 'key'));
});

await operation('sign-in', async () => same(await run('set', 'oauth', checks.signIn, 0), true));

await operation('set, get', async () => {
  same(await run('set', 'key', 'value', 0), true);
  same(await run('get', 'key'), 'value');
  same(await run('get', 'not-there'), undefined);
  same(await run('set', 'empty', '', 0), true);
  same(await run('get', 'empty'), '');
});

await operation('seen by REST', async () => same(String(await byRest('key')), 'value'));

await operation('add, replace', async () => {
  same(await run('add', 'added', '1', 0), true);
  await assert.rejects(run('add', 'added', '2', 0));
  same(await run('replace', 'added', '3', 0), true);
  await assert.rejects(run('replace', 'not-there', '4', 0));
  same(await run('get', 'added'), '3');
});

await operation('append, prepend', async () => {
  same(await run('append', 'key', '>'), true);
  same(await run('prepend', 'key', '<'), true);
  same(await run('get', 'key'), '<value>');
});

await operation('delete', async () => {
  same(await run('del', 'key'), true);
  same(await run('del', 'key'), false);
});

await operation('incr, decr', async () => {
  await run('set', 'number', 10, 0);
  same(await run('incr', 'number', 5), 15);
  same(await run('decr', 'number', 20), 0);
  same(await run('incr', 'not-there', 1), false);
});

await operation('touch', async () => {
  await run('set', 'touched', '1', 100);
  same(await run('touch', 'touched', 1), true);
  same(await run('touch', 'not-there', 1), false);
});

absent('gat');

await operation('multi-get of 100 keys', async () => {
  for (const [key, value] of Object.entries(many)) await run('set', key, value, 0);
  same({ ...(await run('getMulti', [...Object.keys(many), 'not-there'])) }, many);
});

await operation('cas', async () => {
  await run('set', 'cas', '1', 0);
  const { cas } = await run('gets', 'cas');
  same(await run('cas', 'cas', '2', cas, 0), true);
  same(await run('cas', 'cas', '3', cas, 0), false);
  same(await run('get', 'cas'), '2');
});

await operation('flags, types', async () => {
  for (const value of ['text', 'ä ☃', 42, -1.5, true, false, { a: [1, null] }, [1, 2]]) {
    await run('set', 'typed', value, 0);
    same(await run('get', 'typed'), value);
  }
});

await operation('all byte values', async () => {
  await run('set', 'bytes', checks.allBytes, 0);
  // Its own form on the wire (UTF-8, with line ends escaped), which no other client reads.
  same(await run('get', 'bytes'), checks.allBytes);
});

await operation('900 KB', async () => {
  const text = 'x'.repeat(900 * 1024);
  await run('set', 'large', text, 0);
  same(await run('get', 'large'), text);
});

await operation('expiry', async () => {
  await run('set', 'expiring', '1', 1);
  await run('set', 'staying', '1', 100);
  same(await run('get', 'expiring'), '1');
  await sleep(2100);
  same(await run('get', 'expiring'), undefined);
  same(await run('get', 'touched'), undefined);
  same(await run('get', 'staying'), '1');
});

await operation('stats, version, settings, items', async () => {
  const [stats] = await run('stats');
  assert.ok(stats.curr_items > 0);
  assert.ok((await run('version')).length > 0);
  assert.ok(await run('settings'));
  assert.ok(await run('items'));
  assert.ok(await run('slabs'));
});

await operation('flush', async () => {
  await run('set', 'flushed', '1', 0);
  same(await run('flush'), [true]);
  same(await run('get', 'flushed'), undefined);
});

await operation('reconnect', async () => {
  client.end();
  const again = connect();
  await assert.rejects(call(again, 'get', 'key'));
  same(await call(again, 'set', 'oauth', checks.signIn, 0), true);
  same(await call(again, 'set', 'key', 'again', 0), true);
  same(await call(again, 'get', 'key'), 'again');
  again.end();
});

await operation('pool, bound listener', async () => {
  const pool = connect(checks.boundPort, { poolSize: 8 });
  const keys = Array.from({ length: 200 }, (_, i) => `pooled-${i}`);
  await Promise.all(keys.map((key) => call(pool, 'set', key, key, 0)));
  same(await Promise.all(keys.map((key) => call(pool, 'get', key))), keys);
  pool.end();
});

process.exit(0);
