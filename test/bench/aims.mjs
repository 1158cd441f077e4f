import { growthOf, latencyRatio, rateRatio } from './measurements.mjs';
import { median } from './pairs.mjs';
import { say, table, times } from './report.mjs';

/** @typedef {import('./measurements.mjs').Measurement} Measurement */
/** @typedef {import('./measurements.mjs').Result} Result */
/**
 * @typedef {object} Aim
 * @property {string} work
 * @property {number} aim
 * @property {'least' | 'most'} is
 * @property {number} reached
 * @property {number} limit what a server reached that does nothing; NaN: there was none
 * @property {number} bare what a cache reached that does nothing else; NaN: there was none
 * @property {(figure: number) => string} show
 */

/** At least so many times memcached's requests per second, `-t 1`. @type {Record<string, number>} */
const MEMCACHED_RATES = {
  'depth 1, 9:1': 0.9,
  'depth 1, sets': 0.85,
  'depth 16, 9:1': 4,
  'depth 16, sets': 0.9,
  'depth 16, meta 9:1': 0.9,
  'get of 100 keys': 1.1,
  '10 KB, depth 1, 9:1': 0.9,
  '10 KB, depth 16, 9:1': 2.5,
  '10 KB, depth 16, sets': 3,
};
/** At most so many times the peer's latency at half rate. */
const LATENCY = 1.5;
const LATENCIES = [
  { label: 'p99', figure: (/** @type {Measurement} */ run) => run.p99 },
  { label: 'p99.9', figure: (/** @type {Measurement} */ run) => run.p999 },
];
/** At least so many times the requests per second of the peers of REST. */
const REST_RATES = [
  { peer: 'fastify', label: 'Fastify', aim: 0.9 },
  { peer: 'shipped', label: 'webdis + redis', aim: 1.2 },
  { peer: 'tuned', label: 'webdis + redis, tuned', aim: 1.2 },
];
const REST_WORK = ['GET, 100 B', 'PUT, 100 B'];
/** A get with many of something costs at most so many times one with few. */
const GROWTH = 1.5;
const START_MS = 400;
const EMPTY_MEGABYTES = 90;

/** What was measured that there is an aim for. @param {import('./results-file.mjs').Results} parts @returns {Aim[]} */
export function aimsOf(parts) {
  const memcached = parts['memcached']?.figures ?? { results: [], paced: [] };
  const rest = parts['rest']?.figures ?? { results: [], paced: [] };
  const growth = parts['growth']?.figures ?? { results: [] };
  return [
    ...memcached.results.flatMap(memcachedRate),
    ...memcached.paced.flatMap((/** @type {Result} */ result) => latencies(result, 'memcached')),
    ...rest.results.flatMap(restRates),
    ...rest.paced.flatMap((/** @type {Result} */ result) => latencies(result, 'fastify')),
    ...growth.results.map(cost),
    ...start(parts['start']?.figures.ironcached),
  ].filter(({ reached }) => Number.isFinite(reached));
}

/** As a table in which what misses its aim is bold. @param {Aim[]} aims */
export function sayAims(aims) {
  if (aims.length === 0) return;
  const missed = aims.filter(isMissed).length;
  say(`\n## Aims\n\n${aims.length - missed} of ${aims.length} are reached; what misses is bold.\n`);
  table(
    ['work', 'aim', 'reached', 'limit', 'bare cache'],
    aims.map((aim) => {
      const reached = aim.show(aim.reached);
      return [
        aim.work,
        `at ${aim.is} ${aim.show(aim.aim)}`,
        isMissed(aim) ? `**${reached}**` : reached,
        aim.show(aim.limit),
        aim.show(aim.bare),
      ];
    }),
  );
}

/** By the figure itself: 0.897 is printed as 0.90 and misses. @param {Aim} aim */
function isMissed({ aim, is, reached }) {
  return is === 'least' ? reached < aim : reached > aim;
}

/** @param {Result} result @returns {Aim[]} */
function memcachedRate(result) {
  const aim = MEMCACHED_RATES[result.name];
  if (aim === undefined) return [];
  return [
    aimed(`${result.name} ÷ memcached`, { aim, is: 'least' }, (whose) =>
      rateRatio(result, whose, 'memcached'),
    ),
  ];
}

/** @param {Result} result @returns {Aim[]} */
function restRates(result) {
  if (!REST_WORK.includes(result.name)) return [];
  return REST_RATES.map(({ peer, label, aim }) =>
    aimed(`REST ${result.name} ÷ ${label}`, { aim, is: 'least' }, (whose) =>
      rateRatio(result, whose === 'limit' ? 'http' : whose, peer),
    ),
  );
}

/** @param {Result} result @param {string} peer @returns {Aim[]} */
function latencies(result, peer) {
  const door = peer === 'memcached' ? '' : 'REST ';
  return LATENCIES.map(({ label, figure }) =>
    aimed(`${label} at half rate, ${door}${result.name}`, { aim: LATENCY, is: 'most' }, (whose) =>
      latencyRatio(result, whose, peer, figure),
    ),
  );
}

/** @param {Result} result @returns {Aim} */
function cost(result) {
  return aimed(`cost of a get, ${result.name}`, { aim: GROWTH, is: 'most' }, (whose) =>
    growthOf(result, whose === 'ironcached' ? 'ours' : whose),
  );
}

/** @param {{ readyMs: number, residentBytes: number }[]} [runs] @returns {Aim[]} */
function start(runs = []) {
  const readyMs = median(runs.map((run) => run.readyMs));
  const megabytes = median(runs.map((run) => run.residentBytes / 1e6));
  /** @type {Pick<Aim, 'is' | 'limit' | 'bare'>} */
  const none = { is: 'most', limit: Number.NaN, bare: Number.NaN };
  return [
    { work: 'ready after', aim: START_MS, reached: readyMs, ...none, show: shower('ms') },
    { work: 'memory when empty', aim: EMPTY_MEGABYTES, reached: megabytes, ...none, show: shower('MB') },
  ];
}

/**
 * @param {string} work @param {Pick<Aim, 'aim' | 'is'>} aim
 * @param {(whose: string) => number} figure what ironcached, the limit or the bare cache reached @returns {Aim}
 */
function aimed(work, aim, figure) {
  return {
    work,
    ...aim,
    reached: figure('ironcached'),
    limit: figure('limit'),
    bare: figure('bare'),
    show: times,
  };
}

/** @param {string} unit */
function shower(unit) {
  return (/** @type {number} */ figure) => (Number.isFinite(figure) ? `${figure.toFixed(0)} ${unit}` : '–');
}
