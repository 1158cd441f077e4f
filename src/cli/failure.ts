/** Why a server could not be asked. What fetch itself says is "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const reason =
    cause instanceof Error ? cause.message || String('code' in cause ? cause.code : cause) : error.message;
  return /certificate/i.test(reason) ? `${reason} (NODE_EXTRA_CA_CERTS names certificates to trust)` : reason;
}
