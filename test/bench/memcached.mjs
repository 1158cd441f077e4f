import { buildGenerator } from './generator.mjs';
import { has, versionOf } from './machine.mjs';
import { inTurn, median, ratio, spread } from './pairs.mjs';
import { mebibytes, milliseconds, percent, say, short, table, tell, times } from './report.mjs';
import { startIroncached, startLimitServer, startMemcached } from './servers.mjs';

/** @typedef {import('./generator.mjs').Measurement} Measurement */
/** @typedef {{ name: string, settings: Record<string, number>, perKey?: true }} Workload */
/** @typedef {{ workload: Workload, runs: Record<string, Measurement[]> }} Result */

const small = { connections: 50, keys: 100_000, value: 100 };
const large = { connections: 50, keys: 10_000, value: 10_000 };
const mixed = { gets: 9, sets: 1 };
const setsOnly = { gets: 0, sets: 1 };

/** @type {Workload[]} */
const WORKLOADS = [
  { name: 'depth 1, 9:1', settings: { ...small, ...mixed, depth: 1 } },
  { name: 'depth 1, sets', settings: { ...small, ...setsOnly, depth: 1 } },
  { name: 'depth 1, meta 9:1', settings: { ...small, ...mixed, depth: 1, meta: 1 } },
  { name: 'depth 16, 9:1', settings: { ...small, ...mixed, depth: 16 } },
  { name: 'depth 16, sets', settings: { ...small, ...setsOnly, depth: 16 } },
  { name: 'depth 16, meta 9:1', settings: { ...small, ...mixed, depth: 16, meta: 1 } },
  {
    name: 'get of 100 keys',
    settings: { ...small, connections: 10, gets: 1, sets: 0, multi: 100 },
    perKey: true,
  },
  { name: '10 KB, depth 1, 9:1', settings: { ...large, ...mixed, depth: 1 } },
  { name: '10 KB, depth 16, 9:1', settings: { ...large, ...mixed, depth: 16 } },
  { name: '10 KB, depth 16, sets', settings: { ...large, ...setsOnly, depth: 16 } },
];

/** One key each, since the limit server knows no other. @type {{ kind: string, name: string, settings: Record<string, number> }[]} */
const LIMITS = [
  {
    kind: 'get',
    name: 'limit: depth 1, gets',
    settings: { connections: 50, keys: 1, depth: 1, gets: 1, sets: 0 },
  },
  {
    kind: 'set',
    name: 'limit: depth 1, sets',
    settings: { connections: 50, keys: 1, depth: 1, ...setsOnly },
  },
  {
    kind: 'get',
    name: 'limit: depth 16, gets',
    settings: { connections: 50, keys: 1, depth: 16, gets: 1, sets: 0 },
  },
  {
    kind: 'set',
    name: 'limit: depth 16, sets',
    settings: { connections: 50, keys: 1, depth: 16, ...setsOnly },
  },
];

// A generator that needs more of its core than this may be what limits the figures.
const GENERATOR_BUSY_MAX = 0.9;

/**
 * Throughput and latency by the memcached protocol, against `memcached -t 1`.
 * @param {{ seconds: number, pairs: number, store: string, only?: string | undefined }} options
 */
export async function benchMemcached({ seconds, pairs, store, only }) {
  const generator = buildGenerator();
  const peer = has('memcached', '-V') ? versionOf('memcached', '-V') : undefined;
  say(`\n## memcached protocol\n\nGenerator: ${generator.name}. Peer: ${peer ? `${peer}, -t 1` : 'none'}.`);
  if (!peer) say('Skipped: memcached is not on this machine, so there are no ratios.');
  const limits = only ? [] : await measureLimits(generator, seconds);
  const chosen = WORKLOADS.filter(({ name }) => !only || name.includes(only));
  /** @type {Result[]} */
  const results = [];
  for (const workload of chosen) {
    results.push({ workload, runs: await measure(workload, { generator, seconds, pairs, store, peer }) });
  }
  printRates(results);
  const paced = await measurePaced(results, { generator, seconds, pairs, store, peer });
  if (paced.length > 0) printPaced(paced);
  return { generator: generator.name, peer, limits, results, paced };
}

/** @param {import('./generator.mjs').Generator} generator @param {number} seconds */
async function measureLimits(generator, seconds) {
  const rows = [];
  for (const { kind, name, settings } of LIMITS) {
    tell(name);
    const server = await startLimitServer([kind]);
    const run = await generator.run(server, { ...settings, seconds, warmup: 1 }).finally(server.stop);
    rows.push({ name, run });
  }
  say(
    '\nThe generator against a bare node:net server that sends canned replies. A generator busy all the time',
  );
  say('would be the limit itself.\n');
  table(
    ['canned replies', 'requests/s', 'p99 ms', 'server busy', 'generator busy'],
    rows.map(({ name, run }) => [
      name,
      short(run.requestsPerSecond),
      milliseconds(run.p99),
      percent(run.serverCpuSeconds / run.seconds),
      percent(run.generatorCpuSeconds / run.seconds),
    ]),
  );
  return rows;
}

