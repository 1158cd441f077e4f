import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { linger } from '../../sockets/linger.ts';
import { discardRest, isMidRequest } from './node-parser.ts';

/** How long a connection that got its last answer may go on sending before it is cut. */
export const LINGER_MS = 1_000;

/** Connections whose clients sent something before they had all answers. */
export const sendingAhead = new WeakSet<Socket>();

/**
 * Has a connection that is closed behind its last answer take what its client still sends, and the client close first
 * (RFC 9112, 9.6). Node would close it at once, which resets it where anything of that is unread: the rest of a body,
 * further requests, the word of TLS that the client ends its side. The client then often loses the answer: nginx, which
 * by default asks for each connection to be closed, makes a 502 of it.
 */
export function lingerBehindLastAnswer(socket: Socket): void {
  socket.destroySoon = destroySoon;
}

// Where nothing more is to be expected, it is closed at once: to wait for the client would take a quarter of the rate
// at which connections come and go.
function destroySoon(this: Socket): void {
  if (!(this instanceof TLSSocket || isMidRequest(this) || sendingAhead.has(this))) {
    Socket.prototype.destroySoon.call(this);
    return;
  }
  discardRest(this);
  this.end();
  linger(this, LINGER_MS);
}
