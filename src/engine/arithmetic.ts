import { type Cas, type Item, NEVER } from './item.ts';
import type { Decide, Decision } from './store.ts';

/**
 * The two rules for counters.
 * - `unsigned`: memcached's. Numbers 0 … 2^64-1; adding wraps around, subtracting stops at 0.
 * - `signed`: the REST interface's. Numbers -2^63 … 2^63-1; beyond either end is refused.
 */
export type Arithmetic =
  | { readonly rule: 'unsigned'; readonly direction: 'up' | 'down'; readonly delta: bigint }
  | { readonly rule: 'signed'; readonly delta: bigint };

export interface ArithmeticOptions {
  /** What a missing item gets; without it, a missing item is `not_found`. */
  readonly initial?: { readonly value: bigint; readonly expiresAt: number };
  /** Change only this version. */
  readonly onlyIf?: Cas;
  /** A new expiry; without it, the item keeps its own. */
  readonly expiresAt?: number;
  /** The cas that the new version gets, instead of one of ours. */
  readonly explicitCas?: Cas;
}

export type ArithmeticOutcome =
  | {
      readonly status: 'done';
      readonly value: bigint;
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
    if (options.onlyIf !== undefined && current.cas !== options.onlyIf) return refused('exists');
    const before = numberIn(current, by.rule);
    if (before === undefined) return refused('not_numeric');
    const after = result(before, by);
    if (after === undefined) return refused('out_of_range');
    return counted(after, cas, {
      ...(by.rule === 'unsigned' ? inPlace(current, after) : {}),
      flags: current.flags,
      expiresAt: options.expiresAt ?? current.expiresAt,
      expiredAt: current.expiresAt,
    });
  };
}

// memcached leaves a result that fits in the old room, with spaces behind (a decr of 10 gives "9 "), and
// what is known about the item with it; only a longer one makes a new item.
function inPlace({ valueLength, stale, recaching, fetched }: Item, result: bigint): Partial<Counter> {
  return String(result).length <= valueLength ? { width: valueLength, stale, recaching, fetched } : {};
}

interface Counter {
  readonly width?: number;
  readonly flags: number;
  readonly expiresAt: number;
  readonly expiredAt?: number;
  readonly created?: boolean;
  readonly stale?: boolean;
  readonly recaching?: boolean;
  readonly fetched?: boolean;
}

function start(by: Arithmetic, { initial }: ArithmeticOptions, cas: Cas): Decision<ArithmeticOutcome> {
  if (!initial) return refused('not_found');
  if (by.rule === 'signed' && !inSignedRange(initial.value)) return refused('out_of_range');
  return counted(initial.value, cas, { flags: 0, expiresAt: initial.expiresAt, created: true });
}

function counted(value: bigint, cas: Cas, counter: Counter): Decision<ArithmeticOutcome> {
  const { width = 0, expiredAt = NEVER, created = false, ...kept } = counter;
  const text = Buffer.from(value.toString().padEnd(width), 'latin1');
  return {
    action: 'put',
    draft: { value: text, kind: 'number', ...kept, cas },
    outcome: { status: 'done', value, cas, expiredAt, created },
  };
}

function refused(
  status: 'not_found' | 'not_numeric' | 'out_of_range' | 'exists',
): Decision<ArithmeticOutcome> {
  return { action: 'keep', outcome: { status } };
}

function result(before: bigint, by: Arithmetic): bigint | undefined {
  if (by.rule === 'signed') {
    const sum = before + by.delta;
    return inSignedRange(sum) ? sum : undefined;
  }
  if (by.direction === 'up') return BigInt.asUintN(64, before + by.delta);
  return before > by.delta ? before - by.delta : 0n;
}

function numberIn(item: Item, rule: Arithmetic['rule']): bigint | undefined {
  if (item.kind === 'json') return undefined;
  return rule === 'unsigned' ? unsignedFrom(item.value) : signedFrom(item.value);
}

// Spaces may follow: memcached's decr leaves them. Nineteen digits after zeros hold any signed 64-bit
// number (twenty an unsigned one); a megabyte of digits is not even read.
function signedFrom(value: Buffer): bigint | undefined {
  const match = /^(-?)(?=\d)0*([1-9]\d{0,18})? *$/.exec(value.toString('latin1'));
  if (!match) return undefined;
  const [, sign, digits = '0'] = match;
  const number = sign === '-' ? -BigInt(digits) : BigInt(digits);
  return inSignedRange(number) ? number : undefined;
}

function inSignedRange(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/**
 * Reads a number as memcached does, by C's strtoull: white space, perhaps a sign, digits, then the
 * end, more white space or a NUL, and after those anything.
 */
function unsignedFrom(value: Buffer): bigint | undefined {
  const match = /^[ \t-\r]*([+-]?)(?=\d)0*([1-9]\d{0,19})?(?:[ \t-\r\0]|$)/.exec(value.toString('latin1'));
  if (!match) return undefined;
  const [, sign, digits = '0'] = match;
  const magnitude = BigInt(digits);
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined;
  const number = sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  // strtoull takes a minus sign; memcached refuses what it makes of it unless it came out below 2^63.
  return sign === '-' && number >= 2n ** 63n ? undefined : number;
}
