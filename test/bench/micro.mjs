// npm run bench:micro -- [options]: the parser, the engine and what is around them, without sockets.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine, runGenerator } from './machine.mjs';
import { median } from './pairs.mjs';
import { percent, say, table, times } from './report.mjs';

const HELP = `npm run bench:micro -- [options]

Nanoseconds per operation: the median of several processes, each the median of its rounds.

options
  --processes N    how many processes measure, one after the other (5)
  --rounds N       how often each measures everything (9)
  --ms N           how long a piece of work takes in each round (20)
  --json FILE      where the figures go (bench-micro.json)
  --compare FILE   an earlier such file: prints ratios, and ends with status 1 if something became slower
  --help
`;

const TIMEOUT_MS = 10 * 60_000;
// However quiet the machine, less than this is no difference.
const DIFFERENCE_MIN = 1.05;

/** What each process measured, by the name of the work. @typedef {Record<string, number[]>} Figures */

try {
  process.exitCode = await run();
} catch (error) {
  process.stderr.write(`bench:micro: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}

async function run() {
  const { values } = parseArgs({
    options: {
      processes: { type: 'string', default: '5' },
      rounds: { type: 'string', default: '9' },
      ms: { type: 'string', default: '20' },
      json: { type: 'string', default: 'bench-micro.json' },
      compare: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const earlier = values.compare === undefined ? undefined : JSON.parse(readFileSync(values.compare, 'utf8'));
  const figures = await measure(Number(values.processes), [values.rounds, values.ms]);
  const machine = describeMachine();
  writeFileSync(
    values.json,
    `${JSON.stringify({ date: new Date().toISOString(), machine, figures }, null, 1)}\n`,
  );
  if (!earlier) {
    print(figures);
    return 0;
  }
  if (earlier.machine.processor !== machine.processor || earlier.machine.node !== machine.node) {
    say(`Compared with Node ${earlier.machine.node} on ${earlier.machine.processor}: little can be said.\n`);
  }
  return compare(earlier.figures, figures) ? 1 : 0;
}

/**
 * A process compiles anew, and lays out its memory anew: that differs more than rounds do.
 * @param {number} processes @param {string[]} words
 */
async function measure(processes, words) {
  const script = fileURLToPath(new URL('micro/time-works.mjs', import.meta.url));
  /** @type {Figures} */
  const figures = {};
  for (let i = 0; i < processes; i++) {
    const output = await runGenerator([process.execPath, script, ...words], TIMEOUT_MS);
    for (const [name, nanoseconds] of Object.entries(JSON.parse(output))) {
      figures[name] = [...(figures[name] ?? []), nanoseconds];
    }
  }
  return figures;
}

/** @param {Figures} figures */
function print(figures) {
  table(
    ['work', 'ns', 'fastest', 'slowest', 'spread'],
    Object.entries(figures).map(([name, runs]) => {
      const [least, most] = [Math.min(...runs), Math.max(...runs)];
      return [name, ns(median(runs)), ns(least), ns(most), percent((most - least) / median(runs))];
    }),
  );
}

/**
 * Slower is what was slower in each process than in every earlier one.
 * @param {Figures} earlier @param {Figures} figures @returns {boolean} whether something is
 */
function compare(earlier, figures) {
  const rows = Object.entries(figures).map(([name, now]) => {
    const before = earlier[name] ?? [];
    const ratio = median(now) / median(before);
    const isSlower = ratio > DIFFERENCE_MIN && Math.min(...now) > Math.max(...before);
    const isFaster = ratio < 1 / DIFFERENCE_MIN && Math.max(...now) < Math.min(...before);
    return { name, before, now, ratio, verdict: isSlower ? 'SLOWER' : isFaster ? 'faster' : '' };
  });
  table(
    ['work', 'ns before', 'ns now', 'ratio', ''],
    rows.map(({ name, before, now, ratio, verdict }) => [
      name,
      before.length > 0 ? ns(median(before)) : '–',
      ns(median(now)),
      times(ratio),
      verdict,
    ]),
  );
  say('\nMarked where every process differed in the same way from every one before.');
  return rows.some(({ verdict }) => verdict === 'SLOWER');
}

/** @param {number} nanoseconds */
function ns(nanoseconds) {
  return nanoseconds.toFixed(nanoseconds < 100 ? 1 : 0);
}
