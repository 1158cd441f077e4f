import { type Whole, wholeFrom } from '../../engine/whole.ts';
import type { Words } from './words.ts';

// memcached reads numbers by C's strtol family, and clients may rely on what that lets pass: white space in front, a
// plus sign, and anything after white space.
const C_NUMBER = /^[\t\n\v\f\r ]*([+-]?)(\d+)(?:[\t\n\v\f\r ]|$)/;

const TWO_TO_63 = 2n ** 63n;

/** The word of a line, without its first `skip` bytes, as a 32-bit signed number; see int32From. */
export function int32At(words: Words, index: number, skip = 0): number | undefined {
  const plain = words.plainNumber(index, skip);
  return plain >= 0 ? plain : int32From(words.text(index).slice(skip));
}

/** The same as a 32-bit unsigned number; see uint32From. */
export function uint32At(words: Words, index: number, skip = 0): number | undefined {
  const plain = words.plainNumber(index, skip);
  return plain >= 0 ? plain : uint32From(words.text(index).slice(skip));
}

/** The same as a 64-bit unsigned number; see uint64From. */
export function uint64At(words: Words, index: number, skip = 0): Whole | undefined {
  const plain = words.plainWhole(index, skip);
  return plain >= 0 ? plain : uint64From(words.text(index).slice(skip));
}

/** A 32-bit signed number, as exptimes and lengths are. As in memcached 1.6, a longer one is cut to its low 32 bits. */
export function int32From(text: string): number | undefined {
  const value = bigintFrom(text);
  if (value === undefined || BigInt.asIntN(64, value) !== value) return undefined;
  return Number(BigInt.asIntN(32, value));
}

/** A 32-bit unsigned number, as flags are; cut likewise. */
export function uint32From(text: string): number | undefined {
  const value = uint64From(text);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, BigInt(value)));
}

/** A 64-bit unsigned number, as cas numbers and deltas are. */
export function uint64From(text: string): Whole | undefined {
  const value = bigintFrom(text);
  if (value === undefined) return undefined;
  const magnitude = value < 0n ? -value : value;
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined;
  const wrapped = BigInt.asUintN(64, value);
  // strtoull takes a minus sign; memcached refuses the result unless it came out below 2^63.
  return wrapped >= TWO_TO_63 && text.includes('-') ? undefined : wholeFrom(wrapped);
}

function bigintFrom(text: string): bigint | undefined {
  const match = C_NUMBER.exec(text);
  if (!match) return undefined;
  const [, sign, digits = ''] = match;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}
