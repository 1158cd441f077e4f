// The npm package iron-cache. Its lib/http.js has the address of the hosted service written into it, and
// needs the deprecated package `request`: so lib/ironcache.js gets the same few lines with our address.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as checks from './checks.mjs';
import { absent, cache, call, load, operation, same } from './checks.mjs';

const ironCache = load('iron-cache/lib/ironcache.js');

function http(uri, token, method, data, done) {
  const [body, callback] = typeof data === 'function' ? [undefined, data] : [JSON.stringify(data), done];
  const url = `http://${checks.host}:${checks.httpPort}/1${encodeURI(uri)}?oauth=${encodeURIComponent(token)}`;
  fetch(url, { method, headers: { 'content-type': 'application/json' }, ...(body && { body }) })
    .then(async (response) => ({ statusCode: response.status, body: await response.json() }))
    .then(
      (response) => callback(null, response, response.body),
      (error) => callback(error),
    );
}

const client = ironCache(checks.project, checks.token, http);
const run = (method, ...args) => call(client, method, cache, ...args);
const valueAt = async (key) => (await run('get', key)).value;

await operation('put, get', async () => {
  same((await run('put', 'key', { value: 'value' })).msg, 'Stored.');
  same(await valueAt('key'), 'value');
  await run('put', 'empty', { value: '' });
  same(await valueAt('empty'), '');
});

await operation('types', async () => {
  for (const value of ['text', 'ä ☃ 𝄞', '42', 42, -1.5, true, false, null, [1, { a: null }]]) {
    await run('put', 'typed', { value });
    same(await valueAt('typed'), value);
  }
});

await operation('missing key, wrong token', async () => {
  await assert.rejects(run('get', 'not-there'), /Key not found/);
  await assert.rejects(run('del', 'not-there'));
  await assert.rejects(call(ironCache(checks.project, 'wrong', http), 'get', cache, 'key'));
});

await operation('add, replace', async () => {
  same((await run('put', 'added', { value: '1', add: true })).msg, 'Stored.');
  same((await run('put', 'added', { value: '2', add: true })).msg, 'Not stored.');
  same((await run('put', 'added', { value: '3', replace: true })).msg, 'Stored.');
  same(await valueAt('added'), '3');
});

await operation('cas', async () => {
  await run('put', 'cas', { value: '1' });
  const { cas } = await run('get', 'cas');
  same((await run('put', 'cas', { value: '2', cas })).msg, 'Stored.');
  same((await run('put', 'cas', { value: '3', cas })).msg, 'Not stored.');
});

await operation('increment', async () => {
  await run('put', 'number', { value: 10 });
  same((await run('incr', 'number', 5)).value, 15);
  same((await run('incr', 'number', -20)).value, -5);
});

await operation('900 KB', async () => {
  const value = 'x'.repeat(900 * 1024);
  await run('put', 'large', { value });
  same(await valueAt('large'), value);
});

await operation('expiry', async () => {
  await run('put', 'expiring', { value: '1', expires_in: 1 });
  same(await valueAt('expiring'), '1');
  await sleep(2100);
  await assert.rejects(run('get', 'expiring'));
});

await operation('delete', async () => {
  same((await run('del', 'key')).msg, 'Deleted.');
  await assert.rejects(run('get', 'key'));
});

absent('keys with every kind of character', 'it encodes nothing');

await operation('list, info', async () => {
  const caches = await call(client, 'list');
  assert.ok(caches.some(({ name }) => name === cache));
  assert.ok((await run('info')).size > 0);
});

await operation('clear, delete the cache', async () => {
  same((await run('clearCache')).msg, 'Cleared.');
  same((await run('info')).size, 0);
  same((await run('delCache')).msg, 'Deleted.');
  await assert.rejects(run('info'));
});

process.exit(0);
