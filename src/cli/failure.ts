import { codeOf } from '../thrown.ts';

/** Why a server could not be asked. What Node says of a connection that the server ended is of no help. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  if (code === 'ECONNRESET') return 'it ended the connection';
  // OpenSSL tells only by this text that an answer was not TLS.
  if (code === 'EPROTO' && error.message.includes('wrong version number')) return 'it does not speak HTTPS';
  // Where several addresses failed there is only a code; a timeout is told by the cause.
  const reason = error.cause instanceof Error ? error.cause.message : error.message || code;
  return /certificate/i.test(reason) ? `${reason} (NODE_EXTRA_CA_CERTS names certificates to trust)` : reason;
}
