import { setTimeout as delay } from 'node:timers/promises';
import { fill, statsOf } from './client.mjs';
import { peakResidentBytes, residentBytes } from './machine.mjs';
import { mean } from './pairs.mjs';
import { mebibytes, percent, say, short, table, tell } from './report.mjs';
import { startIroncached, startMemcached } from './servers.mjs';

const MIB = 2 ** 20;
const LIMIT_MIB = 512;
const TIMES_THE_LIMIT = 3;
const OVERWRITE_SECONDS = 60;

/** What the values of a fill are like, in bytes. @type {Record<string, (number: number) => number>} */
const MIXES = {
  '20 B': () => 20,
  '1 KB': () => 1000,
  '100 KB': () => 100_000,
  mixed: (number) => [20, 20, 20, 100, 100, 1000, 5000, 100_000][number % 8] ?? 20,
};

/**
 * Resident memory against the limit and against what is accounted: filled to three times the limit with values
 * of each size, then overwritten, then filled with the next mix; and what a small item costs beside memcached.
 * @param {{ store: string, seconds: number }} options
 */
export async function benchMemory({ store, seconds }) {
  say(`\n## Memory, limit ${LIMIT_MIB} MiB, ${store}\n`);
  const overwriteSeconds = seconds < 2 ? 10 : OVERWRITE_SECONDS;
  const rows = [];
  const server = await startIroncached(store, { memoryLimitMib: LIMIT_MIB });
  const empty = residentBytes(server.pid);
  const row = async (/** @type {string} */ name) => {
    await delay(1000);
    const { bytes = 0, curr_items: items = 0, evictions = 0 } = await statsOf(server);
    const resident = residentBytes(server.pid);
    rows.push({ name, resident, peak: peakResidentBytes(server.pid), bytes, items, evictions });
  };
  try {
    for (const [name, bytes] of Object.entries(MIXES)) {
      tell(`values of ${name}`);
      const itemBytes = mean(Array.from({ length: 8 }, (_, i) => bytes(i))) + 60;
      const count = Math.ceil((TIMES_THE_LIMIT * LIMIT_MIB * MIB) / itemBytes);
      await fill(server, { from: 0, to: count, bytes });
      await row(`filled, ${name}`);
      for (const end = performance.now() + overwriteSeconds * 1000; performance.now() < end; ) {
        await fill(server, { from: 0, to: Math.ceil(count / 10), bytes: (n) => bytes(n + Math.floor(end)) });
      }
      await row(`overwritten, ${name}`);
    }
    table(
      [
        '',
        'resident',
        'most ever',
        'above the limit',
        'items',
        'accounted',
        'accounted + empty',
        'of resident',
        'evicted',
      ],
      rows.map(({ name, resident, peak, items, bytes, evictions }) => [
        name,
        mebibytes(resident),
        mebibytes(peak),
        mebibytes(peak - LIMIT_MIB * MIB),
        short(items),
        mebibytes(bytes),
        mebibytes(bytes + empty),
        percent((bytes + empty) / resident),
        short(evictions),
      ]),
    );
    say(`\nEmpty: ${mebibytes(empty)}.`);
  } finally {
    await server.stop();
  }
  return { empty, rows, perItem: await benchPerItem(store) };
}

const SMALL_ITEMS = 1_000_000;

/** What an item of a 20-byte key and a 100-byte value costs above these, fresh and after ten million overwrites. @param {string} store */
async function benchPerItem(store) {
  const results = [];
  for (const [name, start] of Object.entries({
    memcached: startMemcached,
    ironcached: () => startIroncached(store, { memoryLimitMib: LIMIT_MIB }),
  })) {
    tell(`a million items in ${name}`);
    const server = await start();
    try {
      const empty = residentBytes(server.pid);
      const key = (/** @type {number} */ n) => String(n).padStart(20, '0');
      const cost = () => (residentBytes(server.pid) - empty) / SMALL_ITEMS - 120;
      await fill(server, { from: 0, to: SMALL_ITEMS, key, bytes: () => 100 });
      await delay(1000);
      const fresh = cost();
      for (let i = 0; i < 10; i++) {
        await fill(server, { from: 0, to: SMALL_ITEMS, key, bytes: (n) => 80 + ((n * 7 + i * 13) % 41) });
      }
      await fill(server, { from: 0, to: SMALL_ITEMS, key, bytes: () => 100 });
      await delay(1000);
      results.push({ name, fresh, afterChurn: cost() });
    } finally {
      await server.stop();
    }
  }
  say();
  table(
    [
      `bytes per item above key and value (${short(SMALL_ITEMS)} of 20 + 100 B)`,
      'fresh',
      'after 10 M overwrites',
    ],
    results.map(({ name, fresh, afterChurn }) => [name, fresh.toFixed(0), afterChurn.toFixed(0)]),
  );
  return results;
}
