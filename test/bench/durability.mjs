import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fill, openClient } from './client.mjs';
import { buildGenerator } from './generator.mjs';
import { cores } from './machine.mjs';
import { rateOf, ratePerCpuOf } from './measurements.mjs';
import { inTurn, median, ratio, spread } from './pairs.mjs';
import { percent, say, short, table, tell, times } from './report.mjs';
import { freePort, startIroncached } from './servers.mjs';

/** @typedef {import('./measurements.mjs').Result} Result */

/** Each way of keeping items; a snapshot runs nearly all the time. @type {Record<string, Record<string, string>>} */
const MODES = {
  none: { IRONCACHED_DURABILITY: 'none' },
  'snapshot running': { IRONCACHED_DURABILITY: 'snapshot', IRONCACHED_SNAPSHOT_INTERVAL: '1' },
  'log, no': { IRONCACHED_DURABILITY: 'log', IRONCACHED_FSYNC: 'no' },
  'log, everysec': { IRONCACHED_DURABILITY: 'log', IRONCACHED_FSYNC: 'everysec' },
  'log, always': { IRONCACHED_DURABILITY: 'log', IRONCACHED_FSYNC: 'always' },
};

const common = { connections: 50, keys: 100_000, value: 100 };
const WORK = [
  { name: '9:1 at depth 1', settings: { ...common, gets: 9, sets: 1, depth: 1 } },
  { name: '9:1 at depth 16', settings: { ...common, gets: 9, sets: 1, depth: 16 } },
  { name: 'sets at depth 1', settings: { ...common, gets: 0, sets: 1, depth: 1 } },
  { name: 'sets at depth 16', settings: { ...common, gets: 0, sets: 1, depth: 16 } },
];

/** Where the threads run that write to disk: a spare core is what the generator leaves of its own. */
const SPARE = 'a spare core for writing';
const PLACES = cores ? ['one core for all', SPARE] : ['nothing pinned'];

const WORKLOADS = PLACES.flatMap((place) =>
  WORK.map(({ name, settings }) => ({ name: `${name}, ${place}`, place, settings })),
);

const ITEMS = 1_000_000;
const WATCHED_SECONDS = 20;

/** What it costs to keep items, and how long it takes to have them back. */
export const durability = { measure, print };

/**
 * @param {{ seconds: number, pairs: number, store: string, items?: number | undefined, only?: string | undefined }} options
 */
async function measure({ seconds, pairs, store, items = ITEMS, only }) {
  const generator = buildGenerator();
  const workloads = WORKLOADS.filter((each) => !only || each.name.includes(only));
  /** @type {Result[]} */
  const results = workloads.map(({ name }) => ({ name, runs: {} }));
  for (let pair = 1; pair <= pairs; pair++) {
    tell(`pair ${pair} of ${pairs}`);
    await contest(workloads, { generator, seconds, store }, (i, mode, run) => {
      const { runs } = /** @type {Result} */ (results[i]);
      runs[mode] = [...(runs[mode] ?? []), run];
    });
  }
  if (only) return { generator: generator.name, results, saving: [], restarts: [], items };
  const saving = await measureSaving(store, items);
  return { generator: generator.name, results, saving, restarts: await measureRestarts(store, items), items };
}

/**
 * All ways of keeping items in turn, with new processes, since each compiles anew. Who is not measured is
 * stopped, or it would go on saving.
 * @param {typeof WORKLOADS} workloads
 * @param {{ generator: import('./generator.mjs').Generator, seconds: number, store: string }} parts
 * @param {(workload: number, mode: string, run: import('./generator.mjs').Measurement) => void} measured
 */
