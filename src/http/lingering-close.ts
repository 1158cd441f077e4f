import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { linger } from '../sockets/linger.ts';

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
  readNoFurther(this);
  // It may wait for its turn, which never comes, and until it is read nothing more is taken.
  (this as KeptParser).parser?.incoming?.resume();
  this.end();
  linger(this, LINGER_MS);
}

/** What Node keeps of a connection: what reads its requests. No part of its interface, so it is looked at with care. */
interface KeptParser {
  readonly parser?: {
    /** The request that came last. */
    readonly incoming?: IncomingMessage | null;
    /** Who is given its requests. */
    onIncoming?: ((request: { upgrade: boolean }) => number) | null;
  } | null;
}

/** Has some of a request come, and not all of it? */
export function isMidRequest(socket: Socket): boolean {
  return (socket as KeptParser).parser?.incoming?.complete === false;
}

/** To Node's parser, what stands behind an upgrade is no request any more. */
const AS_IF_UPGRADED = 2;

/** Has no more requests of a connection read, of which each would take its memory until that is closed. */
export function readNoFurther(socket: Socket): void {
  const { parser } = socket as KeptParser;
  if (!parser?.onIncoming) return;
  parser.onIncoming = (request) => {
    // Or Node would look for who takes the connection over, and close it.
    request.upgrade = false;
    return AS_IF_UPGRADED;
  };
}
