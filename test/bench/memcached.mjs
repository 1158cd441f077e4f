import { contest } from './contest.mjs';
import { buildGenerator } from './generator.mjs';
import { getReply, getRequest, incrRequest, SUM, setReply, setRequest } from './load/memcached-wire.mjs';
import { has, versionOf } from './machine.mjs';
import {
  generatorBusy,
  halfRate,
  PACED_TIMES,
  printLatencies,
  rateOf,
  ratePerCpuOf,
} from './measurements.mjs';
import { median, ratio, spread } from './pairs.mjs';
import { percent, say, short, table, tell, times } from './report.mjs';
import { startBareCache, startIroncached, startLimitServer, startMemcached } from './servers.mjs';

/** @typedef {import('./generator.mjs').Measurement} Measurement */
/** @typedef {import('./measurements.mjs').Result} Result */
/** @typedef {{ name: string, settings: Settings, perKey?: boolean, paced?: boolean }} Workload */
/** @typedef {Record<string, number> & { keys: number, value: number }} Settings */

const small = { connections: 50, keys: 100_000, value: 100 };
const few = { ...small, connections: 5 };
const large = { connections: 50, keys: 10_000, value: 10_000 };
const huge = { connections: 20, keys: 300, value: 300_000 };
const mixed = { gets: 9, sets: 1 };
const getsOnly = { gets: 1, sets: 0 };
const setsOnly = { gets: 0, sets: 1 };

/** Those that are `paced` are measured at a fixed rate, too. @type {Workload[]} */
export const WORKLOADS = [
  { name: 'depth 1, 9:1', settings: { ...small, ...mixed, depth: 1 }, paced: true },
  { name: 'depth 1, sets', settings: { ...small, ...setsOnly, depth: 1 }, paced: true },
  { name: 'depth 1, meta 9:1', settings: { ...small, ...mixed, depth: 1, meta: 1 } },
  { name: '5 connections, depth 1, 9:1', settings: { ...few, ...mixed, depth: 1 } },
  { name: 'depth 16, 9:1', settings: { ...small, ...mixed, depth: 16 }, paced: true },
  { name: 'depth 16, sets', settings: { ...small, ...setsOnly, depth: 16 }, paced: true },
  { name: 'depth 16, meta 9:1', settings: { ...small, ...mixed, depth: 16, meta: 1 }, paced: true },
  {
    name: 'get of 100 keys',
    settings: { ...small, connections: 10, gets: 1, sets: 0, multi: 100 },
    perKey: true,
  },
  { name: '10 KB, depth 1, 9:1', settings: { ...large, ...mixed, depth: 1 }, paced: true },
  { name: '10 KB, depth 16, 9:1', settings: { ...large, ...mixed, depth: 16 } },
  { name: '10 KB, depth 16, sets', settings: { ...large, ...setsOnly, depth: 16 } },
  {
    name: '10 KB, get of 100 keys',
    settings: { ...large, ...getsOnly, connections: 10, multi: 100 },
    perKey: true,
  },
  { name: 'depth 16, sets that expire', settings: { ...small, ...setsOnly, depth: 16, exptime: 300 } },
  { name: 'depth 1, incr', settings: { ...small, ...getsOnly, depth: 1, incr: 1 } },
  { name: 'depth 16, incr', settings: { ...small, ...getsOnly, depth: 16, incr: 1 } },
  {
    name: 'a connection for each get',
    settings: { ...small, ...getsOnly, connections: 8, depth: 1, perConnection: 1 },
  },
  { name: '300 KB, depth 1, gets', settings: { ...huge, ...getsOnly, depth: 1 } },
  { name: '300 KB, depth 1, sets', settings: { ...huge, ...setsOnly, depth: 1 } },
];

/** Throughput and latency by the memcached protocol, against `memcached -t 1`. */
export const memcached = { measure, print };

/**
 * @typedef {object} MemcachedFigures
 * @property {string} generator
 * @property {string | undefined} peer
 * @property {Result[]} results
 * @property {Result[]} paced at half rate
 */

/**
 * @param {{ seconds: number, pairs: number, store: string, only?: string | undefined }} options
 * @returns {Promise<MemcachedFigures>}
 */
async function measure({ only, ...given }) {
  const generator = buildGenerator();
  const peer = has('memcached') ? versionOf('memcached', '-V') : undefined;
  const options = { ...given, generator, peer };
  /** @type {Result[]} */
  const results = [];
  /** @type {Result[]} */
  const paced = [];
  for (const workload of WORKLOADS.filter(({ name }) => !only || name.includes(only))) {
    const result = await measureWork(workload, options);
    results.push(result);
    if (!workload.paced) continue;
    const { memcached, ironcached = [] } = result.runs;
    const rate = halfRate({ ...(memcached ? { memcached } : {}), ironcached });
    paced.push(await measurePaced(workload, rate, options));
  }
  return { generator: generator.name, peer, results, paced };
}

