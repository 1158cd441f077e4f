import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Has a client's requests done in the order they were sent. Node orders the answers only: of several
 * requests that arrive together, a GET would be done before the PUT in front of it has its body. Only
 * requests that change nothing may overtake each other (RFC 9112, 9.3.2).
 */
export function inOrder(listener: RequestListener): RequestListener {
  const lastChanges = new WeakMap<Socket, ServerResponse>();
  return (request, response) => {
    const earlier = isWaiting(response) ? lastChanges.get(request.socket) : undefined;
    if (!isSafe(request)) lastChanges.set(request.socket, response);
    if (earlier && !earlier.writableFinished) earlier.once('finish', () => listener(request, response));
    else listener(request, response);
  };
}

// Node gives a response its socket when the answers before it are written.
function isWaiting(response: ServerResponse): boolean {
  return response.socket === null;
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}
