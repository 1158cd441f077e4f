import type { FastifyReply } from 'fastify';

/** Exactly this, without a charset: the Python client compares the whole header. */
export const JSON_TYPE = 'application/json';

/** Answers with JSON text. */
export function sendJson(reply: FastifyReply, json: string, status = 200): void {
  reply.raw.statusCode = status;
  // With a serializer of our own, Fastify leaves the type alone; else it adds a charset.
  reply.serializer(asItIs).header('content-type', JSON_TYPE).send(json);
}

/** The form of every answer that has nothing but words to say. */
export function messageJson(msg: string): string {
  return JSON.stringify({ msg });
}

function asItIs(payload: unknown): string {
  return String(payload);
}
