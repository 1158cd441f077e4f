import { has, residentBytes } from './machine.mjs';
import { inTurn, median } from './pairs.mjs';
import { mebibytes, say, table, tell } from './report.mjs';
import { startIroncached, startMemcached } from './servers.mjs';

// Until what a start needs only once is over.
const SETTLE_MS = 500;

/** How long a start takes, and what an empty service weighs. @param {{ pairs: number, store: string }} options */
export async function benchStart({ pairs, store }) {
  tell('start');
  const runs = await inTurn(pairs, {
    ...(has('memcached') ? { memcached: () => measureStart(startMemcached) } : {}),
    ironcached: () => measureStart(() => startIroncached(store)),
    // Which has to be checked, and what does that is loaded for it.
    'ironcached, projects and tokens in a file': () =>
      measureStart(() => startIroncached(store, { tenants: 2 })),
  });
  say(
    '\n## Start\n\nFrom the start of the process until it is ready to answer, and its memory when empty.\n',
  );
  table(
    ['server', 'ready after', 'RSS when empty'],
    Object.entries(runs).map(([name, measured]) => [
      name,
      `${median(measured.map((run) => run.readyMs)).toFixed(0)} ms`,
      mebibytes(median(measured.map((run) => run.residentBytes))),
    ]),
  );
  return runs;
}

/** Its time until ready and its memory when empty. @param {() => Promise<import('./servers.mjs').Server>} start */
export async function measureStart(start) {
  const server = await start();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const bytes = residentBytes(server.pid);
  await server.stop();
  return { readyMs: server.readyMs, residentBytes: bytes };
}
