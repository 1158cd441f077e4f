// npm run bench -- [parts] [options]: see --help, and README.md for how to read the tables.
import { parseArgs } from 'node:util';
import { aimsOf, sayAims } from './aims.mjs';
import { durability } from './durability.mjs';
import { growth } from './growth.mjs';
import { benchItems } from './items.mjs';
import { cores, describeMachine, watchOthers } from './machine.mjs';
import { memcached } from './memcached.mjs';
import { benchMemory } from './memory.mjs';
import { nodes } from './nodes.mjs';
import { percent, say, takeSaid } from './report.mjs';
import { rest } from './rest.mjs';
import { addResult, readResults, renewed } from './results-file.mjs';
import { benchStalls } from './stalls.mjs';
import { benchStart } from './start.mjs';

const HELP = `npm run bench -- [part…] [options]

parts
  memcached   against memcached -t 1, by its protocol
  rest        against a bare Fastify route, a bare node:http server, and webdis with redis
  growth      what a get costs with many items, connections and tenants, beside few
  start       time until ready, memory when empty
  memory      resident memory against the limit; a quarter of an hour, so only by name
  stalls      how long 5 million items hold the event loop when they go; minutes, so only by name
  nodes       some of that with several versions of Node, a minute and a half for each; see --node
  items       10 million items in one cache; minutes and gigabytes, so only by name
  durability  what it costs to keep items on disk, and a restart with a million; minutes, so only by name
  (none: memcached, rest, growth and start)

options
  --seconds N   how long one run takes (2)
  --pairs N     how many runs each server gets, in turn (5)
  --quick       1 second, 2 pairs: a look, not a result
  --only TEXT   only work whose name has this in it, such as "depth 16"; the file keeps the figures of other work
  --store NAME  how ironcached keeps items: arena (default) or lru-cache
  --node PATH   for the part nodes: a Node to run ironcached with; may be given several times
  --items N     for the parts items (10000000) and stalls (5000000)
  --json FILE   where the figures go (bench-results.json); those of other parts stay there
  --help
`;

// What measures first and prints then can be measured in portions; see --only.
const PARTS = {
  memcached,
  rest,
  growth,
  durability,
  start: benchStart,
  memory: benchMemory,
  stalls: benchStalls,
  nodes,
  items: benchItems,
};
const DEFAULT_PARTS = /** @type {PartName[]} */ (['memcached', 'rest', 'growth', 'start']);
/** @typedef {keyof typeof PARTS} PartName */

try {
  const options = readOptions();
  if (options.help) process.stdout.write(HELP);
  else await run(options);
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : error}\n`);
  // Servers that were started run on, and would keep it.
  process.exit(1);
}

/** @param {ReturnType<typeof readOptions>} given */
async function run({ parts, json, help: _, ...options }) {
  const machine = describeMachine();
  const pinning = cores
    ? `servers on core ${cores.server}, generators on core ${cores.generator}`
    : 'nothing pinned (one core, or no taskset): figures are rough';
  say(`# ironcached bench, ${new Date().toISOString()}\n`);
  say(`Node ${machine.node}, ${machine.platform}, ${machine.processor}, ${machine.cores} cores; ${pinning}.`);
  say(`${options.pairs} runs each, ${options.seconds} s a run; store: ${options.store}.`);
  // A file that cannot be added to is told now and not in a quarter of an hour.
  readResults(json);
  for (const part of parts) {
    const date = new Date().toISOString();
    takeSaid();
    const others = watchOthers();
    const figures = await measure(part, options, options.only ? readResults(json)[part]?.figures : undefined);
    sayOthers(others());
    // After every part, so that a late failure loses no figures.
    addResult(json, part, { date, machine, options, others: others(), markdown: takeSaid(), figures });
  }
  const measured = Object.entries(readResults(json)).filter(([part]) => parts.some((name) => name === part));
  sayAims(aimsOf(Object.fromEntries(measured)));
  say(`\nAll figures: ${json}`);
}

/** @param {PartName} name @param {any} options @param {any} earlier figures of the part that stay in force */
async function measure(name, options, earlier) {
  const part = PARTS[name];
  if (typeof part === 'function') return part(options);
  const measured = await part.measure(options);
  const figures = earlier ? renewed(earlier, measured) : measured;
  part.print(figures);
  return figures;
}

/** @param {{ loadAverage: number[], stolenShare: number }} others */
function sayOthers({ loadAverage, stolenShare }) {
  say(`\nLoad average of the machine before: ${loadAverage.join(', ')}.`);
  say(`Taken by the hypervisor meanwhile: ${percent(stolenShare)} of the cores' time.`);
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      store: { type: 'string', default: 'arena' },
      items: { type: 'string' },
      node: { type: 'string', multiple: true, default: [process.execPath] },
      json: { type: 'string', default: 'bench-results.json' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { quick, json, help, only, store } = values;
  return {
    help,
    json,
    only,
    store,
    parts: positionals.length > 0 ? positionals.map(partNamed) : DEFAULT_PARTS,
    seconds: positive('--seconds', values.seconds) ?? (quick ? 1 : 2),
    pairs: Math.ceil(positive('--pairs', values.pairs) ?? (quick ? 2 : 5)),
    items: positive('--items', values.items),
    nodes: values.node,
  };
}

/** @param {string} name @returns {PartName} */
function partNamed(name) {
  if (Object.hasOwn(PARTS, name)) return /** @type {PartName} */ (name);
  throw new Error(`${name}: there is no such part; the parts are ${Object.keys(PARTS).join(', ')}`);
}

/** @param {string} flag @param {string | undefined} text */
function positive(flag, text) {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new Error(`${flag}: ${text} is not accepted; expected a number above 0`);
}
