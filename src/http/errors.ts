import { errorCodes, type FastifyBaseLogger, type FastifyReply, type FastifyRequest } from 'fastify';
import { CredentialsRefusal } from '../auth/credential-changes.ts';
import { Refusal, type RefusalCode } from '../engine/errors.ts';
import { HttpRefusal } from './http-refusal.ts';
import { messageJson, sendJson } from './json-answer.ts';
import { loggedRequest } from './request-log.ts';

export const NO_SUCH_ENDPOINT = "The resource, project, or endpoint being requested doesn't exist.";

interface ErrorAnswer {
  readonly status: number;
  readonly msg: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const retryLater = { 'retry-after': '1' };

/** What the engine refuses, in this door's words, after the engine's own text, which has the numbers. */
const refusalAnswers: Record<RefusalCode, Omit<ErrorAnswer, 'msg'> & { readonly advice: string }> = {
  cache_name_too_long: { status: 400, advice: 'Use a shorter cache name.' },
  value_too_large: { status: 413, advice: 'Store a smaller value, or raise the limit of this service.' },
  out_of_memory: {
    status: 403,
    advice: 'Store a smaller item, or raise the memory limit of this service.',
  },
  over_quota: { status: 403, advice: 'Delete what is no longer used, or have the quota raised.' },
  too_many_caches: { status: 403, advice: 'Delete a cache that is no longer used, or raise the limit.' },
  store_unavailable: {
    status: 503,
    advice: 'Reading goes on; try again later.',
    headers: retryLater,
  },
};

/** What projects and tokens refuse; the text is theirs. */
const credentialsStatuses: Record<CredentialsRefusal['code'], number> = {
  read_only: 403,
  not_found: 404,
  conflict: 409,
  too_many: 403,
  not_kept: 500,
};

/** Answers whatever a route or a hook threw. A bug is logged whole, and the client told hardly more than that. */
export function errorHandler(logger: FastifyBaseLogger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const answer = errorAnswer(error);
    if (!answer) logger.error({ err: error, ...loggedRequest(request) }, 'a request failed; this is a bug');
    sendError(reply, answer ?? { status: 500, msg: 'Internal error. It was logged; try again later.' });
  };
}

/** Errors from before a route was found. */
export function frameworkErrors(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  // No hook has set it.
  reply.header('x-request-id', request.id);
  sendError(reply, badUrlAnswer(error, request) ?? errorAnswer(error) ?? NOT_UNDERSTOOD);
}

const NOT_UNDERSTOOD = { status: 400, msg: 'The request cannot be understood.' };

// A whole URL, as proxies send it, may also be without a host, or have one that is none.
function badUrlAnswer(error: Error, { raw: { url = '' } }: FastifyRequest): ErrorAnswer | undefined {
  if (!(error instanceof errorCodes.FST_ERR_BAD_URL)) return undefined;
  const msg = url.startsWith('/')
    ? 'The path is not validly percent-encoded UTF-8. Send a percent sign itself as %25.'
    : 'The URL is not valid. Send its path alone, or http://HOST/PATH, percent-encoded as UTF-8.';
  return { status: 400, msg };
}

export function sendError(reply: FastifyReply, { status, msg, headers }: ErrorAnswer): void {
  sendJson(reply, messageJson(msg), status, headers);
}

export function sendNotFound(reply: FastifyReply): void {
  sendError(reply, { status: 404, msg: NO_SUCH_ENDPOINT });
}

/** While the service stops: the connection ends here, and the client tries again elsewhere or later. */
export function sendStopping(reply: FastifyReply): void {
  sendError(reply, {
    status: 503,
    msg: 'The service is shutting down; try again later.',
    headers: { ...retryLater, connection: 'close' },
  });
}

/** While the service cannot answer yet, and says why. */
export function sendNotYet(reply: FastifyReply, reason: string): void {
  sendError(reply, { status: 503, msg: reason, headers: retryLater });
}

// Undefined: it is a bug.
function errorAnswer(error: unknown): ErrorAnswer | undefined {
  if (error instanceof HttpRefusal) {
    return { status: error.status, msg: error.message, headers: error.headers };
  }
  if (error instanceof Refusal) return refusalAnswer(error);
  if (error instanceof CredentialsRefusal) {
    return { status: credentialsStatuses[error.code], msg: error.message };
  }
  return error instanceof Error ? frameworkAnswer(error) : undefined;
}

function refusalAnswer({ code, message }: Refusal): ErrorAnswer {
  const { advice, ...answer } = refusalAnswers[code];
  return { ...answer, msg: `${message.charAt(0).toUpperCase()}${message.slice(1)}. ${advice}` };
}

// Fastify and its plugins put a status on what they throw; their words about a client's mistake may be repeated.
function frameworkAnswer(error: Error): ErrorAnswer | undefined {
  if (!('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const isMistake = error.statusCode >= 400 && error.statusCode < 500;
  return isMistake ? { status: error.statusCode, msg: error.message } : undefined;
}
