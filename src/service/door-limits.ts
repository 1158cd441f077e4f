import type { Config } from '../config.ts';
import type { HttpLimits } from '../http/connections/server.ts';
import type { OpenTogether } from '../limits/connection-limit.ts';
import type { SignInLimits } from '../limits/failed-sign-ins.ts';
import type { ListenerLimits } from '../memcached/listener.ts';
import { connectionsWithin, fileLimit } from '../process/file-limit.ts';

// The limits of the settings, as each part takes them: times in ms, sizes in bytes.

export function httpLimits(config: Config, together: OpenTogether): HttpLimits {
  return {
    ...sharedLimits(config, together),
    bodyBytesMax: config.maxItemSize,
    headerBytesMax: config.httpMaxHeaderSize,
    unansweredBytesMax: config.httpMaxUnanswered,
    requestTimeoutMs: config.httpRequestTimeout * 1000,
    keepAliveTimeoutMs: config.httpKeepAliveTimeout * 1000,
  };
}

export function memcachedLimits(config: Config, together: OpenTogether): ListenerLimits {
  return {
    ...sharedLimits(config, together),
    idleTimeoutMs: config.memcachedIdleTimeout * 1000,
    requestTimeoutMs: config.memcachedRequestTimeout * 1000,
    signInTimeoutMs: config.signInTimeout * 1000,
    lineBytesMax: config.memcachedMaxLine,
    unansweredBytesMax: config.memcachedMaxUnanswered,
    signInFailuresMax: config.signInAttempts,
  };
}

/** The connections that all doors may have open together. */
export function openTogether(): OpenTogether {
  return { open: 0, max: connectionsWithin(fileLimit()) };
}

export function signInLimits(config: Config): SignInLimits {
  return {
    failuresPerAddressMax: config.signInAttemptsPerAddress,
    refusalMs: config.signInRefusal * 1000,
    delayMs: config.signInDelay * 1000,
  };
}

/** The limits that both doors have, each for itself. */
function sharedLimits(config: Config, together: OpenTogether) {
  return {
    connections: { max: config.maxConnections, perAddressMax: config.maxConnectionsPerAddress, together },
    stallTimeoutMs: config.stallTimeout * 1000,
    handshakeTimeoutMs: config.tlsHandshakeTimeout * 1000,
  };
}
