import { freemem } from 'node:os';
import { contest } from './contest.mjs';
import { buildGenerator } from './generator.mjs';
import { getReply, getRequest } from './load/memcached-wire.mjs';
import { has, openFilesMax } from './machine.mjs';
import { growthOf, ratePerCpuOf } from './measurements.mjs';
import { median, spread } from './pairs.mjs';
import { mebibytes, percent, say, short, table, tell, times } from './report.mjs';
import { itemRequests } from './rest.mjs';
import { startIroncached, startLimitServer, startMemcached } from './servers.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */
/** @typedef {import('./measurements.mjs').Measurement} Measurement */
/** @typedef {{ server: () => Promise<import('./servers.mjs').Server>, settings: import('./generator.mjs').Settings }} Plan */
/** What is compared: as few as most benchmarks have, and many. @typedef {{ few: Plan, many: Plan }} Growth */

const VALUE_BYTES = 100;
const MANY = 10_000;
const ITEMS = { few: 10_000, many: 8_000_000 };
// What the many items take, with either server, and a little more.
const MANY_ITEMS_MIB = 2048;
const NEEDED_BYTES = 2 * 1.2 * MANY_ITEMS_MIB * 2 ** 20;
// Standard streams, listeners, logs.
const OTHER_FILES = 200;

const gets = { gets: 1, sets: 0, value: VALUE_BYTES };
// A connection's first requests are not what is measured.
const WARMUP = { warmup: 1 };

/** Does a get cost more where there is more of something? In operations per second of the server's CPU time. */
export const growth = { measure, print };

/**
 * @typedef {object} GrowthFigures
 * @property {string} generator
 * @property {string | undefined} peer
 * @property {string[]} skipped
 * @property {import('./measurements.mjs').Result[]} results
 */

/**
 * @param {{ seconds: number, pairs: number, store: string, only?: string | undefined }} options
 * @returns {Promise<GrowthFigures>}
 */
async function measure({ seconds, pairs, store, only }) {
  const generator = buildGenerator();
  const withPeer = has('memcached');
  const results = [];
  const skipped = [];
  for (const { name, lacks, ours, peer, limit } of growths(store).filter(
    ({ name }) => !only || name.includes(only),
  )) {
    if (lacks) {
      skipped.push(`${name}: ${lacks}.`);
      continue;
    }
    tell(name);
    const plans = { ours, ...(peer && withPeer ? { peer } : {}), ...(limit ? { limit } : {}) };
    results.push({ name, runs: await measurePlans(plans, { generator, seconds, pairs }) });
  }
  return { generator: generator.name, peer: withPeer ? 'memcached' : undefined, skipped, results };
}

/** @param {GrowthFigures} figures */
function print({ generator, peer, skipped, results }) {
  say(`\n## Growth\n\nGenerator: ${generator}.`);
  if (!peer) say('memcached is not on this machine, so nothing stands beside the figures.');
  for (const text of skipped) say(`Skipped: ${text}`);
  if (results.length > 0) printCosts(results);
}

/** @typedef {{ ours: Growth, peer?: Growth, limit?: Growth }} Growths */

/** @param {string} store @returns {({ name: string, lacks: string | undefined } & Growths)[]} */
function growths(store) {
  return [
    { name: 'items: 10 thousand, 8 million', lacks: lackOfMemory(), ...manyItems(store, 1) },
    { name: 'items, depth 16: the same', lacks: lackOfMemory(), ...manyItems(store, 16) },
    { name: 'connections: 10, 10 thousand', lacks: lackOfFiles(), ...manyConnections(store) },
    {
      name: 'connections, REST: 10, 10 thousand',
      lacks: lackOfFiles(),
      ours: manyConnections(store, restRequests).ours,
    },
    { name: 'tenants: 1, 10 thousand', lacks: lackOfFiles(), ours: manyTenants(store) },
    { name: 'tenants, REST: 1, 10 thousand', lacks: lackOfFiles(), ours: manyTenants(store, restRequests) },
  ];
}

const restRequests = itemRequests(VALUE_BYTES);
const wire = { value: VALUE_BYTES, meta: false };

/** At depth 16 sockets take little of the time, and what an item costs shows most. @param {string} store @param {number} depth */
function manyItems(store, depth) {
  const settings = (/** @type {number} */ keys) => ({ ...gets, ...WARMUP, connections: 50, depth, keys });
  const memory = { memoryLimitMib: MANY_ITEMS_MIB };
  const growth = (/** @type {Plan['server']} */ server) => ({
    few: { server, settings: settings(ITEMS.few) },
    many: { server, settings: settings(ITEMS.many) },
  });
  return { ours: growth(() => startIroncached(store, memory)), peer: growth(() => startMemcached(memory)) };
}

