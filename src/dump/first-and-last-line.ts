import { LineMistake } from './line-mistake.ts';

/*
 * A dump is text in UTF-8, a JSON object a line: a first line that says what it is, a line for each item,
 * and a last line with their number, by which a dump that was cut off is recognised. Dumps of several
 * caches may follow one another in a file.
 */

/** What the first line of every dump says, and of nothing else. */
const FORMAT = 'ironcached items';

/** Of the lines that are written and read here. A newer version is refused: what it adds would be lost. */
const VERSION = 1;

const PROJECT = /^[0-9a-f]{24}$/;

/** Which cache a dump is of. Lines that were not written here need not say it. */
export interface Origin {
  readonly project: string | undefined;
  readonly cache: string | undefined;
}

/** `at`: when it is made, in ms since the Unix epoch. */
export function firstLine(origin: Origin, at: number): string {
  return `${JSON.stringify({ format: FORMAT, version: VERSION, ...origin, at: new Date(at) })}\n`;
}

export function lastLine(items: number): string {
  return `${JSON.stringify({ end: true, items })}\n`;
}

/** Reads the members of a first line. Throws LineMistake. */
export function originFrom(members: Readonly<Record<string, unknown>>): Origin {
  const { format, version, project, cache } = members;
  if (format !== FORMAT) throw new LineMistake(`must have "format": "${FORMAT}"`);
  if (!Number.isSafeInteger(version) || Number(version) < 1) {
    throw new LineMistake(`must have "version": ${VERSION}`);
  }
  if (Number(version) > VERSION) {
    throw new LineMistake(`is of version ${version} of the format; this release reads up to ${VERSION}`);
  }
  return { project: projectFrom(project), cache: cacheFrom(cache) };
}

/** Reads the number of items from the members of a last line. Throws LineMistake. */
export function itemsFrom({ items }: Readonly<Record<string, unknown>>): number {
  if (typeof items === 'number' && Number.isSafeInteger(items) && items >= 0) return items;
  throw new LineMistake('must have the number of items: {"end": true, "items": 3}');
}

function projectFrom(project: unknown): string | undefined {
  if (project === undefined || (typeof project === 'string' && PROJECT.test(project))) return project;
  throw new LineMistake('must have 24 lower-case hexadecimal digits as "project"');
}

function cacheFrom(cache: unknown): string | undefined {
  if (cache === undefined || (typeof cache === 'string' && cache !== '')) return cache;
  throw new LineMistake('must have the name of a cache as "cache"');
}