/**
 * Fresh servers for every workload, both up while either is measured, the one that waits doing nothing.
 * @param {Workload} workload
 * @param {{ generator: import('./generator.mjs').Generator, seconds: number, pairs: number, store: string, peer: string | undefined }} options
 */
async function measure({ name, settings }, { generator, seconds, pairs, store, peer }) {
  tell(name);
  const servers = {
    ...(peer ? { memcached: await startMemcached() } : {}),
    ironcached: await startIroncached(store),
  };
  try {
    // The first run stores the keys and lets the compiler see the code.
    for (const server of Object.values(servers)) {
      await generator.run(server, { ...settings, rate: 0, preload: 1, warmup: 1, seconds: 1 });
    }
    const contestants = Object.entries(servers).map(([contestant, server]) => [
      contestant,
      () => generator.run(server, { ...settings, seconds, warmup: 0.3 }),
    ]);
    return await inTurn(pairs, Object.fromEntries(contestants));
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  }
}

/**
 * At half of what the slower one can do, where a pause shows as latency and not as a lower rate.
 * @param {Result[]} results
 * @param {Parameters<typeof measure>[1]} options
 */
async function measurePaced(results, options) {
  const paced = [];
  for (const base of ['depth 1, 9:1', 'depth 16, 9:1']) {
    const result = results.find(({ workload }) => workload.name === base);
    if (!result) continue;
    const tops = Object.values(result.runs).map((runs) => median(runs.map((run) => run.requestsPerSecond)));
    const rate = Math.round(Math.min(...tops) / 2);
    const settings = { ...result.workload.settings, rate };
    const workload = { name: `half rate, ${base}, ${short(rate)}/s`, settings };
    paced.push({ workload, runs: await measure(workload, options) });
  }
  return paced;
}

/** @param {Result[]} results */
function printRates(results) {
  say('\nEvery reply was checked; a wrong one would have ended the run.');
  say('Rates. Ratios are ironcached / memcached, medians over the pairs; more is better.\n');
  table(
    [
      'work',
      'memcached/s',
      'ironcached/s',
      'ratio',
      'per CPU s',
      'ratio',
      'noise',
      'server busy',
      'generator busy',
    ],
    results.map(({ workload, runs: { memcached, ironcached = [] } }) => {
      const rate = (/** @type {Measurement} */ run) =>
        workload.perKey ? run.keysPerSecond : run.requestsPerSecond;
      const perCpu = (/** @type {Measurement} */ run) => (rate(run) * run.seconds) / run.serverCpuSeconds;
      return [
        workload.perKey ? `${workload.name} (keys)` : workload.name,
        memcached ? short(median(memcached.map(rate))) : '–',
        short(median(ironcached.map(rate))),
        times(ratio(ironcached, memcached, rate)),
        short(median(ironcached.map(perCpu))),
        times(ratio(ironcached, memcached, perCpu)),
        memcached ? percent(spread(memcached.map(rate))) : '–',
        percent(median(ironcached.map((run) => run.serverCpuSeconds / run.seconds))),
        generatorBusy([...(memcached ?? []), ...ironcached]),
      ];
    }),
  );
  say('\nLatencies at those rates, in ms (memcached | ironcached), and resident memory at the end.\n');
  printLatencies(results);
}

/** @param {Result[]} results */
function printPaced(results) {
  say('\nAt a fixed rate, half of what the slower one reached. Ratios: less is better.\n');
  printLatencies(results);
}

/** @param {Result[]} results */
function printLatencies(results) {
  const figures = /** @type {const} */ (['p50', 'p90', 'p99', 'p999']);
  table(
    ['work', 'p50', 'p90', 'p99', 'p99.9', 'p99 ratio', 'p99.9 ratio', 'RSS', 'missing', 'unsent'],
    results.map(({ workload, runs: { memcached, ironcached = [] } }) => {
      const both = [...(memcached ?? []), ...ironcached];
      const sum = (/** @type {'missing' | 'unsent'} */ what) =>
        both.reduce((total, run) => total + run[what], 0);
      return [
        workload.name,
        ...figures.map((figure) =>
          [memcached, ironcached]
            .map((runs) => (runs ? milliseconds(median(runs.map((run) => run[figure]))) : '–'))
            .join(' | ')
            .replaceAll('|', '\\|'),
        ),
        times(ratio(ironcached, memcached, (run) => run.p99)),
        times(ratio(ironcached, memcached, (run) => run.p999)),
        [memcached, ironcached]
          .map((runs) => (runs ? mebibytes(runs.at(-1)?.residentBytes ?? 0) : '–'))
          .join(' \\| '),
        String(sum('missing')),
        String(sum('unsent')),
      ];
    }),
  );
}

/** @param {Measurement[]} runs */
function generatorBusy(runs) {
  const busiest = Math.max(...runs.map((run) => run.generatorCpuSeconds / run.seconds));
  return busiest > GENERATOR_BUSY_MAX ? `${percent(busiest)} (!)` : percent(busiest);
}
