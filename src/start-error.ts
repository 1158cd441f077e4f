/** A start that failed for a reason its owner can mend: the message says which. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
