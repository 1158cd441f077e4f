import type { Decision } from '../engine/store.ts';

/** Does a decision change anything that a journal keeps? The order of use is not kept. */
export function isJournaled(decision: Decision<unknown>): boolean {
  if (decision.action !== 'amend') return decision.action !== 'keep';
  const { expiresAt, cas, stale, recaching } = decision.amendment;
  return expiresAt !== undefined || cas !== undefined || stale !== undefined || recaching !== undefined;
}
