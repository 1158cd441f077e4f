import { isUtf8 } from 'node:buffer';
import { NEVER, type NewValue, type ValueKind } from '../engine/item.ts';
import { keyFromText } from '../engine/key.ts';
import { KEY_LENGTH_MAX } from '../engine/limits.ts';
import { LineMistake } from './line-mistake.ts';

/** An item on its way from one server to another, without its version and its times of use. */
export interface PortableItem extends NewValue {
  /** As inside the engine: a character for each byte. */
  readonly key: string;
  /** By the machine's clock, in ms since the Unix epoch, or NEVER. */
  readonly expiresAt: number;
  /** Out of date, and served until somebody has stored a fresh value. */
  readonly stale: boolean;
}

/**
 * An item as a line. What is not UTF-8 goes as base64; flags of 0, no expiry and no mark are left out. The
 * value is text whatever its kind, so that nothing which reads the line rounds a number.
 */
export function itemLine({ key, value, kind, flags, expiresAt, stale }: PortableItem): string {
  return (
    `{${bytesMember('key', Buffer.from(key, 'latin1'))},"kind":"${kind}",${bytesMember('value', value)}` +
    `${flags === 0 ? '' : `,"flags":${flags}`}` +
    `${expiresAt >= LATEST_TIME ? '' : `,"expires":"${new Date(expiresAt).toISOString()}"`}` +
    `${stale ? ',"stale":true' : ''}}\n`
  );
}

/** Reads the members of an item's line. Throws LineMistake. */
export function itemFrom(members: Readonly<Record<string, unknown>>): PortableItem {
  refuseUnknown(members);
  const kind = kindFrom(members['kind']);
  const value = bytesFrom('value', members);
  if (!fits(value, kind)) throw new LineMistake(`has a value that is not ${KINDS[kind]}, as its kind says`);
  return {
    key: keyFrom(members),
    value,
    kind,
    flags: flagsFrom(members['flags']),
    expiresAt: expiryFrom(members['expires']),
    stale: staleFrom(members['stale']),
  };
}

// From here on an item lives for ever, as REST tells it, too.
const LATEST_TIME = Date.UTC(9999, 0, 1);

const MEMBERS = ['key', 'key_base64', 'kind', 'value', 'value_base64', 'flags', 'expires', 'stale'];

/** The kinds of values, and what the bytes of each are. */
const KINDS: Record<ValueKind, string> = {
  text: 'text in UTF-8',
  number: 'a JSON number',
  json: 'valid JSON',
  bytes: 'bytes',
};

// A memcached decr leaves spaces behind a number that got shorter.
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)? *$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const TIME = /^(\d{4}-\d\d-(\d\d))T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const FLAGS_MAX = 0xffff_ffff;

function bytesMember(name: 'key' | 'value', bytes: Buffer): string {
  return isUtf8(bytes)
    ? `"${name}":${JSON.stringify(bytes.toString('utf8'))}`
    : `"${name}_base64":"${bytes.toString('base64')}"`;
}

// A member that is misspelt would be lost without a word.
function refuseUnknown(members: object): void {
  for (const name in members) {
    if (!MEMBERS.includes(name)) {
      throw new LineMistake(`has a member that is none of an item; these are: ${MEMBERS.join(', ')}`);
    }
  }
}

function keyFrom(members: Readonly<Record<string, unknown>>): string {
  const text = members['key'];
  if (typeof text !== 'string') return lengthChecked(bytesFrom('key', members).toString('latin1'));
  if ('key_base64' in members) throw new LineMistake('must have "key" or "key_base64", not both');
  return keyFromText(lengthChecked(wellFormed('key', text)));
}

function lengthChecked(key: string): string {
  const isTooLong = key.length > KEY_LENGTH_MAX && [...key].length > KEY_LENGTH_MAX;
  if (key !== '' && !isTooLong) return key;
  throw new LineMistake(`must have a key of 1 to ${KEY_LENGTH_MAX} characters`);
}

function bytesFrom(name: 'key' | 'value', members: Readonly<Record<string, unknown>>): Buffer {
  const text = members[name];
  const base64 = members[`${name}_base64`];
  if (typeof text === 'string' && base64 === undefined) return Buffer.from(wellFormed(name, text), 'utf8');
  if (typeof base64 === 'string' && text === undefined) {
    if (base64.length % 4 === 0 && BASE64.test(base64)) return Buffer.from(base64, 'base64');
    throw new LineMistake(`has a "${name}_base64" that is not base64`);
  }
  throw new LineMistake(`must have text as "${name}" or as "${name}_base64"`);
}

// Half a surrogate pair has no UTF-8, and would become another character.
function wellFormed(name: string, text: string): string {
  if (!/\p{Surrogate}/u.test(text)) return text;
  throw new LineMistake(`has half a surrogate pair in "${name}"`);
}

function kindFrom(kind: unknown): ValueKind {
  if (kind === undefined) return 'text';
  if (typeof kind === 'string' && Object.hasOwn(KINDS, kind)) return kind as ValueKind;
  throw new LineMistake(`must have one of these as "kind": ${Object.keys(KINDS).join(', ')}`);
}

function fits(value: Buffer, kind: ValueKind): boolean {
  switch (kind) {
    case 'bytes':
      return true;
    case 'text':
      return isUtf8(value);
    case 'number':
      return NUMBER.test(value.toString('latin1'));
    case 'json':
      return isUtf8(value) && isJson(value.toString('utf8'));
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function flagsFrom(flags: unknown): number {
  if (flags === undefined) return 0;
  if (typeof flags === 'number' && Number.isInteger(flags) && flags >= 0 && flags <= FLAGS_MAX) return flags;
  throw new LineMistake(`must have a whole number from 0 to ${FLAGS_MAX} as "flags"`);
}

function expiryFrom(expires: unknown): number {
  if (expires === undefined) return NEVER;
  const [text, date, day] = (typeof expires === 'string' && TIME.exec(expires)) || [];
  const time = text === undefined ? Number.NaN : Date.parse(text);
  // Date.parse takes the 30th of February for a day in March.
  if (!Number.isNaN(time) && new Date(`${date}T00:00:00Z`).getUTCDate() === Number(day)) return time;
  throw new LineMistake('must have a time like 2030-01-15T12:00:00.000Z as "expires"');
}

function staleFrom(stale: unknown): boolean {
  if (stale === undefined || typeof stale === 'boolean') return stale ?? false;
  throw new LineMistake('must have true or false as "stale"');
}
