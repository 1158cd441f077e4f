import type { OutgoingHttpHeader } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type lastResponses, usualHeaders } from './connections/last-response.ts';

type LastResponse = InstanceType<ReturnType<typeof lastResponses>>;
type Headers = Readonly<Record<string, OutgoingHttpHeader | undefined>>;

/** Answers with JSON text. */
export function sendJson(reply: FastifyReply, json: string, status = 200, headers?: Headers): void {
  const isAscii = Buffer.byteLength(json) === json.length;
  sendJsonBytes(reply, isAscii ? json : Buffer.from(json), status, headers);
}

/**
 * Answers with the bytes of JSON text: in a Buffer, or as a text of one character per byte, which leaves in one piece
 * with its head. It goes straight to Node's response, since nothing is left for `reply.send` to do, with the headers
 * given here and those set by `reply.header`.
 */
export function sendJsonBytes(
  reply: FastifyReply,
  json: string | Buffer,
  status = 200,
  headers?: Headers,
): void {
  const { raw, request } = reply;
  // A request may fail after it was answered.
  if (reply.sent || raw.headersSent) return;
  raw.statusCode = status;
  const requestId = reply.noteAnswer && request.id;
  reply.noteAnswer?.(json.length);
  // Looking for headers takes longer than writing them, and the usual answer has no others. An injected request has
  // another kind of response.
  const isUsual = status === 200 && !headers && !reply.hasOriginHeaders && 'writeUsualHead' in raw;
  if (isUsual) {
    (raw as LastResponse).writeUsualHead(json.length, requestId);
  } else {
    const usual = usualHeaders(json.length, requestId);
    raw.writeHead(status, [...others(reply.getHeaders()), ...others(headers), ...usual]);
  }
  if (request.method === 'HEAD') raw.end();
  else raw.end(json, 'latin1');
}

// As Node takes a list of headers.
function others(headers: Headers = {}): OutgoingHttpHeader[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const isOurs = name === 'content-type' || name === 'content-length';
    return isOurs || value === undefined ? [] : [name, value];
  });
}

/** The form of every answer that is just a message. */
export function messageJson(msg: string): string {
  return JSON.stringify({ msg });
}

export const DELETED = messageJson('Deleted.');
export const CACHE_NOT_FOUND = messageJson('Cache not found');
