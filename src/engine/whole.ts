/**
 * A whole number of up to 64 bits: a plain number up to 2^53-1 either way, and a bigint beyond, so that `===`
 * compares any two. Bigints are objects, and slow.
 */
export type Whole = number | bigint;

/** Any number of so many digits is a plain one. */
export const PLAIN_DIGITS_MAX = 15;

/** Puts a number into the one form that `===` compares. */
export function wholeFrom(value: bigint): Whole {
  const plain = Number(value);
  return Number.isSafeInteger(plain) ? plain : value;
}
