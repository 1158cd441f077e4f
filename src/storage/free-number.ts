/** 32 bits are there for it; 0 is none. */
const NUMBER_MAX = 2 ** 32 - 1;

/**
 * The number after the last one that was given, or the next that is not in use. They start over once all have been
 * given: a client that makes a cache, clears it or has a first write refused over and over uses them up within hours.
 */
export function freeNumber(last: number, inUse: ReadonlyMap<number, unknown>, most = NUMBER_MAX): number {
  let number = last;
  do number = (number % most) + 1;
  while (inUse.has(number));
  return number;
}
