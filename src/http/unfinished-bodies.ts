import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { linger } from '../sockets/linger.ts';
import { LINGER_MS } from './broken-requests.ts';

/** What Node keeps of a connection: the request that is not whole. No part of its interface, so it is looked at with care. */
interface KeptRequest {
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/**
 * Has a connection whose last answer is ahead of its request's body take some more of that. Node would close it at once,
 * which resets it, and a client that is still sending often loses the answer: nginx, which by default asks for each
 * connection to be closed, makes a 502 of it.
 */
export function closeBehindBody(socket: Socket): void {
  socket.destroySoon = destroySoon;
}

/** Has some of a request come, and not all of it? */
export function isMidRequest(socket: Socket): boolean {
  return (socket as KeptRequest).parser?.incoming?.complete === false;
}

function destroySoon(this: Socket): void {
  if (!isMidRequest(this)) {
    Socket.prototype.destroySoon.call(this);
    return;
  }
  this.end();
  linger(this, LINGER_MS);
}
