import type { Stats } from 'node:fs';

/**
 * Does a file give what it says once, as `<(…)` of a shell and `/dev/stdin` do? To open a pipe another time would wait
 * for somebody to write to it.
 */
export function isReadOnce(file: Stats): boolean {
  return file.isFIFO() || file.isCharacterDevice();
}
