import type { Socket } from 'node:net';

/**
 * Lets a client go on sending for a while on a connection that is ended on our side: to close at once would reset it,
 * and may cost the client the answers that it has not read yet.
 */
export function linger(socket: Socket, ms: number): void {
  socket.resume();
  destroyAfter(socket, ms);
}

/** Destroys a socket after a time, unless it is closed before. */
export function destroyAfter(socket: Socket, ms: number): void {
  const timer = setTimeout(() => socket.destroy(), ms).unref();
  socket.once('close', () => clearTimeout(timer));
}
