import type { CommitGate } from '../../engine/commit-gate.ts';
import { Refusal } from '../../engine/errors.ts';

/** Resolves once what was changed until now is kept. Throws Refusal where it cannot be. */
export async function keptOrFail(gate: CommitGate | undefined): Promise<void> {
  if (!gate) return;
  const isKept = await new Promise<boolean>((resolve) => gate.wait(resolve));
  if (!isKept) throw new Refusal('store_unavailable', 'what was to be told could not be kept on disk');
}
