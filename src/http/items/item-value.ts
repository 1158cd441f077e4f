import { isUtf8 } from 'node:buffer';
import type { Item, ValueKind } from '../../engine/item.ts';
import type { Member } from '../json-members.ts';

/** How a JSON value is kept, so that it comes back unchanged and memcached clients see what they expect. */
export function valueFromJson(member: Member): { value: Buffer; kind: ValueKind } {
  const { value } = member;
  if (typeof value === 'string' && value.isWellFormed()) {
    return { value: Buffer.from(value, 'utf8'), kind: 'text' };
  }
  // A string with half a surrogate pair has no UTF-8, so it is kept as its JSON text.
  return { value: Buffer.from(member.source(), 'utf8'), kind: typeof value === 'number' ? 'number' : 'json' };
}

/** An item's value as JSON text; in base64 where it is bytes that no JSON string can hold. */
export function jsonFromItem(item: Pick<Item, 'value' | 'kind'>): { json: string; base64: boolean } {
  switch (item.kind) {
    case 'text':
      return { json: JSON.stringify(item.value.toString('utf8')), base64: false };
    case 'number':
      // A memcached decr leaves spaces behind a number that got shorter.
      return { json: item.value.toString('latin1').trimEnd(), base64: false };
    case 'json':
      return { json: item.value.toString('utf8'), base64: false };
    case 'bytes':
      return jsonFromBytes(item.value);
  }
}

function jsonFromBytes(value: Buffer): { json: string; base64: boolean } {
  if (isCanonicalInteger(value)) return { json: value.toString('latin1'), base64: false };
  if (isUtf8(value)) return { json: JSON.stringify(value.toString('utf8')), base64: false };
  return { json: `"${value.toString('base64')}"`, base64: true };
}

/** As the hosted service did: what a memcached client stored and reads like a number is one. */
export function isCanonicalInteger(value: Buffer): boolean {
  const first = value[0] ?? 0;
  if (first !== MINUS && (first < DIGIT_0 || first > DIGIT_9)) return false;
  return /^(?:0|-?[1-9]\d*)$/.test(value.toString('latin1'));
}

const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
