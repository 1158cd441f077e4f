// node test/bench/embedded.mjs [items]: the log beside an embedded database, as ways of keeping a stream of sets.
// The database is lmdb, which is none of our packages: npm i --no-save lmdb, or it is skipped.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { say, table } from './report.mjs';

const ITEMS = Number(process.argv[2] ?? 1_000_000);
const PER_TURN = 100;
const value = Buffer.alloc(100, 'v');

/** @param {string} name @param {(directory: string) => Promise<{ put: (key: string) => void, end: () => Promise<void>, read: () => Promise<void> }>} open */
async function measure(name, open) {
  const directory = mkdtempSync(join(tmpdir(), 'ironcached-embedded-'));
  const keeper = await open(directory);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  let inPuts = 0;
  for (let i = 0; i < ITEMS; ) {
    const start = performance.now();
    for (let end = Math.min(i + PER_TURN, ITEMS); i < end; i++) keeper.put(`key-${i}`);
    inPuts += performance.now() - start;
    await othersTurn();
  }
  await keeper.end();
  const seconds = (performance.now() - started) / 1000;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const bytes = files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
  const reading = performance.now();
  await keeper.read();
  const readSeconds = (performance.now() - reading) / 1000;
  rmSync(directory, { recursive: true });
  return [
    name,
    ((inPuts / ITEMS) * 1000).toFixed(2),
    seconds.toFixed(2),
    ((user + system) / 1e6).toFixed(2),
    (delay.max / 1e6).toFixed(1),
    (bytes / 2 ** 20).toFixed(0),
    readSeconds.toFixed(2),
  ];
}

/** @param {string} path */
async function ownLog(path) {
  const { ItemDirectory } = await import('../../dist/durability/item-directory.js');
  const { ItemJournal } = await import('../../dist/durability/item-journal.js');
  const { LogReader } = await import('../../dist/durability/log-reader.js');
  const { readRecords } = await import('../../dist/durability/record-reader.js');
  const directory = await ItemDirectory.open(path);
  const clock = { now: Date.now, unixNow: Date.now };
  const journal = new ItemJournal({
    directory,
    clock,
    fsync: 'everysec',
    nextCas: () => 1,
    sequence: 1,
    unwrittenBytesMax: 2 ** 30,
    failed: () => true,
    recovered: () => {},
  });
  const file = /** @type {const} */ ({ generation: 1, kind: 'log' });
  journal.begin(file);
  const cache = { number: 1, id: 'id', projectId: 'p', name: 'c', clearAt: undefined, describedIn: 0 };
  const draft = /** @type {const} */ ({
    value,
    kind: 'bytes',
    flags: 0,
    cas: 1,
    expiresAt: Number.POSITIVE_INFINITY,
  });
  const nothing = () => {};
  const listener = {
    cache: nothing,
    put: nothing,
    amended: nothing,
    removed: nothing,
    cleared: nothing,
    clearPlanned: nothing,
    deleted: nothing,
    complete: nothing,
  };
  return {
    put: (/** @type {string} */ key) => journal.itemPut(cache, key, draft, 1000),
    end: async () => {
      journal.stop();
      await journal.writer.settle();
      await journal.writer.close();
    },
    read: async () => {
      const reader = await LogReader.open(directory.pathOf(file));
      for (let frame = await reader.next(); frame; frame = await reader.next())
        readRecords(frame.body, listener);
      await reader.close();
    },
  };
}

/** @param {string} path */
async function lmdb(path) {
  const name = 'lmdb';
  const { open } = await import(name);
  const database = open({ path: join(path, 'db'), encoding: 'binary', compression: false });
  return {
    put: (/** @type {string} */ key) => void database.put(key, value),
    end: () => database.flushed,
    read: async () => {
      let bytes = 0;
      for (const { value: kept } of database.getRange()) bytes += kept.length;
      await database.close();
      if (bytes !== ITEMS * value.length) throw new Error(`lmdb has ${bytes} bytes`);
    },
  };
}

const rows = [await measure('own log', ownLog)];
try {
  rows.push(await measure('lmdb', lmdb));
} catch (error) {
  say(`lmdb is skipped: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
}
table(
  ['kept by', 'µs a put, of the loop', 'all on disk after s', 'CPU s', 'loop longest ms', 'MiB', 'read s'],
  rows,
);
