/** Why the engine does not do what it was asked; each door has its own words for each code. */
export type RefusalCode =
  | 'cache_name_too_long'
  | 'value_too_large'
  | 'out_of_memory'
  | 'over_quota'
  | 'too_many_caches'
  | 'store_unavailable';

/** A request that is understood but refused. Anything else that is thrown is a bug. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Is it the service that has to be mended, rather than what was asked? So with bugs, and a store that cannot be used. */
export function isServersFault(error: unknown): boolean {
  return !(error instanceof Refusal) || error.code === 'store_unavailable';
}
