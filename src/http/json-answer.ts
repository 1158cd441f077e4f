import type { OutgoingHttpHeader } from 'node:http';
import type { FastifyReply } from 'fastify';
import type { lastResponses } from './last-response.ts';

/** Exactly this, without a charset: the Python client compares the whole header. */
export const JSON_TYPE = 'application/json';

type LastResponse = InstanceType<ReturnType<typeof lastResponses>>;
type Headers = Readonly<Record<string, OutgoingHttpHeader | undefined>>;

/** Answers with JSON text. */
export function sendJson(reply: FastifyReply, json: string, status = 200, headers?: Headers): void {
  const isAscii = Buffer.byteLength(json) === json.length;
  sendJsonBytes(reply, isAscii ? json : Buffer.from(json), status, headers);
}

/**
 * Answers with the bytes of JSON text: in a Buffer, or as a text of one character per byte, which leaves in one
 * piece with its head. It goes straight to Node's response, since there is nothing left of what `reply.send`
 * would do; headers that were set by `reply.header` go with it, and those that are given here.
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
  const list: OutgoingHttpHeader[] = [];
  // To look for headers takes longer than to write them, and the usual answer has none.
  const isUsual = status === 200 && !reply.hasOriginHeaders;
  if (!isUsual) addHeaders(list, reply.getHeaders());
  if (headers) addHeaders(list, headers);
  if (reply.noteAnswer) {
    reply.noteAnswer(json.length);
    list.push('x-request-id', request.id);
  }
  list.push('content-type', JSON_TYPE, 'content-length', json.length);
  // An injected request has another response.
  if (isUsual && 'writeUsualHead' in raw) (raw as LastResponse).writeUsualHead(list);
  else raw.writeHead(status, list);
  if (request.method === 'HEAD') raw.end();
  else raw.end(json, 'latin1');
}

function addHeaders(list: OutgoingHttpHeader[], headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    const isOurs = name === 'content-type' || name === 'content-length';
    if (!isOurs && value !== undefined) list.push(name, value);
  }
}

/** The form of every answer that has nothing but words to say. */
export function messageJson(msg: string): string {
  return JSON.stringify({ msg });
}
