// Times every piece of work in rounds, all in turn, and prints one line of JSON: nanoseconds each, by name.
// Arguments: rounds, milliseconds that a piece of work takes in each.
import { median } from '../pairs.mjs';
import { engineWorks, storeWorks } from './engine-works.mjs';
import { parserWorks, replyWorks, sessionWorks } from './memcached-works.mjs';
import { restWorks } from './rest-works.mjs';

const [rounds = 1, milliseconds = 1] = process.argv.slice(2).map(Number);
const works = [parserWorks, sessionWorks, engineWorks, storeWorks, replyWorks, restWorks].flatMap((make) =>
  make(),
);
const timed = works.map((work) => ({ ...work, nanoseconds: /** @type {number[]} */ ([]) }));

// The first round is for the compiler.
for (let round = 0; round <= rounds; round++) {
  for (const work of timed) {
    const taken = time(work);
    if (round > 0) work.nanoseconds.push(taken);
  }
}
const result = timed.map(({ name, nanoseconds }) => [name, median(nanoseconds)]);
process.stdout.write(`${JSON.stringify(Object.fromEntries(result))}\n`);

/** @param {import('./work.mjs').Work} work */
function time({ run, times }) {
  const start = performance.now();
  let runs = 0;
  let took = 0;
  for (; took < milliseconds; took = performance.now() - start) {
    run();
    runs++;
  }
  return (took * 1e6) / (runs * times);
}
