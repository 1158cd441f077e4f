import { freemem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { runGenerator } from './machine.mjs';
import { mebibytes, say, short, table, tell } from './report.mjs';

const ITEMS = 10_000_000;
// With room for what V8 has not collected yet.
const NEEDED_BYTES_PER_ITEM = { arena: 120, 'lru-cache': 1000 };
const TIMEOUT_MS = 30 * 60_000;

/** Very many live items, all there, all readable. @param {{ items?: number | undefined, store: string }} options */
export async function benchItems({ items = ITEMS, store }) {
  const needed =
    items * (store === 'arena' ? NEEDED_BYTES_PER_ITEM.arena : NEEDED_BYTES_PER_ITEM['lru-cache']);
  say(`\n## ${short(items)} items in one cache, ${store}\n`);
  if (freemem() < needed) {
    const text = `this machine has ${mebibytes(freemem())} of memory free; ${mebibytes(needed)} are needed`;
    say(`Skipped: ${text}.`);
    return { skipped: text };
  }
  tell(`${short(items)} items: this takes minutes`);
  const script = fileURLToPath(new URL('hold-items.mjs', import.meta.url));
  const heapMib = Math.ceil(needed / 2 ** 20);
  const output = await runGenerator(
    [process.execPath, `--max-old-space-size=${heapMib}`, script, String(items), store],
    TIMEOUT_MS,
  );
  const result = JSON.parse(output);
  table(
    ['step', 'items', 'per second', 'longest 1000 in a row'],
    result.steps.map((/** @type {any} */ step) => [
      step.name,
      short(step.items),
      short(step.items / step.seconds),
      `${step.longestThousandMs.toFixed(0)} ms`,
    ]),
  );
  say(`\nCounted ${result.counted}, read ${result.read} with the right value, evicted ${result.evictions}.`);
  say(
    `Resident: ${mebibytes(result.residentBytes)}, ${result.bytesPerItem.toFixed(0)} bytes an item above the empty process;`,
  );
  say(`accounted: ${result.accountedBytesPerItem.toFixed(0)} bytes an item.`);
  return result;
}
