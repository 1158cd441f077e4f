import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';

/** What may be logged of a request. Never its headers or its query: tokens travel in both. */
export function loggedRequest({ raw }: FastifyRequest): { method: string | undefined; path: string } {
  return { method: raw.method, path: pathOf(raw.url ?? '') };
}

/** A request target without its query. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

/** One line per request at level debug; costs nothing at any other level. */
export function logRequests(app: FastifyInstance, logger: FastifyBaseLogger): void {
  if (logger.level !== 'debug' && logger.level !== 'trace') return;
  app.addHook('onResponse', (request, reply, done) => {
    const ms = Math.round(reply.elapsedTime * 100) / 100;
    logger.debug({ req: loggedRequest(request), status: reply.statusCode, ms }, 'REST request');
    done();
  });
}
