import type { Origin } from '../../dump/first-and-last-line.ts';
import { ControlError } from '../control.ts';
import type { DumpInFile } from './dumps-in-file.ts';
import type { CachePlace, ItemServer, LoadReport } from './item-server.ts';
import { grouped } from './progress.ts';

/** Where everything goes, if not where it is from. */
interface Destination {
  readonly project: string | undefined;
  readonly cache: string | undefined;
  /** The project of dumps that name none. Throws ControlError. */
  readonly usualProject: () => string;
}

/** Loads the dumps of a file, each into its place. Throws ControlError. */
export async function loadDumps(
  server: ItemServer,
  dumps: AsyncIterable<DumpInFile>,
  destination: Destination,
  mode: 'set' | 'add',
): Promise<LoadReport[]> {
  const reports: LoadReport[] = [];
  let first: Origin | undefined;
  try {
    for await (const { origin, line, pieces } of dumps) {
      first ??= origin;
      refuseToMix(destination, first, origin);
      const place = placeOf(destination, origin, line);
      reports.push(await server.load(place, pieces, mode).catch((error) => fail(error, line)));
    }
  } catch (error) {
    const { loaded } = summaryOf(reports);
    if (!(error instanceof ControlError) || loaded === 0) throw error;
    throw new ControlError(`${error.message}; of the dumps before it, ${grouped(loaded)} items were loaded`);
  }
  return reports;
}

/** How many items were loaded, what became of the others as the end of a line, and lines for what was refused. */
export function summaryOf(reports: readonly LoadReport[]): {
  loaded: number;
  more: string;
  refused: string[];
} {
  const sum = (count: (report: LoadReport) => number) =>
    reports.reduce((total, report) => total + count(report), 0);
  const counts = [
    [sum(({ expired }) => expired), 'had expired'],
    [sum(({ kept }) => kept), 'were there and stay'],
    [sum(({ refused }) => refused.reduce((total, { items }) => total + items, 0)), 'were refused'],
  ] as const;
  return {
    loaded: sum(({ loaded }) => loaded),
    more: counts.map(([count, what]) => (count === 0 ? '' : `; ${grouped(count)} ${what}`)).join(''),
    refused: reports.flatMap(({ refused }) =>
      refused.map(
        ({ msg, items, line }) => `${grouped(items)} items were refused, the first in line ${line}: ${msg}`,
      ),
    ),
  };
}

function placeOf(destination: Destination, origin: Origin, line: number): CachePlace {
  const cache = destination.cache ?? origin.cache;
  if (cache === undefined) throw new ControlError(`line ${line} does not name a cache: give --cache`);
  return { project: destination.project ?? origin.project ?? destination.usualProject(), cache };
}

// Items of the same key would replace each other.
function refuseToMix(destination: Destination, first: Origin, origin: Origin): void {
  if (destination.project !== undefined && origin.project !== first.project) {
    throw new ControlError('there are dumps of several projects, which --project would mix: leave it out');
  }
  if (destination.cache !== undefined && origin.cache !== first.cache) {
    throw new ControlError('there are dumps of several caches, which --cache would mix: leave it out');
  }
}

function fail(error: unknown, line: number): never {
  if (!(error instanceof ControlError) || line === 1) throw error;
  throw new ControlError(`${error.message} (counted from line ${line} of the file, where that dump begins)`);
}
