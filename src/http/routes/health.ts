import type { FastifyInstance } from 'fastify';
import { sendNotYet } from '../errors.ts';
import { sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { health } from '../schemas.ts';

export const LIVENESS_PATH = '/health/live';

const LIVE = JSON.stringify({ status: 'live' });
const READY = JSON.stringify({ status: 'ready' });

const NOT_READY = 'The service is not ready: it starts or stops. Try again later.';

/** Whether the process runs, and whether it is to be sent requests. Nothing here is about any tenant. */
export async function healthRoutes(
  app: FastifyInstance,
  { isReady }: { isReady: () => boolean },
): Promise<void> {
  app.get(
    LIVENESS_PATH,
    operation({
      id: 'getLiveness',
      tag: 'service',
      summary: 'Whether the service runs',
      description: 'Needs no token. Whoever gets no answer may start the service anew.',
      answer: { description: 'It runs', schema: health, examples: { live: { status: 'live' } } },
      open: true,
    }),
    (_request, reply) => sendJson(reply, LIVE),
  );

  app.get(
    '/health/ready',
    operation({
      id: 'getReadiness',
      tag: 'service',
      summary: 'Whether the service takes requests',
      description: 'Needs no token. While the answer is 503, a load balancer sends its requests elsewhere.',
      answer: { description: 'Every door is open', schema: health, examples: { ready: { status: 'ready' } } },
      errors: { 503: NOT_READY },
      open: true,
    }),
    (_request, reply) => {
      if (isReady()) sendJson(reply, READY);
      else sendNotYet(reply, NOT_READY);
    },
  );
}
