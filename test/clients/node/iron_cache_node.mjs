// The official client iron_cache_node, from its checkout in --sources (with iron_core beside it).
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as checks from './checks.mjs';
import { cache, load, operation, same } from './checks.mjs';

const { Client } = load('../iron_cache_node');
const connect = (token = checks.token) =>
  new Client({
    project_id: checks.project,
    token,
    scheme: 'http',
    host: checks.host,
    port: checks.httpPort,
  });
const client = connect();

// Its callbacks come with an error, or with the body.
function run(method, ...args) {
  return new Promise((resolve, reject) => {
    client[method](...args, (error, body) => (error ? reject(error) : resolve(body)));
  });
}
const cacheName = encodeURIComponent(cache);
const put = (key, options) => run('putItem', key, cacheName, options);
const valueAt = async (key) => (await run('getItem', key, cacheName, {})).value;

await operation('put, get', async () => {
  same((await put('key', { value: 'value' })).msg, 'Stored.');
  same(await valueAt('key'), 'value');
});

await operation('types', async () => {
  for (const value of ['text', 'ä ☃ 𝄞', '42', 42, -1.5, true, [1, { a: null }]]) {
    await put('typed', { value });
    same(await valueAt('typed'), value);
  }
});

await operation('missing key', () => assert.rejects(run('getItem', 'not-there', cacheName, {})));

await operation('add, replace', async () => {
  await put('added', { value: '1', add: true });
  same((await put('added', { value: '2', add: true })).msg, 'Not stored.');
  same((await put('added', { value: '3', replace: true })).msg, 'Stored.');
});

await operation('increment', async () => {
  await put('number', { value: 10 });
  same((await run('IncrementItem', 'number', cacheName, { amount: 5 })).value, 15);
});

await operation('900 KB', async () => {
  const value = 'x'.repeat(900 * 1024);
  await put('large', { value });
  same(await valueAt('large'), value);
});

await operation('expiry', async () => {
  await put('expiring', { value: '1', expires_in: 1 });
  same(await valueAt('expiring'), '1');
  await sleep(2100);
  await assert.rejects(valueAt('expiring'));
});

await operation('delete', async () => {
  same((await run('deleteItem', 'key', cacheName, {})).msg, 'Deleted.');
  await assert.rejects(valueAt('key'));
});

await operation('list, info', async () => {
  assert.ok((await run('cachesList', {})).some(({ name }) => name === cache));
  assert.ok((await run('getCache', cacheName, {})).size > 0);
});

await operation('clear, delete the cache', async () => {
  same((await run('clearCache', cacheName, {})).msg, 'Cleared.');
  same((await run('deleteCache', cacheName, {})).msg, 'Deleted.');
});

process.exit(0);
