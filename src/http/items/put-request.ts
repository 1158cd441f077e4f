import type { Answer } from '../../engine/answer.ts';
import type { Cache } from '../../engine/cache.ts';
import type { StoreOutcome } from '../../engine/changes.ts';
import type { Cas, ValueKind } from '../../engine/item.ts';
import { wholeFrom } from '../../engine/whole.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { type Member, readMembers } from '../json-members.ts';
import { CAS_TEXT, EXPIRES_IN_SECONDS_MAX, EXPIRES_IN_TEXT } from '../schemas.ts';
import { valueFromJson } from './item-value.ts';
import { VALUE_AT } from './value-buffer.ts';
import type { ValueBufferPool } from './value-buffer-pool.ts';

/** What a PUT asks for. */
interface PutRequest {
  readonly value: Buffer;
  readonly kind: ValueKind;
  readonly mode: 'set' | 'add' | 'replace';
  readonly expiresInSeconds: number | undefined;
  readonly cas: Cas | undefined;
}

const EXAMPLE = '{"value": "text"}';
const MEMBERS = new Set(['value', 'body', 'expires_in', 'expires', 'add', 'replace', 'cas']);

/**
 * Reads the body of a PUT, with the help of a buffer. Throws HttpRefusal 400 (what is wrong with which
 * member) and 406 (no value).
 */
export function readPutRequest(body: Buffer, buffers: ValueBufferPool): PutRequest {
  const text = plainText(body, buffers);
  if (text) return { value: text, kind: 'text', mode: 'set', expiresInSeconds: undefined, cas: undefined };
  const members = readMembers(body, EXAMPLE, MEMBERS);
  const value = members.get('value') ?? members.get('body');
  if (!value) {
    throw new HttpRefusal(406, `The member "value" is missing. Send a JSON object, like ${EXAMPLE}.`);
  }
  const stored = valueFromJson(value);
  if (members.size === 1) return { ...stored, mode: 'set', expiresInSeconds: undefined, cas: undefined };
  const expiresInSeconds = secondsOf(given(members.get('expires_in')) ?? given(members.get('expires')));
  const [add, replace] = [flag(members, 'add'), flag(members, 'replace')];
  if (add && replace) {
    throw new HttpRefusal(400, 'add and replace exclude each other. Send one of them.');
  }
  return {
    ...stored,
    mode: add ? 'add' : replace ? 'replace' : 'set',
    expiresInSeconds,
    cas: casOf(members.get('cas')),
  };
}

// The usual body is {"value":"…"}, and most texts need no escapes in JSON: then their bytes are taken as they came.
// Undefined: the body has to be read as JSON.
function plainText(body: Buffer, buffers: ValueBufferPool): Buffer | undefined {
  const opening = OPENINGS.find((each) => stands(each, body, 0));
  const end = body.length - CLOSING.length;
  if (!opening || end < opening.length || !stands(CLOSING, body, end)) return undefined;
  const text = body.subarray(opening.length, end);
  const place = buffers.forValue(text.length);
  text.copy(place.bytes, VALUE_AT);
  return place.isPlainUtf8(VALUE_AT + text.length) ? text : undefined;
}

const OPENINGS = [Buffer.from('{"value":"'), Buffer.from('{"value": "')];
const CLOSING = Buffer.from('"}');

function stands(part: Buffer, body: Buffer, at: number): boolean {
  for (let i = 0; i < part.length; i++) {
    if (body[at + i] !== part[i]) return false;
  }
  return true;
}

/** Does what a PUT asks for. `expiresAt`: of the item, should it be stored. */
export function put(cache: Cache, key: string, request: PutRequest, expiresAt: number): Answer<StoreOutcome> {
  const item = { value: request.value, kind: request.kind, flags: 0, expiresAt };
  if (request.cas === undefined) return cache.store(request.mode, key, item);
  // No item is both missing and of a certain version.
  if (request.mode === 'add') return 'not_stored';
  return cache.compareAndSwap(key, item, request.cas);
}

function secondsOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const isInRange = Number.isInteger(value) && Number(value) >= 1 && Number(value) <= EXPIRES_IN_SECONDS_MAX;
  if (!isInRange) throw new HttpRefusal(400, `${EXPIRES_IN_TEXT}.`);
  return Number(value);
}

// Clients that always send every member mean "not given" by null and by 0.
function given(member: Member | undefined): unknown {
  return member?.value === 0 ? undefined : (member?.value ?? undefined);
}

// Perl has no booleans and sends 1 and 0.
function flag(members: ReadonlyMap<string, Member>, name: 'add' | 'replace'): boolean {
  const value = members.get(name)?.value ?? false;
  if (typeof value === 'number') return value !== 0;
  if (typeof value !== 'boolean') throw new HttpRefusal(400, `${name} must be true or false.`);
  return value;
}

function casOf(member: Member | undefined): Cas | undefined {
  if (!member || member.value === null) return undefined;
  const number = casNumber(member);
  if (number === undefined) throw new HttpRefusal(400, `${CAS_TEXT}.`);
  return wholeFrom(number);
}

function casNumber(member: Member): bigint | undefined {
  const { value } = member;
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const digits = typeof value === 'string' ? value : member.source();
  if (/^\d{1,20}$/.test(digits)) return in64Bits(BigInt(digits));
  // A client that calculates in floating point may say 12.0.
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

function in64Bits(number: bigint): bigint | undefined {
  return BigInt.asUintN(64, number) === number ? number : undefined;
}
