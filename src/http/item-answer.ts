import type { FastifyReply } from 'fastify';
import { type Clock, clockSet } from '../engine/clock.ts';
import { type Item, NEVER } from '../engine/item.ts';
import { jsonFromItem } from './item-value.ts';
import { sendJson } from './json-answer.ts';

const NEVER_EXPIRES = '9999-01-01T00:00:00Z';
const LATEST_TIME = Date.parse(NEVER_EXPIRES);

/** Where an item is: the names that its answer repeats. */
export interface ItemPlace {
  readonly cache: string;
  readonly key: string;
}

/** Answers with an item: six members and no other, since the Java client fails on a seventh. */
export function sendItem(reply: FastifyReply, { cache, key }: ItemPlace, item: Item, clock: Clock): void {
  const value = jsonFromItem(item);
  if (value.base64) reply.header('x-ironcache-encoding', 'base64');
  // By hand: the value is JSON already, and this is the most frequent answer of all.
  sendJson(
    reply,
    `{"cache":${JSON.stringify(cache)},"key":${JSON.stringify(key)},"value":${value.json},` +
      `"cas":"${item.cas}","flags":${item.flags},"expires":"${expiresText(item.expiresAt, clock)}"}`,
  );
}

/** Answers with nothing but the value's bytes. */
export function sendItemBytes(reply: FastifyReply, item: Item): void {
  reply
    .header('content-type', 'application/octet-stream')
    .header('etag', `"${item.cas}"`)
    .header('x-content-type-options', 'nosniff')
    // The reply is written after the store may have been called again.
    .send(Buffer.from(item.value));
}

/** RFC 3339 in UTC, without a fraction: the Java client reads no other. */
function expiresText(expiresAt: number, clock: Clock): string {
  if (expiresAt === NEVER || expiresAt >= LATEST_TIME) return NEVER_EXPIRES;
  return `${new Date(expiresAt + clockSet(clock)).toISOString().slice(0, 19)}Z`;
}
