// memcached reads numbers by C's strtol family; what that lets pass, clients may have come to send:
// white space in front, a plus sign, and anything behind white space.
const C_NUMBER = /^[\t\n\v\f\r ]*([+-]?)(\d+)(?:[\t\n\v\f\r ]|$)/;

const TWO_TO_63 = 2n ** 63n;

/** A 32-bit signed number, or undefined for anything else: exptimes and lengths. */
export function int32From(text: string): number | undefined {
  const value = isPlainDigits(text) ? Number(text) : Number(bigintFrom(text) ?? Number.NaN);
  return value >= -0x80000000 && value <= 0x7fffffff ? value : undefined;
}

/** A 32-bit unsigned number; as in memcached 1.6, of a longer one the low 32 bits. */
export function uint32From(text: string): number | undefined {
  if (isPlainDigits(text)) return Number(text);
  const value = uint64From(text);
  return value === undefined ? undefined : Number(BigInt.asUintN(32, value));
}

/** A 64-bit unsigned number: cas numbers and deltas. */
export function uint64From(text: string): bigint | undefined {
  const value = bigintFrom(text);
  if (value === undefined) return undefined;
  const magnitude = value < 0n ? -value : value;
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined;
  const wrapped = BigInt.asUintN(64, value);
  // strtoull takes a minus sign; memcached refuses the result unless it came out below 2^63.
  return wrapped >= TWO_TO_63 && text.includes('-') ? undefined : wrapped;
}

function bigintFrom(text: string): bigint | undefined {
  const match = C_NUMBER.exec(text);
  if (!match) return undefined;
  const [, sign, digits = ''] = match;
  return sign === '-' ? -BigInt(digits) : BigInt(digits);
}

// The common case, without a regular expression or a bigint.
function isPlainDigits(text: string): boolean {
  if (text.length === 0 || text.length > 9) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return false;
  }
  return true;
}