/** @param {MemcachedFigures} figures */
function print({ generator, peer, results, paced }) {
  say(`\n## memcached protocol\n\nGenerator: ${generator}. Peer: ${peer ? `${peer}, -t 1` : 'none'}.`);
  if (!peer) say('Skipped: memcached is not on this machine, so there are no ratios.');
  if (results.length > 0) {
    printLimits(results);
    printRates(results);
  }
  if (paced.length > 0) printPaced(paced);
}

/** @typedef {{ generator: import('./generator.mjs').Generator, seconds: number, pairs: number, store: string, peer: string | undefined }} Options */

/** @param {Workload} workload @param {Options} options @returns {Promise<Result>} */
async function measureWork({ name, settings, perKey = false }, { store, peer, ...options }) {
  tell(name);
  const contestants = {
    ...(peer ? { memcached: { server: await startMemcached(), settings } } : {}),
    ironcached: { server: await startIroncached(store), settings },
  };
  const runs = await contest(contestants, options);
  // By themselves: the memory of each more that takes its turn would push the others' out of the processor's cache.
  const limits = {
    limit: await startLimit(settings),
    ...(settings['incr'] ? {} : { bare: await startBare(settings) }),
  };
  return { name, perKey, runs: { ...runs, ...(await contest(limits, options)) } };
}

/**
 * A server that does nothing is given gets alone where there are gets, always the same, so that it knows the reply.
 * @param {Settings} given
 * @returns {Promise<import('./contest.mjs').Contestant>}
 */
async function startLimit({ value, meta = 0, multi = 1, exptime = 0, incr = 0, ...settings }) {
  const wire = { value, meta: meta > 0, exptime };
  const keys = Array.from({ length: multi }, () => 0);
  const [request, reply, mix] = incr
    ? [incrRequest(0), SUM, getsOnly]
    : settings['gets']
      ? [getRequest(keys, wire), getReply(keys, wire), getsOnly]
      : [setRequest(0, wire), setReply(wire), setsOnly];
  const server = await startLimitServer(request, reply);
  const unchanged = { value, meta, multi, exptime, incr };
  return { server, settings: { ...settings, ...unchanged, ...mix, keys: 1, preload: 0 } };
}

/**
 * It knows nothing of expiry.
 * @param {Settings} settings
 * @returns {Promise<import('./contest.mjs').Contestant>}
 */
async function startBare(settings) {
  const server = await startBareCache(settings.keys, settings.value);
  return { server, settings: { ...settings, exptime: 0 } };
}

/** @param {Workload} workload @param {number} rate @param {Options} options @returns {Promise<Result>} */
async function measurePaced({ name, settings }, rate, options) {
  tell(`at ${short(rate)}/s:`);
  const pairs = PACED_TIMES * options.pairs;
  return { ...(await measureWork({ name, settings: { ...settings, rate } }, { ...options, pairs })), rate };
}

/** @param {Result[]} results */
function printLimits(results) {
  say('\nWhat could be reached: the limit is a bare node:net server that sends canned replies and looks at');
  say(
    'nothing, gets alone where there are gets. A bare cache reads, finds, copies and replies, and does nothing',
  );
  say('else that a service has to do. Both by themselves; ratios are their requests / memcached’s.\n');
  table(
    [
      'work',
      'limit/s',
      'ratio',
      'server busy',
      'generator busy',
      'bare cache/s',
      'ratio',
      'ironcached/s',
      'ironcached / bare cache',
    ],
    results.map((result) => {
      const { memcached, limit = [], bare = [], ironcached = [] } = result.runs;
      const rate = rateOf(result);
      const rateIn = (/** @type {Measurement[]} */ runs) =>
        runs.length > 0 ? short(median(runs.map(rate))) : '–';
      return [
        result.perKey ? `${result.name} (keys)` : result.name,
        rateIn(limit),
        times(ratio(limit, memcached, rate)),
        percent(median(limit.map((run) => run.serverCpuSeconds / run.seconds))),
        generatorBusy(limit),
        rateIn(bare),
        times(ratio(bare, memcached, rate)),
        rateIn(ironcached),
        times(ratio(ironcached, bare, rate)),
      ];
    }),
  );
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
    results.map((result) => {
      const { memcached, ironcached = [] } = result.runs;
      const rate = rateOf(result);
      const perCpu = ratePerCpuOf(result);
      return [
        result.perKey ? `${result.name} (keys)` : result.name,
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
  printLatencies(results, 'memcached');
}

/** @param {Result[]} results */
function printPaced(results) {
  say(
    '\nAt a fixed rate, half of what the slower one reached: latencies in ms (memcached | ironcached) since',
  );
  say('a request was due. Ratios: less is better.\n');
  printLatencies(results, 'memcached');
  say('\nThe limit at the same rate, in ms (memcached | limit).\n');
  printLatencies(results, 'memcached', 'limit');
  say('\nThe bare cache at the same rate, in ms (memcached | bare cache).\n');
  printLatencies(results, 'memcached', 'bare');
}
