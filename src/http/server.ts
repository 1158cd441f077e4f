import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { rawAnswer } from './broken-requests.ts';
import { inOrder } from './pipelining.ts';

export interface HttpLimits {
  /** The largest body of a PUT or an increment. */
  readonly bodyBytesMax: number;
  /** The request line and all headers together. */
  readonly headerBytesMax: number;
  /** In which a whole request must have arrived. */
  readonly requestTimeoutMs: number;
  /** How long a connection without a request stays open. */
  readonly keepAliveTimeoutMs: number;
}

export interface Certificate {
  readonly cert: Buffer | string;
  readonly key: Buffer | string;
}

/** Node's HTTP or HTTPS server with our limits, made to answer in every case where Node would just hang up. */
export function createServer(listener: RequestListener, limits: HttpLimits, tls?: Certificate): Server {
  const options = {
    maxHeaderSize: limits.headerBytesMax,
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: checkingIntervalMs(limits.requestTimeoutMs),
    // Node answers a missing Host with an empty 400; nothing here depends on it.
    requireHostHeader: false,
  };
  const server: Server = tls
    ? createTlsServer({ ...options, ...tls }, inOrder(listener))
    : createPlainServer(options, inOrder(listener));
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node would answer an empty 417.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('connect', refuseTunnel);
  return server;
}

// How often Node looks for requests that take too long: often enough to notice soon.
function checkingIntervalMs(timeoutMs: number): number {
  return Math.min(Math.max(Math.ceil(timeoutMs / 4), 50), 5_000);
}

function refuseTunnel(_request: unknown, socket: Duplex): void {
  socket.on('error', () => socket.destroy());
  socket.end(rawAnswer(405, 'CONNECT is not possible: this is no proxy.', { allow: 'GET, HEAD' }));
}