async function contest(workloads, { generator, seconds, store }, measured) {
  const dataDir = mkdtempSync(join(tmpdir(), 'ironcached-durability-'));
  /** @type {Map<string, import('./servers.mjs').Server>} */
  const servers = new Map();
  try {
    for (const [mode, environment] of Object.entries(MODES)) {
      const given = { ...environment, IRONCACHED_DATA_DIR: join(dataDir, String(servers.size)) };
      const server = await startIroncached(store, { environment: given });
      servers.set(mode, server);
      await awake(server.pid, () => warmUp(server, generator));
    }
    for (const [i, { place, settings }] of workloads.entries()) {
      const given = { ...settings, preload: 0, warmup: 0.3, seconds };
      const measures = [...servers].map(([mode, server]) => [
        mode,
        () => {
          if (cores)
            keepThreads(server.pid, place === SPARE ? [cores.server, cores.generator] : [cores.server]);
          return awake(server.pid, () => generator.run(server, given));
        },
      ]);
      const runs = await inTurn(1, Object.fromEntries(measures));
      for (const [mode, [run]] of Object.entries(runs)) measured(i, mode, run);
    }
  } finally {
    for (const { pid, stop } of servers.values()) await awake(pid, stop);
    rmSync(dataDir, { recursive: true });
  }
}

/**
 * Stores the keys, and lets the compiler see the code.
 * @param {import('./servers.mjs').Server} server @param {import('./generator.mjs').Generator} generator
 */
async function warmUp(server, generator) {
  await generator.run(server, {
    ...common,
    gets: 9,
    sets: 1,
    depth: 16,
    preload: 1,
    warmup: 0.5,
    seconds: 0.5,
  });
  await generator.run(server, {
    ...common,
    gets: 0,
    sets: 1,
    depth: 16,
    preload: 0,
    warmup: 0,
    seconds: 0.5,
  });
}

/** @template R @param {number} pid @param {() => Promise<R>} work */
async function awake(pid, work) {
  process.kill(pid, 'SIGCONT');
  try {
    return await work();
  } finally {
    if (isThere(pid)) process.kill(pid, 'SIGSTOP');
  }
}

