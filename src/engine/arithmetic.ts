import { type Cas, type Item, NEVER } from './item.ts';
import type { Decide, Decision } from './store.ts';
import { PLAIN_DIGITS_MAX, type Whole, wholeFrom } from './whole.ts';

const PLAIN_MAX = 10 ** PLAIN_DIGITS_MAX - 1;
const SPACE = 0x20;

/**
 * The two rules for counters.
 * - `unsigned`: memcached's. Numbers 0 … 2^64-1; adding wraps around, subtracting stops at 0.
 * - `signed`: the REST interface's. Numbers -2^63 … 2^63-1; beyond either end is refused.
 */
export type Arithmetic =
  | { readonly rule: 'unsigned'; readonly direction: 'up' | 'down'; readonly delta: Whole }
  | { readonly rule: 'signed'; readonly delta: Whole };

export interface ArithmeticOptions {
  /** What a missing item gets; without it, a missing item is `not_found`. */
  readonly initial?: { readonly value: Whole; readonly expiresAt: number } | undefined;
  /** Change only this version. */
  readonly compareCas?: Cas | undefined;
  /** A new expiry; without it, the item keeps its own. */
  readonly expiresAt?: number | undefined;
  /** The cas that the new version gets, instead of one of ours. */
  readonly explicitCas?: Cas | undefined;
}

export type ArithmeticOutcome =
  | {
      readonly status: 'done';
      readonly value: Whole;
      readonly cas: Cas;
      /** When the item was to expire before this; NEVER for one that was just made. */
      readonly expiredAt: number;
      readonly created: boolean;
    }
  | { readonly status: 'not_found' | 'not_numeric' | 'out_of_range' | 'exists' };

export function calculate(by: Arithmetic, options: ArithmeticOptions = {}): Decide<ArithmeticOutcome> {
  return (current, nextCas) => {
    const cas = options.explicitCas ?? nextCas;
    if (!current) return start(by, options, cas);
    if (current.valueLength === 0) return refused('not_numeric');
    if (options.compareCas !== undefined && current.cas !== options.compareCas) return refused('exists');
    const before = numberIn(current, by.rule);
    if (before === undefined) return refused('not_numeric');
    const value = result(before, by);
    if (value === undefined) return refused('out_of_range');
    return changed(current, value, cas, by.rule, options.expiresAt);
  };
}

function start(by: Arithmetic, { initial }: ArithmeticOptions, cas: Cas): Decision<ArithmeticOutcome> {
  if (!initial) return refused('not_found');
  const { value, expiresAt } = initial;
  if (by.rule === 'signed' && !inSignedRange(value)) return refused('out_of_range');
  return {
    action: 'put',
    draft: { value: textOf(value), kind: 'number', flags: 0, expiresAt, cas },
    outcome: { status: 'done', value, cas, expiredAt: NEVER, created: true },
  };
}

// As in memcached, a result that fits is written over the old value, padded with spaces (a decr of 10 gives "9 "), and
// the item keeps its marks; only a longer one makes a new item.
function changed(
  current: Item,
  value: Whole,
  cas: Cas,
  rule: Arithmetic['rule'],
  newExpiry: number | undefined,
): Decision<ArithmeticOutcome> {
  const { flags, expiresAt: expiredAt, valueLength } = current;
  const expiresAt = newExpiry ?? expiredAt;
  const text = textOf(value);
  const outcome = { status: 'done', value, cas, expiredAt, created: false } as const;
  if (rule === 'signed' || text.length > valueLength) {
    return { action: 'put', draft: { value: text, kind: 'number', flags, expiresAt, cas }, outcome };
  }
  const { stale, recaching, fetched } = current;
  const padded =
    text.length === valueLength ? text : Buffer.alloc(valueLength, ' ').fill(text, 0, text.length);
  const draft = { value: padded, kind: 'number', flags, expiresAt, cas, stale, recaching, fetched } as const;
  return { action: 'put', draft, outcome };
}

