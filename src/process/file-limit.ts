import { readFileSync } from 'node:fs';

// What a process has open besides connections: the log, the listeners, the event loop's own, files of the data directory,
// and parts of the program that are read when they are needed. Node never tries again to read one that it could not.
const OTHER_FILES = 128;

/** How many connections leave enough files for everything else. */
export function connectionsWithin(limit: number | undefined): number {
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  return Math.max(limit - OTHER_FILES, Math.floor(limit / 2));
}

/** How many files and connections this process may have open at once; undefined where only the system knows. */
export function fileLimit(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = /^Max open files +(\d+)/m.exec(limits)?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    // Linux alone has this file.
    return undefined;
  }
}
