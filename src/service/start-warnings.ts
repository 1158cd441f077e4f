import { isPrivateAddress } from '../config/host-address.ts';
import { settings } from '../config/settings.ts';
import { type Config, TOKEN_SETTINGS } from '../config.ts';
import { connectionsWithin, fileLimit } from '../process/file-limit.ts';

/** Where the doors are open, as far as it may be worth a warning. */
interface OpenDoors {
  readonly protocol: 'http' | 'https';
  readonly httpHost: string;
  readonly memcachedHost: string;
  readonly bound: readonly { readonly host: string; readonly port: number; readonly cacheName: string }[];
  readonly metricsPort?: number | undefined;
}

const TOKEN_LENGTH_SAFE = 16;
const DISTINCT_CHARACTERS_SAFE = 8;
const COMMON_WORDS =
  /password|secret|token|admin|test|demo|example|default|change|me|cache|iron|1234|qwerty/gi;

/** What whoever starts the service should know before anyone else finds out. */
export function startWarnings(config: Config, doors: OpenDoors): string[] {
  return [
    ...ofTokens(config),
    ...ofPlainDoors(doors),
    ...ofOpenDoors(doors),
    ...ofMetrics(config, doors),
    ...ofFsync(config),
    ...ofFileLimit(config),
  ];
}

function ofTokens(config: Config): string[] {
  return TOKEN_SETTINGS.filter((name) => isEasilyGuessed(config[name])).map(
    (name) => `${settings[name].variable} is EASY TO GUESS; make a random one: openssl rand -hex 24`,
  );
}

/** Is it short, of few different characters, or little more than words that everyone would try? */
export function isEasilyGuessed(token: string | undefined): boolean {
  if (token === undefined) return false;
  const rest = token.replace(COMMON_WORDS, '');
  return token.length < TOKEN_LENGTH_SAFE || new Set(rest).size < DISTINCT_CHARACTERS_SAFE;
}

function ofPlainDoors({ protocol, httpHost, memcachedHost }: OpenDoors): string[] {
  const rest = protocol === 'http' ? [['REST', httpHost] as const] : [];
  return [...rest, ['memcached', memcachedHost] as const]
    .filter(([, host]) => !isPrivateAddress(host))
    .map(
      ([door, host]) => `${door} listens on ${host} without TLS: tokens and values can be read on the way`,
    );
}

function ofOpenDoors({ bound }: OpenDoors): string[] {
  return bound
    .filter(({ host }) => !isPrivateAddress(host))
    .map(
      ({ host, port, cacheName }) =>
        `${host}:${port} serves the cache ${cacheName} WITHOUT SIGN-IN to whoever reaches it`,
    );
}

function ofMetrics({ metricsHost }: Config, { metricsPort }: OpenDoors): string[] {
  if (metricsPort === undefined || isPrivateAddress(metricsHost)) return [];
  return [`${metricsHost}:${metricsPort} tells the metrics WITHOUT A TOKEN to whoever reaches it`];
}

function ofFsync({ durability, fsync }: Config): string[] {
  if (fsync !== 'always' || durability === 'log') return [];
  const { fsync: setting, durability: needed } = settings;
  return [
    `${setting.variable}=always does nothing without ${needed.variable}=log: changes are acknowledged before they are on disk`,
  ];
}

function ofFileLimit({ maxConnections }: Config): string[] {
  const limit = fileLimit();
  if (limit === undefined || connectionsWithin(limit) >= 2 * maxConnections) return [];
  return [
    `only ${limit} files may be open (ulimit -n), too few for ${settings.maxConnections.variable} at both doors: connections beyond are just closed`,
  ];
}
