// Fills a store with as many items as the first argument says, through the engine, without sockets: counts
// them, reads each one, then replaces a part by others and does so again.
// The second argument names the store.
import { Engine } from '../../dist/engine/engine.js';
import { NEVER } from '../../dist/engine/item.js';
import { ArenaStore } from '../../dist/storage/arena.js';
import { ITEM_OVERHEAD_BYTES, LruCacheStore } from '../../dist/storage/lru-cache.js';

const [, , count, storeName] = process.argv;
const items = Number(count);
const replaced = Math.floor(items / 3);
const isArena = storeName === 'arena';
const ITEM_BYTES = (isArena ? 64 : ITEM_OVERHEAD_BYTES) + 12 + 8;
// Room to spare, since nothing is to be evicted here.
const options = { bytesMax: Math.ceil(items * ITEM_BYTES * 1.02), cachesMax: 1, now: Date.now };

const store = isArena ? new ArenaStore(options) : new LruCacheStore(options);
const engine = new Engine(
  store,
  { valueBytesMax: 1000, defaultExpiresInSeconds: 0 },
  { now: Date.now, unixNow: Date.now },
);
const made = engine.cache('0123456789abcdef01234567', 'bench');
const cache = /** @type {import('../../src/engine/cache.ts').Cache} */ (/** @type {unknown} */ (made));
const emptyBytes = process.memoryUsage.rss();
/** @type {{ name: string, items: number, seconds: number, longestThousandMs: number }[]} */
const steps = [];

step('write', 0, items, write);
await nextTurn();
const filledBytes = process.memoryUsage.rss();
let read = 0;
step('read', 0, items, check);
step('delete', 0, replaced, (number) => cache.delete(keyOf(number)));
step('write others', items, items + replaced, write);
const readFirst = read;
read = 0;
step('read', replaced, items + replaced, check);
const info = await cache.info();

expect('items counted', info?.items, items);
expect('items read', readFirst, items);
expect('items read after some were replaced', read, items);
expect('evictions', info?.evictions, 0);
process.stdout.write(
  `${JSON.stringify({
    items,
    steps,
    counted: info?.items,
    read,
    evictions: info?.evictions,
    residentBytes: filledBytes,
    bytesPerItem: (filledBytes - emptyBytes) / items,
    accountedBytesPerItem: (info?.bytes ?? 0) / items,
  })}\n`,
);

/** @param {number} number */
function write(number) {
  cache.store('set', keyOf(number), { value: itemValue(number), kind: 'bytes', flags: 0, expiresAt: NEVER });
}

/** @param {number} number */
function check(number) {
  const item = /** @type {import('../../src/engine/item.ts').Item | undefined} */ (cache.get(keyOf(number)));
  if (item?.value.equals(itemValue(number))) read++;
}

/** @param {number} number */
function keyOf(number) {
  return `key-${String(number).padStart(8, '0')}`;
}

/** @param {number} number */
function itemValue(number) {
  return Buffer.from(String(number).padStart(8, '0'));
}

/** @param {string} name @param {number} from @param {number} to @param {(number: number) => unknown} work */
function step(name, from, to, work) {
  const start = performance.now();
  let longest = 0;
  let last = start;
  for (let number = from; number < to; number++) {
    work(number);
    if (number % 1000 !== 999) continue;
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  }
  steps.push({
    name,
    items: to - from,
    seconds: (performance.now() - start) / 1000,
    longestThousandMs: longest,
  });
}

/** @param {string} what @param {unknown} found @param {number} expected */
function expect(what, found, expected) {
  if (found === expected) return;
  process.stderr.write(`${what}: ${found}, expected ${expected}\n`);
  process.exit(1);
}

function nextTurn() {
  return new Promise((resolve) => setImmediate(resolve));
}
