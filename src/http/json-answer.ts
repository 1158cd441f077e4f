import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Exactly this, without a charset: the Python client compares the whole header. */
export const JSON_TYPE = 'application/json';

/**
 * Answers with JSON text, or its bytes. It goes straight to Node's response, since there is nothing left of what
 * `reply.send` would do; headers that were set by `reply.header` go with it.
 */
export function sendJson(reply: FastifyReply, json: string | Buffer, status = 200): void {
  // A request may fail after it was answered.
  if (reply.sent) return;
  const { raw, request } = reply;
  raw.statusCode = status;
  reply.noteAnswer?.(json);
  const headers = reply.getHeaders();
  headers['content-type'] = JSON_TYPE;
  headers['content-length'] = Buffer.byteLength(json);
  raw.writeHead(status, headers as OutgoingHttpHeaders);
  if (request.method === 'HEAD') raw.end();
  else raw.end(json);
}

/** An answer that is sent often, made once. */
export function messageBytes(msg: string): Buffer {
  return Buffer.from(messageJson(msg));
}

/** The form of every answer that has nothing but words to say. */
export function messageJson(msg: string): string {
  return JSON.stringify({ msg });
}
