import type { FastifyInstance } from 'fastify';
import { messageOf, StartError } from './start-error.ts';

export interface HttpAddress {
  readonly door: string;
  readonly host: string;
  readonly port: number;
  /** Where the port is set. */
  readonly variable: string;
}

/** Resolves with the port once it listens there. Rejects with StartError where that cannot be. */
export async function listenHttp(app: FastifyInstance, wanted: HttpAddress): Promise<number> {
  const { door, host, port, variable } = wanted;
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    throw listenError(door, variable, error);
  }
  const address = app.server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** Says which listener cannot start, why, and which setting to look at. */
export function listenError(door: string, variable: string, error: unknown): StartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const taken = code === 'EADDRINUSE' ? '; another program uses that port' : '';
  return new StartError(`the ${door} listener cannot start: ${messageOf(error)}${taken} (see ${variable})`);
}

/** Waits for what is in flight; whoever is left in the end is cut off. */
export async function closeApp(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  await app.close();
  clearTimeout(timer);
}
