import type { FastifyInstance } from 'fastify';
import { StartError } from '../start-error.ts';
import { codeOf, messageOf } from '../thrown.ts';

/** The settings that say where to listen. */
export interface ListenSettings {
  readonly host: { readonly variable: string };
  readonly port: { readonly variable: string };
}

interface HttpAddress {
  readonly door: string;
  readonly host: string;
  readonly port: number;
  readonly settings: ListenSettings;
}

/** Resolves with the port once it listens there. Rejects with StartError where that cannot be. */
export async function listenHttp(app: FastifyInstance, wanted: HttpAddress): Promise<number> {
  const { door, host, port, settings } = wanted;
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    throw listenError(door, settings, error);
  }
  const address = app.server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** Says which listener cannot start, why, and which setting to look at. */
export function listenError(door: string, { host, port }: ListenSettings, error: unknown): StartError {
  const code = codeOf(error);
  const taken = code === 'EADDRINUSE' ? '; another program uses that port' : '';
  const { variable } = WRONG_PORT.includes(code) ? port : host;
  return new StartError(`the ${door} listener cannot start: ${messageOf(error)}${taken} (see ${variable})`);
}

// Taken, or too low for a user who is not root.
const WRONG_PORT = ['EADDRINUSE', 'EACCES'];

/** Waits for what is in flight; whoever is left in the end is cut off. */
export async function closeApp(app: FastifyInstance, timeoutMs: number): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  await app.close();
  clearTimeout(timer);
}
