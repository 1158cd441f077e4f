import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { asBusy, responseOf } from './current-response.ts';

// Who has connected just now may have its request under way.
const UNUSED_GRACE_MS = 250;

/**
 * Mends which connections a server closes. Of the idle ones:
 * - One whose client has yet to take an answer stays open until it has it. To Node it is idle as soon as the answer is
 *   made, and what waits would be cut off.
 * - One that is ended on our side, and takes what its client still sends, is left to close by itself, which is soon.
 * - One on which nothing ever came, as of a pool that connects ahead, is closed. To Node, a request is due there.
 *
 * When all are closed, so are those that Node does not count: they have not ended their handshake, or their client has
 * asked for a tunnel.
 */
export function closeConnectionsInOrder(server: Server, connectionEvent: string): void {
  const open = new Set<Socket>();
  const spared = new WeakSet<ServerResponse>();
  const closeIdle = server.closeIdleConnections.bind(server);
  /** Every connection below TLS. */
  const connections = new Set<Socket>();
  let isDue = false;

  server.on(connectionEvent, (socket: Socket) => keep(socket, open));
  server.on('connection', (socket: Socket) => keep(socket, connections));
  server.closeIdleConnections = () => {
    isDue = false;
    const busy = [...open].filter(isBusy);
    for (const socket of busy) spare(responseOf(socket));
    asBusy(busy, closeIdle);
    setTimeout(closeUnused, UNUSED_GRACE_MS).unref();
  };
  server.closeAllConnections = () => {
    for (const socket of connections) socket.destroy();
  };

  function closeUnused(): void {
    // With TLS the second have what is no request yet, the handshake.
    for (const sockets of [open, connections]) {
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }
  }

  function spare(response: ServerResponse | undefined): void {
    if (!response || spared.has(response)) return;
    spared.add(response);
    response.once('finish', closeSoon);
  }

  // Many answers may be taken in one turn.
  function closeSoon(): void {
    if (!isDue) setImmediate(() => server.closeIdleConnections());
    isDue = true;
  }
}

function keep(socket: Socket, among: Set<Socket>): void {
  among.add(socket);
  socket.once('close', () => among.delete(socket));
}

function isBusy(socket: Socket): boolean {
  return responseOf(socket) !== undefined || socket.writableEnded;
}
