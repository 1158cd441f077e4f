/** A start that failed for a reason its owner can mend: the message says which. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What a failure says of itself, to be told in another one. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
