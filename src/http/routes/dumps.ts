import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { after } from '../../engine/answer.ts';
import type { CommitGate } from '../../engine/commit-gate.ts';
import type { Engine } from '../../engine/engine.ts';
import type { RequestRates } from '../../limits/request-rate.ts';
import { refuseIfLapsed } from '../authenticate.ts';
import { discardBody } from '../body.ts';
import { unhurried } from '../connections/broken-requests.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { dumpText, type LoadQuery, loadQuery, loadReport } from '../items/dump-schemas.ts';
import { dumpItems } from '../items/items-dump.ts';
import { loadItems } from '../items/items-load.ts';
import { LongWork } from '../items/long-work.ts';
import { CACHE_NOT_FOUND, sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { type CachePath, cachePath } from '../schemas.ts';

const DUMP_TYPE = 'application/jsonl';

export async function dumpRoutes(
  app: FastifyInstance,
  { engine, rates, commitGate }: { engine: Engine; rates: RequestRates; commitGate: CommitGate | undefined },
): Promise<void> {
  const parts = { rates, unixNow: engine.clock.unixNow };

  app.get<{ Params: CachePath }>(
    '/caches/:cache/items',
    operation({
      id: 'dumpItems',
      tag: 'caches',
      needs: 'read',
      summary: 'Get all items of a cache, to keep them or to load them elsewhere',
      description:
        'The cache may be used meanwhile: what is in it all the while is in the dump, once. ' +
        'Each item counts as a request; where these are limited, the dump takes its time.',
      path: cachePath,
      answer: { description: 'The items, one a line, as text in UTF-8', schema: dumpText, type: DUMP_TYPE },
      errors: { 404: 'Cache not found' },
    }),
    (request, reply) => {
      refuseAhead(reply);
      const cache = engine.cache(request.params.project, request.params.cache);
      return after(cache.info(), (info) => {
        if (!info) sendJson(reply, CACHE_NOT_FOUND, 404);
        else {
          const isAsked = request.method !== 'HEAD';
          const lines = isAsked
            ? dumpItems(cache, engine.clock, new LongWork(request, parts), commitGate)
            : [];
          reply.header('content-type', DUMP_TYPE).send(Readable.from(lines, { objectMode: false }));
        }
        return reply;
      });
    },
  );

  app.post<{ Params: CachePath; Querystring: LoadQuery }>(
    '/caches/:cache/items',
    operation({
      id: 'loadItems',
      tag: 'caches',
      needs: 'write',
      summary: 'Store the items of a dump',
      description:
        'Makes the cache if there is none. The body may be of any size and take any time, as long as it goes on ' +
        'arriving. A line that is not as it should be ends it, and the answer says which; what was loaded before stays.',
      path: cachePath,
      query: loadQuery,
      body: dumpText,
      bodyType: DUMP_TYPE,
      isLong: true,
      answer: { description: 'What became of the items', schema: loadReport },
      errors: {
        400: 'Line 17 is not valid JSON. Items loaded before it, which stay: 15.',
      },
    }),
    async (request, reply) => {
      const { valueBytesMax } = engine.limits;
      const cache = engine.cache(request.params.project, request.params.cache);
      const { raw } = request;
      unhurried.add(raw.socket);
      try {
        const options = { mode: request.query.mode, valueBytesMax, clock: engine.clock, commitGate };
        const report = await loadItems(raw, cache, new LongWork(request, parts), options);
        if (report) sendJson(reply, JSON.stringify({ msg: 'Loaded.', ...report }));
        else refuseIfLapsed(request, reply, engine.clock.unixNow());
        return reply;
      } finally {
        unhurried.delete(raw.socket);
        if (!raw.readableEnded) discardBody(raw, valueBytesMax);
      }
    },
  );
}

/**
 * Refuses a dump that is asked for while an earlier answer on the same connection is not done: each would
 * hold a piece ready, and a client can send thousands of requests ahead.
 */
function refuseAhead(reply: FastifyReply): void {
  if (reply.raw.socket !== null) return;
  const msg = 'A dump cannot be asked for ahead. Wait for the answers before it, or use another connection.';
  throw new HttpRefusal(429, msg, { 'retry-after': '1' });
}
