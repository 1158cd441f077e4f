import type { Answer } from '../../engine/answer.ts';
import type { StoreOutcome } from '../../engine/changes.ts';
import { expiresAtFrom } from '../exptime.ts';
import type { StorageRequest } from '../requests/request.ts';
import { type CommandContext, reply } from './context.ts';

const REPLIES: Record<StoreOutcome, string> = {
  stored: 'STORED',
  not_stored: 'NOT_STORED',
  exists: 'EXISTS',
  not_found: 'NOT_FOUND',
};

/** set, add, replace, append, prepend, cas. */
export function store(request: StorageRequest, context: CommandContext): Answer<void> {
  const { command, key, flags, cas, data, exptime } = request;
  const expiresAt = expiresAtFrom(exptime, context.clock);
  const value = { value: data, kind: 'bytes', flags, expiresAt } as const;
  const outcome =
    command === 'cas'
      ? context.cache.compareAndSwap(key, value, cas)
      : context.cache.store(command, key, value);
  if (outcome instanceof Promise) return outcome.then((stored) => answer(stored, request, context));
  answer(outcome, request, context);
}

function answer(outcome: StoreOutcome, { noreply }: StorageRequest, context: CommandContext): void {
  reply(context, REPLIES[outcome], noreply);
}