/** @param {number} pid */
function isThere(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Moves all threads of a process but the first. @param {number} pid @param {number[]} to cores */
function keepThreads(pid, to) {
  for (const thread of readdirSync(`/proc/${pid}/task`).filter((each) => each !== String(pid))) {
    spawnSync('taskset', ['-pc', to.join(','), thread], { stdio: 'ignore' });
  }
}

/** How late the event loop is while all items are saved again and again. @param {string} store @param {number} items */
async function measureSaving(store, items) {
  const rows = [];
  for (const mode of ['none', 'snapshot running']) {
    tell(`${short(items)} items, ${mode}`);
    const port = await freePort();
    const more = { ...MODES[mode], LOOP_DELAY_PORT: String(port) };
    await withServer(
      store,
      more,
      async (server) => {
        await fill(server, { from: 0, to: items, bytes: () => 100 });
        const load = await steadyLoad(server);
        await delay(2000);
        await loopDelay(port);
        load.reset();
        await delay(WATCHED_SECONDS * 1000);
        rows.push({ name: mode, loop: await loopDelay(port), client: load.stop() });
      },
      new URL('loop-delay.mjs', import.meta.url),
    );
  }
  return rows;
}

/** Seconds to stop with so many items, and to be ready with them again. @param {string} store @param {number} items */
async function measureRestarts(store, items) {
  const rows = [];
  for (const mode of ['snapshot running', 'log, everysec']) {
    tell(`restart, ${mode}`);
    const dataDir = mkdtempSync(join(tmpdir(), 'ironcached-durability-'));
    const environment = { ...MODES[mode], IRONCACHED_SNAPSHOT_INTERVAL: '0', IRONCACHED_DATA_DIR: dataDir };
    try {
      const first = await startIroncached(store, { environment });
      await fill(first, { from: 0, to: items, bytes: () => 100 });
      const stopping = performance.now();
      await first.stop();
      const stopMs = performance.now() - stopping;
      // The next is another project's: items are counted by what is restored, not by whose they are.
      const second = await startIroncached(store, { environment });
      rows.push({ name: mode.split(/[ ,]/)[0] ?? mode, stopMs, readyMs: second.readyMs });
      await second.stop();
    } finally {
      rmSync(dataDir, { recursive: true });
    }
  }
  return rows;
}

/**
 * @template R
 * @param {string} store @param {Record<string, string>} environment
 * @param {(server: import('./servers.mjs').Server) => Promise<R>} work
 * @param {URL} [preload]
 */
async function withServer(store, environment, work, preload) {
  const dataDir = mkdtempSync(join(tmpdir(), 'ironcached-durability-'));
  const given = { environment: { ...environment, IRONCACHED_DATA_DIR: dataDir } };
  const server = await startIroncached(store, { ...given, ...(preload && { preload }) });
  try {
    return await work(server);
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  }
}

/** Some 1,000 sets and gets a second, one after the other. @param {import('./servers.mjs').Server} server */
async function steadyLoad(server) {
  const client = await openClient(server);
  /** @type {number[]} */
  let latencies = [];
  let isOver = false;
  const run = async () => {
    for (let i = 0; !isOver; i++) {
      const start = performance.now();
      await client.ask(`set steady-${i % 100} 0 0 5\r\nvalue\r\n`, '\r\n');
      latencies.push(performance.now() - start);
      await delay(1);
    }
    client.close();
  };
  void run();
  return {
    reset: () => {
      latencies = [];
    },
    stop: () => {
      isOver = true;
      const sorted = latencies.toSorted((a, b) => a - b);
      return { p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0, max: sorted.at(-1) ?? 0 };
    },
  };
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

/** @param {Awaited<ReturnType<typeof measure>>} figures */
function print({ generator, results, saving, restarts, items }) {
  say(`\n## Durability\n\nGenerator: ${generator}. Files in ${tmpdir()} (${fileSystem()}).`);
  for (const place of PLACES) printRatios(results, place);
  for (const result of results) {
    say(`\n${result.name}:\n`);
    const none = result.runs['none'] ?? [];
    table(
      ['durability', 'requests/s', '÷ none', 'per CPU s', '÷ none', 'p99 ms', 'noise'],
      Object.entries(result.runs).map(([mode, runs]) => [
        mode,
        short(median(runs.map(rateOf(result)))),
        times(ratio(runs, none, rateOf(result))),
        short(median(runs.map(ratePerCpuOf(result)))),
        times(ratio(runs, none, ratePerCpuOf(result))),
        (median(runs.map((run) => run.p99)) / 1000).toFixed(2),
        percent(spread(runs.map(rateOf(result)))),
      ]),
    );
  }
  if (saving.length > 0) {
    say(
      `\n${short(items)} items, a client that asks all the while; the loop's delay is that of a timer of 1 ms:\n`,
    );
    table(
      ['durability', 'loop p50 ms', 'loop p99 ms', 'loop longest ms', 'client p99 ms', 'client longest ms'],
      saving.map(({ name, loop, client }) => [
        name,
        ...[loop.p50, loop.p99, loop.max, client.p99, client.max].map((ms) => ms.toFixed(1)),
      ]),
    );
  }
  if (restarts.length > 0) {
    say(`\nA restart with ${short(items)} items of 100 bytes:\n`);
    table(
      ['durability', 'stop s', 'ready after s'],
      restarts.map(({ name, stopMs, readyMs }) => [
        name,
        (stopMs / 1000).toFixed(2),
        (readyMs / 1000).toFixed(2),
      ]),
    );
  }
}

/** What is left of the rate without durability. @param {Result[]} results @param {string} place */
function printRatios(results, place) {
  const here = results.filter(({ name }) => name.endsWith(place));
  if (here.length === 0) return;
  say(`\nOf the rate without durability (in a second of CPU time), ${place}:\n`);
  table(
    ['durability', ...here.map(({ name }) => name.replace(`, ${place}`, ''))],
    Object.keys(MODES)
      .filter((mode) => mode !== 'none')
      .map((mode) => [
        mode,
        ...here.map((result) => {
          const { [mode]: ours, none } = result.runs;
          return `${times(ratio(ours, none, rateOf(result)))} (${times(ratio(ours, none, ratePerCpuOf(result)))})`;
        }),
      ]),
  );
}

function fileSystem() {
  const { type } = statfsSync(tmpdir());
  /** @type {Record<number, string>} */
  const names = {
    61267: 'ext4',
    16914836: 'tmpfs',
    1481003842: 'xfs',
    2435016766: 'btrfs',
    2035054128: 'overlay',
  };
  return names[type] ?? `type ${type}`;
}
