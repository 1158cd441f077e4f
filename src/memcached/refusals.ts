import type { Answer } from '../engine/answer.ts';
import type { Cache } from '../engine/cache.ts';
import { Refusal, type RefusalCode } from '../engine/errors.ts';
import type { Key } from '../engine/key.ts';
import { type OpenContext, reply } from './commands/context.ts';
import { isNoreply, type Request } from './requests/request.ts';

/** What memcached clients are told where the engine refuses. */
const REFUSAL_REPLIES: Record<RefusalCode, string> = {
  cache_name_too_long: 'CLIENT_ERROR the cache name is too long',
  value_too_large: 'SERVER_ERROR object too large for cache',
  out_of_memory: 'SERVER_ERROR out of memory storing object',
  over_quota: 'SERVER_ERROR out of memory storing object',
  too_many_caches: 'SERVER_ERROR the project has too many caches',
  store_unavailable: 'SERVER_ERROR changes cannot be kept now, reading goes on; try again later',
};

interface FailureContext extends OpenContext {
  /** Undefined before the client has signed in. */
  readonly cache: Cache | undefined;
  readonly onBug: (error: unknown) => void;
}

/** Answers a request that was refused by the engine, or met a bug. */
export function answerFailure(request: Request, error: unknown, context: FailureContext): Answer<void> {
  const noreply = isNoreply(request);
  if (!(error instanceof Refusal)) {
    context.onBug(error);
    reply(context, 'SERVER_ERROR internal error', noreply);
    return;
  }
  reply(context, REFUSAL_REPLIES[error.code], noreply);
  // The client meant to replace the old value; it must not be served as if it were the new one.
  if (request.command === 'set' || request.command === 'ms') return discard(request.key, context);
}

// A refusal has been answered already.
function discard(key: Key, { cache, onBug }: FailureContext): Answer<void> {
  const report = (error: unknown) => {
    if (!(error instanceof Refusal)) onBug(error);
  };
  try {
    const discarded = cache?.discard(key);
    if (discarded instanceof Promise) return discarded.then(() => undefined, report);
  } catch (error) {
    report(error);
  }
}
