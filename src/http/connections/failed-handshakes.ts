import type { Socket } from 'node:net';
import type { TLSSocket, Server as TlsServer } from 'node:tls';
import type { OccasionalWarning } from '../../limits/occasional-warning.ts';
import { endWithAnswer, rawAnswer } from './raw-answer.ts';

const PLAIN_HTTP = rawAnswer(400, 'This port speaks HTTPS. Write https:// in front of its address.');

/**
 * Cuts off clients whose TLS handshake failed or took too long, and tells the owner. Node would take them for clients
 * that sent a broken request, which nobody could answer. Who speaks plain HTTP is told so, in plain HTTP.
 */
export function endFailedHandshakes(server: TlsServer, warning: OccasionalWarning): void {
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (err: Error & { code?: string }, socket) => {
    // Who just goes away, such as a probe of the port, need not be told of.
    if (err.code !== 'ECONNRESET') {
      warning.warn({ err, door: 'http', address: socket.remoteAddress }, 'a TLS handshake failed');
    }
    const below = err.code === 'ERR_SSL_HTTP_REQUEST' ? socketBelow(socket) : undefined;
    if (below) endWithAnswer(below, PLAIN_HTTP);
    else socket.destroy();
  });
}

/** What Node keeps of a TLS socket: the one below. No part of its interface, so it is looked at with care. */
interface KeptParent {
  readonly _parent?: Socket | null;
}

function socketBelow(socket: TLSSocket): Socket | undefined {
  const { _parent: below } = socket as KeptParent;
  return below?.writable ? below : undefined;
}
