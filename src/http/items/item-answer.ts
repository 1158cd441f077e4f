import type { FastifyReply } from 'fastify';
import { type Clock, clockSet } from '../../engine/clock.ts';
import { type Item, NEVER } from '../../engine/item.ts';
import { sendJsonBytes } from '../json-answer.ts';
import type { ItemPath } from '../schemas.ts';
import { isCanonicalInteger, jsonFromItem } from './item-value.ts';
import { VALUE_AT, type ValueBuffer } from './value-buffer.ts';
import type { ValueBufferPool } from './value-buffer-pool.ts';

/** Beyond this, making a string of a value costs more than sending its bytes. */
const TEXT_BYTES_MAX = 2048;

const NEVER_EXPIRES = '9999-01-01T00:00:00Z';
const LATEST_TIME = Date.parse(NEVER_EXPIRES);

/**
 * Answers with an item, with the help of a buffer: six members and no other, since the Java client fails on a seventh.
 * `cache`, `key`: the names that the answer repeats.
 */
export function sendItem(
  reply: FastifyReply,
  { cache, key }: ItemPath,
  item: Item,
  buffers: ValueBufferPool,
  clock: Clock,
): void {
  const head = `{"cache":${quoted(cache)},"key":${quoted(key)},"value":`;
  const tail = `,"cas":"${item.cas}","flags":${item.flags},"expires":"${expiresText(item.expiresAt, clock)}"}`;
  const { valueLength } = item;
  // A small value is copied twice, so that it leaves in one piece with its head.
  const answer =
    valueLength <= TEXT_BYTES_MAX
      ? itemText(buffers.forValue(valueLength), head, item, tail)
      : itemBytes(buffers.forAnswer(valueLength, reply.raw), head, item, tail);
  if (answer !== undefined) sendJsonBytes(reply, answer);
  else sendEscaped(reply, head, item, tail);
}

type Value = Pick<Item, 'kind' | 'valueLength' | 'copyValue'>;

/**
 * A value between head and tail, as a text of one character per byte. Undefined: it has to be escaped, or is not text.
 */
export function itemText(buffer: ValueBuffer, head: string, item: Value, tail: string): string | undefined {
  item.copyValue(buffer.bytes, VALUE_AT);
  const end = VALUE_AT + item.valueLength;
  const quote = quoteFor(item, buffer, end);
  return quote === undefined
    ? undefined
    : head + quote + buffer.bytes.latin1Slice(VALUE_AT, end) + quote + tail;
}

/** The same made in the buffer itself, so that the bytes of a large value do not become a string on the way. */
function itemBytes(buffer: ValueBuffer, head: string, item: Value, tail: string): Buffer | undefined {
  const { bytes } = buffer;
  item.copyValue(bytes, VALUE_AT);
  const end = VALUE_AT + item.valueLength;
  const quote = quoteFor(item, buffer, end);
  if (quote === undefined) return undefined;
  const before = head + quote;
  const start = VALUE_AT - before.length;
  bytes.write(before, start, 'latin1');
  return bytes.subarray(start, end + bytes.write(quote + tail, end, 'latin1'));
}

// The quotes around a value that can stand in JSON as it is; undefined: it cannot.
function quoteFor({ kind }: Value, buffer: ValueBuffer, end: number): '"' | '' | undefined {
  switch (kind) {
    case 'text':
      return buffer.isPlain(end) ? '"' : undefined;
    case 'json':
      return '';
    case 'number':
      // A memcached decr leaves spaces behind a number that got shorter.
      return buffer.bytes[end - 1] === SPACE ? undefined : '';
    case 'bytes': {
      if (isCanonicalInteger(buffer.bytes.subarray(VALUE_AT, end))) return '';
      return buffer.isPlainUtf8(end) ? '"' : undefined;
    }
  }
}

const SPACE = 0x20;

function sendEscaped(reply: FastifyReply, head: string, item: Item, tail: string): void {
  const { json, base64 } = jsonFromItem(item);
  const headers = base64 ? { 'x-ironcache-encoding': 'base64' } : undefined;
  sendJsonBytes(reply, `${head}${bytesOf(json)}${tail}`, 200, headers);
}

// Names hardly ever have to be escaped.
function quoted(name: string): string {
  return /^[ !#-[\]-~]*$/.test(name) ? `"${name}"` : bytesOf(JSON.stringify(name));
}

/** A text's bytes in UTF-8, as one character each. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** Answers with nothing but the value's bytes. */
export function sendItemBytes(reply: FastifyReply, item: Item): void {
  reply
    .header('content-type', 'application/octet-stream')
    .header('etag', `"${item.cas}"`)
    .header('x-content-type-options', 'nosniff')
    // A copy: the store may be called again before the reply is written.
    .send(Buffer.from(item.value));
}

/** RFC 3339 in UTC, without a fraction: the Java client reads no other. */
function expiresText(expiresAt: number, clock: Clock): string {
  if (expiresAt === NEVER || expiresAt >= LATEST_TIME) return NEVER_EXPIRES;
  return `${new Date(expiresAt + clockSet(clock)).toISOString().slice(0, 19)}Z`;
}
