import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OccasionalWarning } from '../limits/occasional-warning.ts';
import type { RequestMeter } from '../metrics/request-meter.ts';

/** What is logged of a request at any level: never its headers, its query, or the key in its path. */
export function loggedRequest(request: FastifyRequest) {
  const { project, cache } = (request.params ?? {}) as Record<string, string | undefined>;
  return { requestId: request.id, door: 'http', project, cache, operation: operationOf(request) };
}

/** A request target without its query, where tokens travel. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

export interface RequestLogParts {
  readonly logger: FastifyBaseLogger | false;
  readonly requests: RequestMeter;
  /** From how many milliseconds on a request is logged as slow; 0 is never. */
  readonly slowMs: number;
}

/** Counts and times every request, and logs it: at level debug each one, else those that were slow. */
export function watchRequests(app: FastifyInstance, { logger, requests, slowMs }: RequestLogParts): void {
  const slowWarning = logger && new OccasionalWarning(logger, Date.now);
  const signInWarning = logger && new OccasionalWarning(logger, Date.now);
  app.addHook('onResponse', (request, reply, done) => {
    const ms = reply.elapsedTime;
    const meter = requests.operation(operationOf(request));
    meter.count(String(reply.statusCode));
    meter.time(ms / 1000);
    const isUnauthorized = reply.statusCode === 401;
    // A failed sign-in has to wait on purpose.
    if (slowWarning && slowMs > 0 && ms >= slowMs && !isUnauthorized) {
      slowWarning.warn(told(request, reply), 'a slow request');
    }
    if (signInWarning && isUnauthorized) {
      signInWarning.warn(
        { ...loggedRequest(request), address: request.ip },
        'a request had no token, or an unknown one',
      );
    }
    if (logger && isDebugging(logger)) {
      const path = pathOf(request.raw.url ?? '');
      logger.debug({ ...told(request, reply), method: request.method, path }, 'a request');
    }
    done();
  });
}

function told(request: FastifyRequest, reply: FastifyReply) {
  return {
    ...loggedRequest(request),
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 100) / 100,
    bytesIn: Number(request.headers['content-length'] ?? 0),
    bytesOut: Number(reply.getHeader('content-length') ?? 0),
  };
}

// The level may change at any time.
function isDebugging({ level }: FastifyBaseLogger): boolean {
  return level === 'debug' || level === 'trace';
}

/** The name that the OpenAPI document gives to what was asked. */
function operationOf(request: FastifyRequest): string {
  const { schema } = request.routeOptions;
  return schema && 'operationId' in schema ? String(schema.operationId) : 'other';
}
