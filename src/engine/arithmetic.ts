import type { Cas, Item } from './item.ts';
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
}

export type ArithmeticOutcome =
  | { readonly status: 'done'; readonly value: bigint; readonly cas: Cas; readonly expiresAt: number }
  | { readonly status: 'not_found' | 'not_numeric' | 'out_of_range' | 'exists' };

export function calculate(by: Arithmetic, options: ArithmeticOptions = {}): Decide<ArithmeticOutcome> {
  return (current, cas) => {
    if (!current) return start(options, cas);
    if (options.onlyIf !== undefined && current.cas !== options.onlyIf) return refused('exists');
    const before = numberIn(current, by.rule);
    if (before === undefined) return refused('not_numeric');
    const after = result(before, by);
    if (after === undefined) return refused('out_of_range');
    return counted(after, cas, {
      // memcached leaves a shorter result in the old room, with spaces behind: a decr of 10 gives "9 ".
      width: by.rule === 'unsigned' ? current.value.length : 0,
      flags: current.flags,
      expiresAt: options.expiresAt ?? current.expiresAt,
    });
  };
}

function start({ initial }: ArithmeticOptions, cas: Cas): Decision<ArithmeticOutcome> {
  if (!initial) return refused('not_found');
  return counted(initial.value, cas, { width: 0, flags: 0, expiresAt: initial.expiresAt });
}

function counted(
  value: bigint,
  cas: Cas,
  item: { width: number; flags: number; expiresAt: number },
): Decision<ArithmeticOutcome> {
  const { flags, expiresAt } = item;
  const text = Buffer.from(value.toString().padEnd(item.width), 'latin1');
  return {
    action: 'put',
    draft: { value: text, kind: 'number', flags, expiresAt, cas },
    outcome: { status: 'done', value, cas, expiresAt },
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
    return BigInt.asIntN(64, sum) === sum ? sum : undefined;
  }
  if (by.direction === 'up') return BigInt.asUintN(64, before + by.delta);
  return before > by.delta ? before - by.delta : 0n;
}

function numberIn(item: Item, rule: Arithmetic['rule']): bigint | undefined {
  if (item.kind === 'json') return undefined;
  if (rule === 'unsigned') return unsignedFrom(item.value);
  const text = item.value.length <= SIGNED_TEXT_LENGTH_MAX ? item.value.toString('latin1').trimEnd() : '';
  return /^-?\d+$/.test(text) && inSignedRange(BigInt(text)) ? BigInt(text) : undefined;
}

// Twenty characters hold any 64-bit number; what is longer can only be padded.
const SIGNED_TEXT_LENGTH_MAX = 64;

function inSignedRange(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

/**
 * Reads a number as memcached does, by C's strtoull: white space, perhaps a plus, digits, then the
 * end or more white space. An empty value is none, and blank text counts as 0 there.
 */
function unsignedFrom(value: Buffer): bigint | undefined {
  if (value.length === 0) return undefined;
  const text = value.toString('latin1');
  const match = /^[ \t\n\v\f\r]*([+-]?)(\d+)(?:[ \t\n\v\f\r\0]|$)/.exec(text);
  if (!match) return /^[ \t\n\v\f\r]/.test(text) && !/^\s*[+-]?\d/.test(text) ? 0n : undefined;
  const [, sign, digits = ''] = match;
  const magnitude = BigInt(digits);
  if (BigInt.asUintN(64, magnitude) !== magnitude) return undefined;
  const number = sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  // strtoull takes a minus sign; memcached refuses what it makes of it unless it came out below 2^63.
  return sign === '-' && number >= 2n ** 63n ? undefined : number;
}