function refused(status: Exclude<ArithmeticOutcome['status'], 'done'>): Decision<ArithmeticOutcome> {
  return { action: 'keep', outcome: { status } };
}

function result(before: Whole, by: Arithmetic): Whole | undefined {
  const { delta } = by;
  const isDown = by.rule === 'unsigned' && by.direction === 'down';
  if (isDown && before <= delta) return 0;
  if (typeof before === 'number' && typeof delta === 'number') {
    const plain = isDown ? before - delta : before + delta;
    if (Number.isSafeInteger(plain)) return plain;
  }
  const exact = isDown ? BigInt(before) - BigInt(delta) : BigInt(before) + BigInt(delta);
  if (by.rule === 'unsigned') return wholeFrom(BigInt.asUintN(64, exact));
  return inSignedRange(exact) ? wholeFrom(exact) : undefined;
}

/** The digits made last, and views of the first few: a counter's text is valid until the next is made. */
const digits = Buffer.allocUnsafeSlow(PLAIN_DIGITS_MAX);
const firstDigits = Array.from({ length: PLAIN_DIGITS_MAX + 1 }, (_, length) => digits.subarray(0, length));

function textOf(value: Whole): Buffer {
  if (typeof value === 'bigint' || value < 0 || value > PLAIN_MAX)
    return Buffer.from(String(value), 'latin1');
  let length = 1;
  for (let limit = 10; value >= limit; limit *= 10) length++;
  for (let i = length - 1, left = value; i >= 0; i--) {
    const rest = Math.floor(left / 10);
    digits[i] = 0x30 + left - 10 * rest;
    left = rest;
  }
  return firstDigits[length] as Buffer;
}

function numberIn(item: Item, rule: Arithmetic['rule']): Whole | undefined {
  if (item.kind === 'json') return undefined;
  const plain = item.valueLength <= PLAIN_DIGITS_MAX ? plainNumberIn(item) : undefined;
  return plain ?? (rule === 'unsigned' ? unsignedFrom(item.value) : signedFrom(item.value));
}

// Most counters are plain digits, perhaps with spaces behind: undefined for any other.
function plainNumberIn(item: Item): number | undefined {
  const { valueLength } = item;
  item.copyValue(digits, 0);
  let value = 0;
  let length = 0;
  for (; length < valueLength; length++) {
    const digit = (digits[length] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  for (let i = length; i < valueLength; i++) if (digits[i] !== SPACE) return undefined;
  return length > 0 ? value : undefined;
}

// Spaces may follow: memcached's decr leaves them. Nineteen digits after zeros hold any signed 64-bit
// number (twenty an unsigned one); a megabyte of digits is not even read.
function signedFrom(value: Buffer): Whole | undefined {
  const match = /^(-?)(?=\d)0*([1-9]\d{0,18})? *$/.exec(value.toString('latin1'));
  if (!match) return undefined;
  const [, sign, text = '0'] = match;
  const number = sign === '-' ? -BigInt(text) : BigInt(text);
  return inSignedRange(number) ? wholeFrom(number) : undefined;
}

function inSignedRange(value: Whole): boolean {
  return typeof value === 'number' || BigInt.asIntN(64, value) === value;
}

/**
 * Reads a number as memcached does, by C's strtoull: white space, perhaps a sign, digits, then the
 * end, more white space or a NUL, and after those anything.
 */
function unsignedFrom(value: Buffer): Whole | undefined {
  const match = /^[ \t-\r]*([+-]?)(?=\d)0*([1-9]\d{0,19})?(?:[ \t-\r\0]|$)/.exec(value.toString('latin1'));
  if (!match) return undefined;
  const [, sign, text = '0'] = match;
  const magnitude = BigInt(text);
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined;
  const number = sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  // strtoull takes a minus sign; memcached refuses what it makes of it unless it came out below 2^63.
  return sign === '-' && number >= 2n ** 63n ? undefined : wholeFrom(number);
}
