import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { responseOf } from './pipelining.ts';

/**
 * Has a server that closes its idle connections spare those whose client has yet to take an answer, and close them once
 * it has. Node takes a connection for idle as soon as its answer is made, and would cut off what waits. And has one that
 * closes all connections close those, too, whose client asked for a tunnel: Node has let go of them.
 */
export function closeConnectionsInOrder(server: Server, connectionEvent: string): void {
  const open = new Set<Socket>();
  const spared = new WeakSet<ServerResponse>();
  const closeIdle = server.closeIdleConnections.bind(server);
  const closeAll = server.closeAllConnections.bind(server);
  let isDue = false;

  server.on(connectionEvent, (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.closeIdleConnections = () => {
    isDue = false;
    const untaken = [...open].map(responseOf).filter((response) => response !== undefined);
    for (const response of untaken) spare(response);
    asUnfinished(untaken, closeIdle);
  };
  server.closeAllConnections = () => {
    closeAll();
    for (const socket of open) socket.destroy();
  };

  function spare(response: ServerResponse): void {
    if (spared.has(response)) return;
    spared.add(response);
    response.once('finish', closeSoon);
  }

  // Many answers may be taken in one turn.
  function closeSoon(): void {
    if (!isDue) setImmediate(() => server.closeIdleConnections());
    isDue = true;
  }
}

/** By which Node tells: is the answer made? */
interface KeptFinish {
  finished: boolean;
}

function asUnfinished(responses: readonly KeptFinish[], action: () => void): void {
  const finished = responses.filter((response) => response.finished);
  for (const response of finished) response.finished = false;
  action();
  for (const response of finished) response.finished = true;
}
