import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fill, openClient, statsOf } from './client.mjs';
import { residentBytes } from './machine.mjs';
import { mebibytes, say, short, table, tell } from './report.mjs';
import { freePort, startIroncached } from './servers.mjs';

const ITEMS = 5_000_000;
const VALUE_BYTES = 100;
// What five million items take, and a little more: the first thousands of others fill it.
const MEMORY_LIMIT_MIB = 800;
// What a client asks for all the while, as often as timers allow: some 1,500 requests a second.
const PACE_MS = 1;
const REQUESTS_PER_TICK = 2;
// While others are evicted: some 20,000 sets a second, a tenth of them ten times as large.
const EVICTION_SECONDS = 30;
const SETS_PER_TICK = 25;

/**
 * How long the event loop is held, and how long a client waits, while millions of items are cleared, deleted,
 * expire at once or are evicted, under steady load.
 * @param {{ items?: number | undefined, store: string }} options
 */
export async function benchStalls({ items = ITEMS, store }) {
  say(`\n## Stalls, ${short(items)} items, ${store}\n`);
  const probePort = await freePort();
  const server = await startIroncached(store, {
    memoryLimitMib: MEMORY_LIMIT_MIB,
    preload: new URL('loop-delay.mjs', import.meta.url),
    environment: { LOOP_DELAY_PORT: String(probePort) },
  });
  const load = await steadyLoad(server);
  const rows = [];
  const measure = async (/** @type {string} */ name, /** @type {() => Promise<unknown>} */ work) => {
    tell(name);
    await delay(500);
    load.reset();
    await loopDelay(probePort);
    const detail = await work();
    const loop = await loopDelay(probePort);
    rows.push({ name, loop, client: load.latencies(), detail: typeof detail === 'string' ? detail : '' });
  };
  const refill = async (exptime = 0) => {
    tell(`storing ${short(items)} items`);
    await fill(server, { from: 0, to: items, bytes: () => VALUE_BYTES, exptime });
  };
  const untilFreed = async () => {
    for (let left = items; left > 0; await delay(100)) left = (await statsOf(server))['curr_items'] ?? 0;
    await delay(8000);
  };
  try {
    await measure('steady load alone', () => delay(10_000));
    await measure('storing them, as fast as it goes', () => refill());
    await measure('flush_all', async () => {
      const client = await openClient(server);
      await client.ask('flush_all\r\n', '\r\n');
      client.close();
      await untilFreed();
    });
    await refill();
    await measure('DELETE of the cache by REST', async () => {
      const url = `http://127.0.0.1:${server.httpPort}/1/projects/${server.projectId}/caches/bench`;
      const { status } = await fetch(url, {
        method: 'DELETE',
        headers: { authorization: `OAuth ${server.token}` },
      });
      if (status !== 200) throw new Error(`DELETE answered ${status}`);
      await untilFreed();
    });
    const expiry = Math.ceil(Date.now() / 1000) + Math.ceil(items / 60_000) + 10;
    await refill(expiry);
    if (Date.now() > expiry * 1000) throw new Error('the items expired before all were stored');
    await delay(expiry * 1000 - Date.now() - 1000);
    await measure('all expire in one second, and are counted', async () => {
      await delay(1500);
      await untilFreed();
    });
    await refill();
    const resident = residentBytes(server.pid);
    await measure(`eviction, ${EVICTION_SECONDS} s`, async () => {
      const before = (await statsOf(server))['evictions'] ?? 0;
      await storeSteadily(server, items, EVICTION_SECONDS);
      return `${short(((await statsOf(server))['evictions'] ?? 0) - before)} evicted`;
    });
    await measure('eviction, as fast as it goes', async () => {
      const before = (await statsOf(server))['evictions'] ?? 0;
      await fill(server, { from: 2 * items, to: 3 * items, bytes: evictingBytes });
      return `${short(((await statsOf(server))['evictions'] ?? 0) - before)} evicted`;
    });
    table(
      [
        'under steady load',
        'loop p50 ms',
        'loop p99 ms',
        'loop longest ms',
        'client p99 ms',
        'client longest ms',
        '',
      ],
      rows.map(({ name, loop, client, detail }) => [
        name,
        ...[loop.p50, loop.p99, loop.max, client.p99, client.max].map((ms) => ms.toFixed(1)),
        detail,
      ]),
    );
    say(
      `\nThe loop's delay is of a timer of 1 ms. Resident with ${short(items)} items: ${mebibytes(resident)}.`,
    );
    return rows;
  } finally {
    load.stop();
    await server.stop();
  }
}

/** @param {number} number */
const evictingBytes = (number) => (number % 10 === 0 ? 10 * VALUE_BYTES : VALUE_BYTES);

/** Fills what is left of the memory, then stores more at a fixed pace. @param {import('./servers.mjs').Server} server @param {number} from @param {number} seconds */
async function storeSteadily(server, from, seconds) {
  const client = await openClient(server);
  let number = from;
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await delay(PACE_MS)) {
    let request = '';
    for (let i = 0; i < SETS_PER_TICK; i++) {
      const bytes = evictingBytes(++number);
      request += `set key-${number} 0 0 ${bytes}\r\n${'v'.repeat(bytes)}\r\n`;
    }
    await client.ask(request, 'STORED\r\n'.repeat(SETS_PER_TICK));
  }
  client.close();
}

/** @param {number} port @returns {Promise<{ max: number, p99: number, p50: number }>} */
function loopDelay(port) {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('data', (chunk) => {
        text += chunk;
      })
      .on('end', () => resolve(JSON.parse(text)))
      .on('error', reject);
  });
}

/** Gets and sets of a few keys in a cache of its own, at a fixed pace. @param {import('./servers.mjs').Server} server */
async function steadyLoad({ port, projectId, token }) {
  const client = await openClient({ port, auth: `${token} ${projectId} steady` });
  /** @type {number[]} */
  let latencies = [];
  let stopped = false;
  let turn = 0;
  const run = async () => {
    while (!stopped) {
      const due = performance.now();
      for (let i = 0; i < REQUESTS_PER_TICK; i++) {
        const key = `steady-${turn++ % 100}`;
        if (turn % 10 === 0) await client.ask(`set ${key} 0 0 5\r\nvalue\r\n`, '\r\n');
        else await client.ask(`get ${key}\r\n`, 'END\r\n');
      }
      latencies.push(performance.now() - due);
      await delay(PACE_MS);
    }
  };
  const running = run();
  return {
    reset: () => {
      latencies = [];
    },
    latencies: () => {
      const sorted = latencies.toSorted((a, b) => a - b);
      return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, max: sorted.at(-1) ?? 0 };
    },
    stop: async () => {
      stopped = true;
      await running;
      client.close();
    },
  };
}
