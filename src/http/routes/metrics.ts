import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { operation } from '../operation.ts';
import { metricsText } from '../schemas.ts';
import { METRICS_FORBIDDEN } from '../token-refusals.ts';

export interface MetricsSource {
  readonly contentType: string;
  readonly scrape: () => Promise<string>;
}

interface MetricsRouteParts {
  readonly source: MetricsSource;
  /** May this request have them? One that may not has its answer then. Absent: every one may. */
  readonly admits?: (request: FastifyRequest, reply: FastifyReply) => boolean;
}

/** What Prometheus scrapes. */
export async function metricsRoute(
  app: FastifyInstance,
  { source, admits = () => true }: MetricsRouteParts,
): Promise<void> {
  app.get(
    '/metrics',
    {
      ...operation({
        id: 'getMetrics',
        tag: 'service',
        summary: 'Figures for Prometheus',
        description:
          'Needs the token of IRONCACHED_METRICS_TOKEN, or an admin token for all projects. ' +
          'A listener of its own, opened by IRONCACHED_METRICS_PORT, needs none.',
        answer: { description: 'The figures', schema: metricsText, type: 'text/plain' },
        errors: { 401: undefined, 403: METRICS_FORBIDDEN, 429: undefined },
        usualErrors: [],
      }),
      onRequest: (request, reply, done) => {
        if (admits(request, reply)) done();
      },
    },
    async (_request, reply) => sendText(reply, source.contentType, await source.scrape()),
  );
}

function sendText(reply: FastifyReply, type: string, text: string): FastifyReply {
  return reply
    .serializer((payload: unknown) => String(payload))
    .header('content-type', type)
    .send(text);
}