/**
 * All of which are used, each with one request in flight. The limit is a bare server that sends canned replies.
 * @param {string} store @param {object} requests
 */
function manyConnections(store, requests = {}) {
  const settings = (/** @type {number} */ connections) => ({
    ...gets,
    ...WARMUP,
    ...requests,
    keys: 100_000,
    connections,
  });
  const growth = (/** @type {Plan['server']} */ server, /** @type {object} */ more = {}) => ({
    few: { server, settings: { ...settings(10), ...more } },
    many: { server, settings: { ...settings(MANY), ...more } },
  });
  const [request, reply] = [getRequest([0], wire), getReply([0], wire)];
  return {
    ours: growth(() => startIroncached(store, { environment: openToMany })),
    peer: growth(() => startMemcached({ connections: MANY + OTHER_FILES })),
    limit: growth(() => startLimitServer(request, reply), { keys: 1, preload: 0 }),
  };
}

/** As many connections and items with either: each tenant has one connection and ten items, or one has all. */
function manyTenants(/** @type {string} */ store, /** @type {object} */ requests = {}) {
  const settings = { ...gets, ...WARMUP, ...requests, connections: MANY };
  return {
    few: {
      server: () => startIroncached(store, { environment: openToMany }),
      settings: { ...settings, keys: 10 * MANY },
    },
    many: {
      server: () => startIroncached(store, { environment: openToMany, tenants: MANY }),
      settings: { ...settings, keys: 10, preload: 2 },
    },
  };
}

// They all come from one address here.
const openToMany = {
  IRONCACHED_MAX_CONNECTIONS: String(MANY + OTHER_FILES),
  IRONCACHED_MAX_CONNECTIONS_PER_ADDRESS: '0',
};

function lackOfMemory() {
  if (freemem() > NEEDED_BYTES) return undefined;
  return `This machine has ${mebibytes(freemem())} of memory free; ${mebibytes(NEEDED_BYTES)} are needed`;
}

function lackOfFiles() {
  const needed = MANY + OTHER_FILES;
  if (openFilesMax() >= needed) return undefined;
  return `A process may have ${openFilesMax()} files open here; ${needed} are needed (ulimit -n)`;
}

/**
 * @param {Record<string, Growth>} growths
 * @param {{ generator: import('./generator.mjs').Generator, seconds: number, pairs: number }} options
 */
async function measurePlans(growths, options) {
  /** @type {Record<string, Contestant>} */
  const contestants = {};
  for (const [whose, growth] of Object.entries(growths)) {
    for (const [size, { server, settings }] of Object.entries(growth)) {
      contestants[`${whose}, ${size}`] = { server: await server(), settings };
    }
  }
  return contest(contestants, options);
}

/** @param {import('./measurements.mjs').Result[]} results */
function printCosts(results) {
  say(
    '\nGets per second of the server’s CPU time, with few and with many; a ratio of 1 is a get that costs the',
  );
  say(
    'same, 1.5 one that costs half as much again. Medians over the pairs. The limit is a bare node:net server',
  );
  say('that sends canned replies and looks at nothing.\n');
  const both = (/** @type {string[]} */ [few, many]) => `${few} \\| ${many}`;
  table(
    [
      'few, many',
      'ironcached per CPU s',
      'cost',
      'memcached per CPU s',
      'cost',
      'limit per CPU s',
      'cost',
      'noise',
      'RSS',
      'missing',
    ],
    results.map((result) => {
      const perCpu = ratePerCpuOf(result);
      const rates = (/** @type {Measurement[] | undefined} */ runs) =>
        runs ? short(median(runs.map(perCpu))) : '–';
      const {
        'ours, few': few = [],
        'ours, many': many = [],
        'peer, few': peerFew,
        'peer, many': peerMany,
        'limit, few': limitFew,
        'limit, many': limitMany,
      } = result.runs;
      return [
        result.name,
        both([rates(few), rates(many)]),
        times(growthOf(result, 'ours')),
        peerFew ? both([rates(peerFew), rates(peerMany)]) : '–',
        times(growthOf(result, 'peer')),
        limitFew ? both([rates(limitFew), rates(limitMany)]) : '–',
        times(growthOf(result, 'limit')),
        percent(spread(few.map(perCpu))),
        both([few, many].map((runs) => mebibytes(runs.at(-1)?.residentBytes ?? 0))),
        String(
          Object.values(result.runs)
            .flat()
            .reduce((sum, run) => sum + run.missing, 0),
        ),
      ];
    }),
  );
}
