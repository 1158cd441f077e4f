import { contest } from './contest.mjs';
import { buildGenerator } from './generator.mjs';
import { versionOf } from './machine.mjs';
import { ratePerCpuOf } from './measurements.mjs';
import { WORKLOADS as MEMCACHED_WORKLOADS } from './memcached.mjs';
import { inTurn, median, ratio, spread } from './pairs.mjs';
import { mebibytes, percent, say, short, table, tell, times } from './report.mjs';
import { WORKLOADS as REST_WORKLOADS, settingsOf } from './rest.mjs';
import { startIroncached } from './servers.mjs';
import { measureStart } from './start.mjs';

/** @typedef {import('./measurements.mjs').Measurement} Measurement */
/** @typedef {Record<string, string>} Nodes programs by version */

const CHOSEN = ['depth 1, 9:1', 'depth 16, 9:1', 'depth 16, sets', 'depth 16, meta 9:1'];
const REST_CHOSEN = ['GET, 100 B', 'PUT, 100 B'];

const WORKLOADS = [
  ...MEMCACHED_WORKLOADS.filter(({ name }) => CHOSEN.includes(name)).map(({ name, settings }) => ({
    name: `memcached, ${name}`,
    settings,
  })),
  ...REST_WORKLOADS.filter(({ name }) => REST_CHOSEN.includes(name)).map((workload) => ({
    name: `REST, ${workload.name}`,
    settings: settingsOf(workload),
  })),
];

/** What each version of Node makes of the same program. */
export const nodes = { measure, print };

/**
 * @typedef {object} NodesFigures
 * @property {string} generator
 * @property {import('./measurements.mjs').Result[]} results
 * @property {Record<string, { readyMs: number, residentBytes: number }[]>} starts
 */

/**
 * @param {{ nodes: string[], seconds: number, pairs: number, store: string, only?: string | undefined }} options
 * @returns {Promise<NodesFigures>}
 */
async function measure({ nodes, seconds, pairs, store, only }) {
  const programs = Object.fromEntries(nodes.map((program) => [versionOf(program, '--version'), program]));
  const generator = buildGenerator();
  const results = [];
  for (const { name, settings } of WORKLOADS.filter(({ name }) => !only || name.includes(only))) {
    tell(`${name}, by ${Object.keys(programs).join(', ')}`);
    const contestants = Object.entries(programs).map(async ([version, node]) => {
      return [version, { server: await startIroncached(store, { node }), settings }];
    });
    const all = Object.fromEntries(await Promise.all(contestants));
    results.push({ name, runs: await contest(all, { generator, seconds, pairs }) });
  }
  return { generator: generator.name, results, starts: await inTurn(pairs, startsOf(programs, store)) };
}

/** @param {NodesFigures} figures */
function print({ generator, results, starts }) {
  say(`\n## Versions of Node\n\nGenerator: ${generator}.`);
  printRates(Object.keys(starts), results);
  printStarts(starts);
}

/** @param {Nodes} programs @param {string} store */
function startsOf(programs, store) {
  const starts = Object.entries(programs).map(([version, node]) => [
    version,
    () => measureStart(() => startIroncached(store, { node })),
  ]);
  return Object.fromEntries(starts);
}

/** @param {string[]} versions @param {import('./measurements.mjs').Result[]} results */
function printRates([first = '', ...others], results) {
  say(
    '\nRequests per second of the server’s CPU time, and how many times those of the first. Medians over the',
  );
  say('rounds; more is better.\n');
  table(
    ['work', first, ...others.flatMap((version) => [version, '÷ first']), 'noise'],
    results.map((result) => {
      const perCpu = ratePerCpuOf(result);
      const runsOf = (/** @type {string} */ version) => result.runs[version] ?? [];
      const rate = (/** @type {string} */ version) => short(median(runsOf(version).map(perCpu)));
      return [
        result.name,
        rate(first),
        ...others.flatMap((version) => [rate(version), times(ratio(runsOf(version), runsOf(first), perCpu))]),
        percent(spread(runsOf(first).map(perCpu))),
      ];
    }),
  );
}

/** @param {Record<string, { readyMs: number, residentBytes: number }[]>} starts */
function printStarts(starts) {
  say();
  table(
    ['Node', 'ready after', 'RSS when empty'],
    Object.entries(starts).map(([version, runs]) => [
      version,
      `${median(runs.map(({ readyMs }) => readyMs)).toFixed(0)} ms`,
      mebibytes(median(runs.map(({ residentBytes }) => residentBytes))),
    ]),
  );
}
