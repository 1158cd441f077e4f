import { readFileSync } from 'node:fs';

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
