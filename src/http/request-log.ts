import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LastOfKind } from '../last-of-kind.ts';
import { OccasionalWarning } from '../limits/occasional-warning.ts';
import type { OperationMeter, RequestMeter } from '../metrics/request-meter.ts';
import { id } from './schemas.ts';

const ID = new RegExp(id.pattern);
const PLACE_OF_AN_ID = /(?<=\/(?:projects|tokens)\/)[^/]+/g;

/**
 * What is logged of a request at any level: never its headers, its query, or the key in its path; nor what stands in
 * the place of a project's id and is none, since that may be a token.
 */
export function loggedRequest(request: FastifyRequest) {
  const { project = '', cache } = (request.params ?? {}) as Record<string, string | undefined>;
  const known = ID.test(project) ? project : undefined;
  return { requestId: request.id, door: 'http', project: known, cache, operation: operationOf(request) };
}

function loggedPath(url: string): string {
  return pathOf(url).replace(PLACE_OF_AN_ID, (name) => (ID.test(name) ? name : '***'));
}

/** A request target without its query, where tokens travel. */
export function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  return end === -1 ? url : url.slice(0, end);
}

interface RequestLogParts {
  readonly logger: FastifyBaseLogger;
  readonly requests: RequestMeter;
  /** From how many milliseconds on a request is logged as slow; 0 is never. */
  readonly slowMs: number;
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number;
}

interface WatchedOperation {
  readonly meter: OperationMeter;
  /** The parts of an app have classes of their own for replies, so that those of each operation are a kind. */
  readonly lastReply: LastOfKind<FastifyReply>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** When it arrived; see performance.now. */
    arrivedAt: number;
    /** The operation's name in the OpenAPI document; null: it has to be looked up in the route's options. */
    operation: string | null;
  }
  interface FastifyReply {
    /**
     * Counts, times and logs the answer that is about to leave, of so many bytes, if that is known; undefined
     * where nobody watches.
     */
    noteAnswer?: (bytes: number | undefined) => void;
  }
}

/**
 * Counts and times every request, and logs it: at level debug each one, else those that were slow. A
 * request's time ends when its answer is made: to be told when it is sent would cost as much again as
 * all of this.
 */
export class RequestLog {
  readonly #parts: RequestLogParts;
  readonly #slowWarning: OccasionalWarning;
  readonly #signInWarning: OccasionalWarning;
  readonly #operations = new Map<string, WatchedOperation>();

  constructor(parts: RequestLogParts) {
    const { logger, now } = parts;
    this.#parts = parts;
    this.#slowWarning = new OccasionalWarning(logger, now);
    this.#signInWarning = new OccasionalWarning(logger, now);
  }

  watch(app: FastifyInstance): void {
    app.decorateRequest('arrivedAt', 0);
    app.decorateRequest('operation', null);
    app.addHook('onRequest', (request, _reply, done) => {
      request.arrivedAt = performance.now();
      done();
    });
    const log = this;
    app.decorateReply('noteAnswer', function noteAnswer(bytes: number | undefined) {
      log.#note(this, bytes);
    });
    // What is no JSON goes by Fastify: see json-answer.ts.
    app.addHook('onSend', (request, reply, payload, done) => {
      reply.header('x-request-id', request.id);
      const isBody = typeof payload === 'string' || Buffer.isBuffer(payload);
      reply.noteAnswer?.(isBody ? Buffer.byteLength(payload) : undefined);
      done();
    });
  }

  /** Counts a request that no hook saw, since it could not be read, and logs it at level debug. */
  noteUnread(status: number, details: object): void {
    const { logger, requests } = this.#parts;
    requests.operation('other').count(String(status));
    logger.debug({ door: 'http', status, ...details }, 'a request that cannot be read');
  }

  /** Keeps nothing of a connection that is closed: with one reply, Node keeps all that wait behind it. */
  forget(socket: Socket): void {
    for (const { lastReply } of this.#operations.values()) {
      if (lastReply.object?.request.socket === socket) lastReply.object = undefined;
    }
  }

  #note(reply: FastifyReply, bytes: number | undefined): void {
    const { request, statusCode: status } = reply;
    const ms = performance.now() - request.arrivedAt;
    const { meter, lastReply } = this.#watched(operationOf(request));
    lastReply.object = reply;
    meter.count(String(status));
    meter.time(ms / 1000);
    const { logger, slowMs } = this.#parts;
    const isSlow = slowMs > 0 && ms >= slowMs && !mayTakeLong(request, status);
    if (isSlow) this.#slowWarning.warn(told(request, { status, ms, bytes }), 'a slow request');
    if (status === 401) {
      const details = { ...loggedRequest(request), address: request.ip };
      this.#signInWarning.warn(details, 'a request had no token, or an unknown one');
    }
    if (isDebugging(logger)) {
      const path = loggedPath(request.raw.url ?? '');
      const details = { ...told(request, { status, ms, bytes }), method: request.method, path };
      logger.debug(details, 'a request');
    }
  }

  #watched(operation: string): WatchedOperation {
    const known = this.#operations.get(operation);
    if (known) return known;
    const watched = {
      meter: this.#parts.requests.operation(operation),
      lastReply: new LastOfKind<FastifyReply>(),
    };
    this.#operations.set(operation, watched);
    return watched;
  }
}

// A failed sign-in has to wait on purpose, and some bodies have any length.
function mayTakeLong(request: FastifyRequest, status: number): boolean {
  return status === 401 || request.routeOptions.config.operation?.isLong === true;
}

function told(
  request: FastifyRequest,
  { status, ms, bytes }: { status: number; ms: number; bytes: number | undefined },
) {
  return {
    ...loggedRequest(request),
    status,
    ms: Math.round(ms * 100) / 100,
    bytesIn: Number(request.headers['content-length'] ?? 0),
    bytesOut: bytes,
  };
}

// The level may change at any time.
function isDebugging({ level }: FastifyBaseLogger): boolean {
  return level === 'debug' || level === 'trace';
}

/** The name that the OpenAPI document gives to what was asked. */
function operationOf(request: FastifyRequest): string {
  if (request.operation) return request.operation;
  const { schema } = request.routeOptions;
  return schema && 'operationId' in schema ? String(schema.operationId) : 'other';
}
