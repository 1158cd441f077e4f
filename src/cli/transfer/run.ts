import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { codeOf, messageOf } from '../../thrown.ts';
import { ControlError } from '../control.ts';
import { transferHelp } from '../help.ts';
import { tellMistakes } from '../option-reader.ts';
import { type Access, openAccess } from './access.ts';
import { dumpOf } from './dump.ts';
import { readDump, writeDump, writeDumpFile } from './dump-file.ts';
import { dumpsIn } from './dumps-in-file.ts';
import { type MemcachedAddress, readTransfer, type Transfer } from './invocation.ts';
import type { CachePlace, LoadReport } from './item-server.ts';
import { loadDumps, summaryOf } from './load.ts';
import { memcachedDump, readSignIn } from './memcached-dump.ts';
import { grouped, Progress, type Terminal } from './progress.ts';
import { ProjectsLeftOut } from './projects-left-out.ts';

interface TransferStreams {
  readonly in: Readable;
  readonly out: Writable;
  readonly err: Terminal;
}

/** Carries out `ironcached dump …` and `ironcached load …`; gives the exit status. `signal` ends it early. */
export async function runTransfer(
  args: readonly string[],
  streams: TransferStreams,
  signal: AbortSignal,
): Promise<number> {
  const read = readTransfer(args);
  if ('show' in read) return showHelp(streams, signal);
  if ('mistakes' in read) return tellMistakes(read.mistakes, streams.err);
  const { asked: transfer, config } = read;
  const progress = new Progress(
    transfer.command === 'dump' ? 'dumped' : 'loaded',
    terminalOf(transfer, streams),
  );
  const wait = async (reason: string, ms: number) => {
    progress.wait(reason);
    await delay(ms, undefined, { signal });
    progress.goOn();
  };
  try {
    const access = await openAccess(transfer, config, { signal, wait });
    const parts = { transfer, access, streams, progress, signal };
    try {
      return await (transfer.command === 'dump' ? dump(parts) : load(parts));
    } finally {
      await access.tokens.end();
    }
  } catch (error) {
    progress.pause();
    return tellFailure(error, streams, signal);
  }
}

async function showHelp(streams: TransferStreams, signal: AbortSignal): Promise<number> {
  try {
    await writeDump(streams.out, [transferHelp()], signal);
    return 0;
  } catch (error) {
    return tellFailure(error, streams, signal);
  }
}

interface TransferParts {
  readonly transfer: Transfer;
  readonly access: Access;
  readonly streams: TransferStreams;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

async function dump({ transfer, access, streams, progress, signal }: TransferParts): Promise<number> {
  let caches = 0;
  const leftOut = new ProjectsLeftOut(access.control, streams.err);
  async function* dumps(): AsyncGenerator<Uint8Array> {
    for await (const place of placesOf(transfer, access, leftOut)) {
      const asked = dumpOf(place, access.server, progress);
      const pieces = await (transfer.allProjects ? leftOut.unless(asked, place.project) : asked);
      // One that was listed may be gone by now.
      if (!pieces && transfer.caches.length > 0) throw new ControlError(`there is no cache "${place.cache}"`);
      if (!pieces) continue;
      caches++;
      yield* pieces;
    }
  }
  const { file } = transfer;
  await (file === undefined ? writeDump(streams.out, dumps(), signal) : writeDumpFile(file, dumps(), signal));
  progress.finish(`; caches: ${grouped(caches)}`);
  return 0;
}

async function* placesOf(
  { allProjects, caches }: Transfer,
  { server, control, project }: Access,
  leftOut: ProjectsLeftOut,
): AsyncGenerator<CachePlace> {
  if (!allProjects) {
    const id = project();
    const names = caches.length > 0 ? caches : await server.caches(id);
    for (const cache of names) yield { project: id, cache };
    return;
  }
  for (const { id, status } of await (await control()).projects()) {
    if (status !== 'active') {
      leftOut.add(id, 'is suspended, and not in the dump');
      continue;
    }
    for (const cache of (await leftOut.unless(server.caches(id), id)) ?? []) {
      if (!leftOut.has(id)) yield { project: id, cache };
    }
  }
}

async function load(parts: TransferParts): Promise<number> {
  const { transfer, streams, progress } = parts;
  const reports = await (transfer.memcached ? loadMemcached(parts, transfer.memcached) : loadFile(parts));
  // Whether it should be empty, such as the file of a command that failed, is known to who made it alone.
  if (reports.length === 0) {
    throw new ControlError('there is no dump in it: it is empty, as a dump of no caches is');
  }
  const { loaded, more, refused } = summaryOf(reports);
  progress.items = loaded;
  progress.finish(more);
  for (const line of refused) streams.err.write(`ironcached: ${line}\n`);
  return refused.length > 0 ? 1 : 0;
}

function loadFile({ transfer, access, streams, progress }: TransferParts): Promise<LoadReport[]> {
  const { project, caches, file } = transfer;
  const dumps = dumpsIn(readDump(file ?? streams.in), (bytes) => progress.count(bytes));
  const destination = { project, cache: caches[0], usualProject: access.project };
  return loadDumps(access.server, dumps, destination, modeOf(transfer));
}

async function loadMemcached(
  { transfer, access, progress }: TransferParts,
  address: MemcachedAddress,
): Promise<LoadReport[]> {
  const { caches, memcachedAuth } = transfer;
  const signIn = memcachedAuth === undefined ? undefined : await readSignIn(memcachedAuth);
  const pieces = memcachedDump({ address, signIn }, (bytes) => progress.count(bytes));
  try {
    const dump = await begun(pieces);
    const place = { project: access.project(), cache: String(caches[0]) };
    return [await access.server.load(place, dump, modeOf(transfer))];
  } finally {
    // Where nobody takes the rest, its connection would stay open, and the process with it.
    void pieces.return(undefined);
  }
}

// The service is not asked for a load whose source cannot even begin.
async function begun(pieces: AsyncGenerator<Buffer>): Promise<AsyncGenerator<Buffer>> {
  const first = await pieces.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* pieces;
  })();
}

function modeOf({ add }: Transfer): 'set' | 'add' {
  return add ? 'add' : 'set';
}

// What is dumped to a terminal would be torn by lines about it.
function terminalOf({ command, file }: Transfer, { out, err }: TransferStreams): Terminal {
  const isInTheWay = command === 'dump' && file === undefined && 'isTTY' in out && out.isTTY === true;
  return isInTheWay ? { write: (text) => err.write(text) } : err;
}

/** A shell's way of telling which signal ended a program. */
export const STATUS_BY_SIGNAL: Record<string, number> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

function tellFailure(error: unknown, { err }: TransferStreams, signal: AbortSignal): number {
  if (signal.aborted) {
    err.write('ironcached: interrupted\n');
    return STATUS_BY_SIGNAL[String(signal.reason)] ?? 1;
  }
  // The reader of our output, such as `head`, has had enough.
  if (codeOf(error) !== 'EPIPE') err.write(`ironcached: ${messageOf(error)}\n`);
  return 1;
}
