import assert from 'node:assert';
import { NEVER } from '../../../dist/engine/item.js';
import { KeyBytes } from '../../../dist/engine/key.js';
import { itemValue, keyOf } from '../load/items.mjs';
import { engineOver, forEachNumber, MIB, numbers, openStore, PROJECT_ID } from './work.mjs';

/** @typedef {import('./work.mjs').Work} Work */

const keys = numbers.map(keyOf);
const items = numbers.map((i) => newItem(itemValue(i, 100)));

/** @returns {Work[]} */
export function engineWorks() {
  const cache = openCache('arena');
  const up = /** @type {const} */ ({ rule: 'unsigned', direction: 'up', delta: 1n });
  cache.store('set', 'counter', newItem(Buffer.from('1000000')));
  return [
    ...cacheWorks('engine', cache),
    forEachNumber('engine, get by bytes', (i) => cache.get(keyBytesAt(i))),
    forEachNumber('engine, get that misses', () => cache.get('missing')),
    forEachNumber('engine, incr', () => cache.calculate('counter', up)),
    forEachNumber('engine, delete and set', (i) => {
      cache.delete(keyAt(i));
      cache.store('set', keyAt(i), itemAt(i));
    }),
  ];
}

/** @returns {Work[]} */
export function storeWorks() {
  const stored = openStore('arena').cache(PROJECT_ID, 'bench');
  const put = (/** @type {number} */ i) =>
    stored.update(keyAt(i), (_current, cas) => ({
      action: 'put',
      draft: { ...itemAt(i), cas },
      outcome: undefined,
    }));
  for (const i of numbers) put(i);
  assert(isItem(stored.read(keyAt(7), true), 7));
  return [
    forEachNumber('arena, read', (i) => stored.read(keyAt(i), true)),
    forEachNumber('arena, put over another', put),
    evicting(),
    ...cacheWorks('engine on lru-cache', openCache('lru-cache')),
  ];
}

/** Each write makes one of a million keys, and room for it. */
function evicting() {
  const cache = openCache('arena', 8 * MIB);
  let next = 0;
  return forEachNumber('engine, set that evicts', (i) => {
    next = (next + 1) % 1_000_000;
    cache.store('set', `another-${next}`, itemAt(i));
  });
}

/** @param {string} name @param {ReturnType<typeof openCache>} cache @returns {Work[]} */
function cacheWorks(name, cache) {
  for (const i of numbers) assert.equal(cache.store('set', keyAt(i), itemAt(i)), 'stored');
  for (const i of numbers) assert(isItem(cache.get(keyAt(i)), i));
  return [
    forEachNumber(`${name}, get`, (i) => cache.get(keyAt(i))),
    forEachNumber(`${name}, set of 100 B`, (i) => cache.store('set', keyAt(i), itemAt(i))),
  ];
}

/** @param {'arena' | 'lru-cache'} kind @param {number} [bytesMax] */
function openCache(kind, bytesMax) {
  return engineOver(openStore(kind, bytesMax)).cache(PROJECT_ID, 'bench');
}

/** @param {Buffer} value */
function newItem(value) {
  return /** @type {const} */ ({ value, kind: 'bytes', flags: 0, expiresAt: NEVER });
}

/** @param {any} item @param {number} number */
function isItem(item, number) {
  return item?.value.equals(itemValue(number, 100)) === true;
}

// As memcached's parser gives them, new for each request.
const chunk = Buffer.from(keys.join(''));
const KEY_LENGTH = chunk.length / keys.length;

/** @param {number} i */
const keyBytesAt = (i) => new KeyBytes(chunk, i * KEY_LENGTH, KEY_LENGTH);

/** @param {number} i */
const keyAt = (i) => /** @type {string} */ (keys[i]);

/** @param {number} i */
const itemAt = (i) => /** @type {ReturnType<typeof newItem>} */ (items[i]);
