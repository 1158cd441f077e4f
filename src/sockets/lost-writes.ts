import type { Socket } from 'node:net';

/** What Node keeps of a TLS socket: the handle below its own. No part of its interface, so it is looked at with care. */
interface KeptHandles {
  readonly _handle?: { readonly _parent?: { readonly writeQueueSize?: number } | null } | null;
}

/**
 * Does something wait to be written that the connection below TLS knows nothing of? Where that stays so, the client is
 * gone: it went while something else of TLS was written, and Node tells nobody.
 */
export function isWriteLost(socket: Socket): boolean {
  return socket.writableLength > 0 && (socket as KeptHandles)._handle?._parent?.writeQueueSize === 0;
}
