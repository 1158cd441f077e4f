import { mean, median, middleSpread, ratio } from './pairs.mjs';
import { mebibytes, milliseconds, percent, short, table, times } from './report.mjs';

/** @typedef {import('./generator.mjs').Measurement} Measurement */
/**
 * What was measured of one kind of work, each contestant's runs in the order of the pairs.
 * @typedef {{ name: string, perKey?: boolean, rate?: number, runs: Record<string, Measurement[]> }} Result
 */

// A generator that needs more of its core than this may be what limits the figures.
const GENERATOR_BUSY_MAX = 0.9;
// Where others had more of a core, latencies are theirs.
const OTHERS_MAX = 0.1;
// Where more of what was due waits unsent at the end, generator and server did not keep the rate.
const UNSENT_MAX = 0.01;

/** What a server did in a second; a get of many keys counts as so many. @param {Result} result */
export function rateOf({ perKey }) {
  return (/** @type {Measurement} */ run) => (perKey ? run.keysPerSecond : run.requestsPerSecond);
}

/** What a server did in a second of its own CPU time. @param {Result} result */
export function ratePerCpuOf(result) {
  const rate = rateOf(result);
  return (/** @type {Measurement} */ run) => (rate(run) * run.seconds) / run.serverCpuSeconds;
}

/** A contestant's rate ÷ a peer's. @param {Result} result @param {string} whose @param {string} peer */
export function rateRatio(result, whose, peer) {
  return ratio(result.runs[whose], result.runs[peer], rateOf(result));
}

/** What a request costs with many of something ÷ with few. @param {Result} result @param {string} whose */
export function growthOf(result, whose) {
  return ratio(result.runs[`${whose}, few`], result.runs[`${whose}, many`], ratePerCpuOf(result));
}

/** Half of what the slower one did: where a pause shows as latency and not as a lower rate. @param {Record<string, Measurement[]>} runs */
export function halfRate(runs) {
  const tops = Object.values(runs).map((each) => median(each.map((run) => run.requestsPerSecond)));
  return Math.round(Math.min(...tops) / 2);
}

/**
 * A contestant's latency ÷ a peer's; NaN where the peer had another rate than it was to have: then the generator may be
 * what was late. A contestant that alone did not keep the rate has its latencies to answer for.
 * @param {Result} result @param {string} whose @param {string} peer @param {(run: Measurement) => number} figure
 */
export function latencyRatio({ runs }, whose, peer, figure) {
  return unsentShare(runs[peer]) <= UNSENT_MAX ? ratio(runs[whose], runs[peer], figure) : Number.NaN;
}

/** As many times the pairs have latencies at a fixed rate, of which the odd run is ten times another. */
export const PACED_TIMES = 5;

const FIGURES = /** @type {const} */ (['p50', 'p90', 'p99', 'p999']);
const PERCENTILES = ['p50', 'p90', 'p99', 'p99.9'];

/** Beside one peer; without it, ours alone. @param {Result[]} results @param {string} peer @param {string} whose */
export function printLatencies(results, peer, whose = 'ironcached') {
  table(
    [
      'work',
      ...PERCENTILES,
      'p99 ratio',
      'p99.9 ratio',
      'noise',
      'later than 1 ms',
      'others',
      'RSS',
      'missing',
      'unsent',
    ],
    results.map((result) => {
      const { name, rate, runs } = result;
      const ours = runs[whose];
      const theirs = runs[peer];
      const all = [...(theirs ?? []), ...(ours ?? [])];
      const beside = (/** @type {(runs: Measurement[]) => string} */ figure) =>
        [theirs, ours].map((each) => (each ? figure(each) : '–')).join(' \\| ');
      const missing = all.reduce((total, run) => total + run.missing, 0);
      return [
        rate ? `${name}, ${short(rate)}/s` : name,
        ...FIGURES.map((figure) => beside((each) => milliseconds(median(each.map((run) => run[figure]))))),
        times(latencyRatio(result, whose, peer, (run) => run.p99)),
        times(latencyRatio(result, whose, peer, (run) => run.p999)),
        theirs ? percent(middleSpread(theirs.map((run) => run.p99))) : '–',
        beside((each) => percent(mean(each.map((run) => run.late)), 2)),
        marked(othersShare(all), OTHERS_MAX),
        beside((each) => mebibytes(each.at(-1)?.residentBytes ?? 0)),
        String(missing),
        marked(Math.max(unsentShare(theirs), unsentShare(ours)), UNSENT_MAX),
      ];
    }),
  );
}

/** @param {Measurement[]} [runs] */
function unsentShare(runs = []) {
  if (runs.length === 0) return 0;
  return median(runs.map(({ unsent, requests }) => unsent / (unsent + requests)));
}

/**
 * What was missing of the busier core. In a closed loop the server or the generator is always busy, at a fixed
 * rate the generator is: so others had it.
 * @param {Measurement[]} runs
 */
function othersShare(runs) {
  const busy = runs.map((run) => Math.max(run.serverCpuSeconds, run.generatorCpuSeconds) / run.seconds);
  return Math.max(0, 1 - median(busy));
}

/** Had others so much that latencies say nothing? @param {Result} result */
export function isDisturbed({ runs }) {
  return othersShare(Object.values(runs).flat()) > OTHERS_MAX;
}

/** @param {Measurement[]} runs */
export function generatorBusy(runs) {
  const busiest = Math.max(...runs.map((run) => run.generatorCpuSeconds / run.seconds));
  return marked(busiest, GENERATOR_BUSY_MAX);
}

/** @param {number} share @param {number} max */
function marked(share, max) {
  return share > max ? `${percent(share)} (!)` : percent(share);
}
