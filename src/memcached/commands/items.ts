import { type Answer, after } from '../../engine/answer.ts';
import type { ArithmeticOutcome } from '../../engine/arithmetic.ts';
import { expiresAtFrom } from '../exptime.ts';
import type { RequestOf } from '../requests/request.ts';
import { type CommandContext, reply } from './context.ts';

export function remove(request: RequestOf<'delete'>, context: CommandContext): Answer<void> {
  const removed = context.cache.delete(request.key);
  if (removed instanceof Promise) return removed.then((later) => answerDelete(later, request, context));
  answerDelete(removed, request, context);
}

function answerDelete(removed: boolean, { noreply }: RequestOf<'delete'>, context: CommandContext): void {
  reply(context, removed ? 'DELETED' : 'NOT_FOUND', noreply);
}

export function touch(request: RequestOf<'touch'>, context: CommandContext): Answer<void> {
  const expiresAt = expiresAtFrom(request.exptime, context.clock);
  return after(context.cache.touch(request.key, expiresAt), (item) =>
    reply(context, item ? 'TOUCHED' : 'NOT_FOUND', request.noreply),
  );
}

/** incr and decr: unsigned, 64 bits; up wraps around, down stops at 0. */
export function calculate(request: RequestOf<'incr'>, context: CommandContext): Answer<void> {
  const { key, command, delta, noreply } = request;
  const direction = command === 'incr' ? 'up' : 'down';
  const outcome = context.cache.calculate(key, { rule: 'unsigned', direction, delta });
  if (outcome instanceof Promise) return outcome.then((later) => answerSum(later, noreply, context));
  answerSum(outcome, noreply, context);
}

function answerSum(outcome: ArithmeticOutcome, noreply: boolean, context: CommandContext): void {
  if (outcome.status === 'not_found') reply(context, 'NOT_FOUND', noreply);
  else if (outcome.status !== 'done') reply(context, NOT_NUMERIC, noreply);
  else if (!noreply) {
    context.output.number(outcome.value);
    context.output.text('\r\n');
  }
}

export const NOT_NUMERIC = 'CLIENT_ERROR cannot increment or decrement non-numeric value';

/** Empties the signed-in cache, and no other; with a delay, of what is there when it has passed. */
export function flushAll(request: RequestOf<'flush_all'>, context: CommandContext): Answer<void> {
  const { delaySeconds, noreply } = request;
  const at = delaySeconds > 0 ? expiresAtFrom(delaySeconds, context.clock) : undefined;
  return after(context.cache.clear(at), () => reply(context, 'OK', noreply));
}

/** What was refused before it came to the engine. */
export function refuse(request: RequestOf<'refused'>, context: CommandContext): Answer<void> {
  const { reply: text, noreply, tooLargeFor } = request;
  if (tooLargeFor === undefined) return reply(context, text, noreply);
  // The client meant to replace the old value; it must not be served as if it were the new one.
  context.cache.countTooLarge();
  return after(context.cache.discard(tooLargeFor), () => reply(context, text, noreply));
}
