// npm run bench:page -- [bench-results.json]: writes RESULTS.md, with all tables, and results.svg beside it.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { aimsOf, sayAims } from './aims.mjs';
import { growthOf, isDisturbed, latencyRatio, rateRatio } from './measurements.mjs';
import { plot } from './plot.mjs';
import { takeSaid } from './report.mjs';
import { readResults } from './results-file.mjs';

/** @typedef {import('./measurements.mjs').Result} Result */
/** @typedef {import('./plot.mjs').Group} Group */

const BARE_SERVER = 'a bare node:net server';
const BARE_CACHE = 'a bare cache';

const [, , file = 'bench-results.json'] = process.argv;
const parts = readResults(file);
if (Object.keys(parts).length === 0) throw new Error(`${file} holds no results; npm run bench makes them`);
writeFileSync(pathOf('results.svg'), plot(groups()));
writeFileSync(pathOf('RESULTS.md'), page());
process.stderr.write(`Written: ${pathOf('RESULTS.md')} and results.svg\n`);

/** @param {string} name */
function pathOf(name) {
  return fileURLToPath(new URL(name, import.meta.url));
}

function page() {
  const sections = Object.values(parts).map(({ markdown, ...about }) => {
    const [heading = '', ...lines] = markdown.trim().split('\n');
    return [heading, '', told(about), ...lines].join('\n');
  });
  return `# Results of the benchmark

Written by \`npm run bench:page\` from what \`npm run bench\` measured; [README.md](README.md) says how, and what to make of it.

![Ratios to memcached, Fastify, webdis and redis, as bars](results.svg)

${aims()}
${sections.join('\n\n')}
`;
}

// Also to be read where this is run.
function aims() {
  sayAims(aimsOf(parts));
  return takeSaid().trimStart();
}

/** @param {Pick<import('./results-file.mjs').PartResult, 'date' | 'machine' | 'options'>} about */
function told({ date, machine, options: { seconds, pairs } }) {
  return `${date.slice(0, 10)}, Node ${machine.node}, ${machine.platform}, ${machine.processor}, ${machine.cores} cores; ${pairs} runs each, ${seconds} s a run.`;
}

/** @returns {Group[]} */
function groups() {
  const memcached = parts['memcached']?.figures ?? { results: [], paced: [] };
  const rest = parts['rest']?.figures ?? { results: [], paced: [] };
  const growth = parts['growth']?.figures ?? { results: [] };
  return [
    {
      title: 'Requests per second ÷ memcached’s',
      better: 'more',
      bars: rates(memcached.results, 'memcached'),
    },
    { title: 'p99 at half rate ÷ memcached’s', better: 'less', bars: tails(memcached.paced, 'memcached') },
    {
      title: 'REST: requests per second ÷ bare Fastify’s',
      better: 'more',
      bars: rates(rest.results, 'fastify'),
    },
    {
      title: 'REST: requests per second ÷ webdis + redis’',
      better: 'more',
      bars: rates(rest.results, 'shipped'),
    },
    {
      title: 'REST: requests per second ÷ those of webdis + redis, tuned',
      better: 'more',
      bars: rates(rest.results, 'tuned'),
    },
    { title: 'REST: p99 at half rate ÷ bare Fastify’s', better: 'less', bars: tails(rest.paced, 'fastify') },
    { title: 'CPU time of a get with many ÷ with few', better: 'less', bars: costs(growth.results) },
  ];
}

/** @param {Result[]} results @param {string} peer */
function rates(results, peer) {
  const rate = (/** @type {string} */ whose) => (/** @type {Result} */ result) =>
    rateRatio(result, whose, peer);
  return undisturbed(results).flatMap((result) => [
    ...bars([result], rate('ironcached')),
    ...bars([{ ...result, name: BARE_CACHE }], rate('bare')),
  ]);
}

/** @param {Result[]} results @param {string} peer */
function tails(results, peer) {
  const p99 = (/** @type {string} */ whose) => (/** @type {Result} */ result) =>
    latencyRatio(result, whose, peer, (run) => run.p99);
  return undisturbed(results).flatMap((result) => [
    ...bars([result], p99('ironcached')),
    ...bars([{ ...result, name: BARE_CACHE }], p99('bare')),
  ]);
}

/** @param {Result[]} results */
function undisturbed(results) {
  return results.filter((result) => !isDisturbed(result));
}

/** @param {Result[]} results */
function costs(results) {
  const cost = (/** @type {string} */ whose) => (/** @type {Result} */ result) => growthOf(result, whose);
  return results.flatMap((result) => [
    ...bars([result], cost('ours')),
    ...bars([{ ...result, name: 'memcached' }], cost('peer')),
    ...bars([{ ...result, name: BARE_SERVER }], cost('limit')),
  ]);
}

/** Without those whose peer was not measured. @param {Result[]} results @param {(result: Result) => number} figure */
function bars(results, figure) {
  return results
    .map((result) => ({ label: result.name, ratio: figure(result) }))
    .filter((bar) => Number.isFinite(bar.ratio));
}
