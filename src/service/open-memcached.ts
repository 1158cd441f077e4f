import type { SecureContextOptions } from 'node:tls';
import type { Credentials } from '../auth/credentials.ts';
import type { TokenBook } from '../auth/token-book.ts';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../engine/engine.ts';
import type { Endpoint, MemcachedListener } from '../memcached/listener.ts';
import { StartError } from '../start-error.ts';
import { type ListenSettings, listenError } from './listening.ts';

/** Where the memcached door is found. */
export interface MemcachedAddresses {
  readonly memcachedHost: string;
  readonly memcachedPort: number;
  readonly memcachedTlsPort: number | undefined;
  /** The listeners without sign-in, each with its cache. */
  readonly bound: readonly BoundAddress[];
}

interface BoundAddress {
  readonly host: string;
  readonly port: number;
  readonly projectId: string;
  readonly cacheName: string;
}

interface OpenMemcachedParts {
  readonly listener: MemcachedListener;
  readonly engine: Engine;
  readonly tokens: TokenBook;
  readonly credentials: Credentials;
  /** Undefined: there is no certificate. */
  readonly tls: SecureContextOptions | undefined;
}

/** Has the memcached door listen wherever the settings say. Rejects with StartError where that cannot be. */
export async function openMemcached(config: Config, parts: OpenMemcachedParts): Promise<MemcachedAddresses> {
  const { memcachedHost: host, memcachedPort: port } = config;
  const places = { host: settings.memcachedHost, port: settings.memcachedPort };
  return {
    memcachedHost: host,
    memcachedPort: await listen(parts.listener, { host, port }, places),
    memcachedTlsPort: await listenByTls(config, parts),
    bound: await listenBound(config, parts),
  };
}

async function listenByTls(
  config: Config,
  { listener, tls }: OpenMemcachedParts,
): Promise<number | undefined> {
  const { memcachedHost: host, memcachedTlsPort: port } = config;
  if (port === undefined || !tls) return undefined;
  const rules = { areRequired: config.tlsClientAuth === 'required', names: config.tlsClients };
  const clientCertificates = config.tlsClientCa === undefined ? undefined : rules;
  const places = { host: settings.memcachedHost, port: settings.memcachedTlsPort };
  return listen(listener, { host, port, tls, clientCertificates }, places);
}

async function listenBound({ memcachedBind }: Config, parts: OpenMemcachedParts): Promise<BoundAddress[]> {
  const { variable } = settings.memcachedBind;
  const places = { host: { variable }, port: { variable } };
  const addresses: BoundAddress[] = [];
  for (const { host, port, projectId = onlyProject(parts.credentials), cacheName } of memcachedBind) {
    const grant = parts.tokens.boundGrant(projectId);
    if (!grant) throw new StartError(`${variable}: there is no project ${projectId}`);
    const bound = { cache: parts.engine.cache(projectId, cacheName), grant };
    const boundPort = await listen(parts.listener, { host, port, bound }, places);
    addresses.push({ host, port: boundPort, projectId, cacheName });
  }
  return addresses;
}

function onlyProject({ projects }: Credentials): string {
  const [project, another] = projects;
  if (project && !another) return project.id;
  throw new StartError(`${settings.memcachedBind.variable}: name the project, as PROJECT_ID/CACHE_NAME`);
}

async function listen(
  listener: MemcachedListener,
  endpoint: Endpoint,
  places: ListenSettings,
): Promise<number> {
  try {
    return await listener.listen(endpoint);
  } catch (error) {
    throw listenError('memcached', places, error);
  }
}
