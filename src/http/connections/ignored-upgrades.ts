import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BODY_CUT } from '../body.ts';
import { isMidRequest } from './node-parser.ts';

/**
 * Has the answer to a request that wishes for another protocol, which nobody speaks here, wait until its body has come.
 * Java's HTTP client wishes so for HTTP/2 each time. Node goes on with HTTP, yet throws away what comes in one chunk
 * with the end of such a request: behind an answer that is ahead of it that may be the next request, which then has no
 * answer ever.
 */
export function answerIgnoredUpgrades(listener: RequestListener): RequestListener {
  return (request, response) => {
    const { upgrade, expect } = request.headers;
    // Whoever asks whether to send a body waits for the answer itself.
    if (upgrade !== undefined && expect === undefined) endBehindBody(request, response);
    listener(request, response);
  };
}

function endBehindBody(request: IncomingMessage, response: ServerResponse): void {
  const { end } = response;
  response.end = (...args: unknown[]) => {
    response.end = end;
    const endNow = () => response.end(...(args as []));
    if (request.complete) return endNow();
    request.once('end', endNow);
    request.once(BODY_CUT, endNow);
    // Perhaps nobody reads it.
    request.resume();
    return response;
  };
}

/** Has a client told that ends its side within the body of such a request: to Node that is no mistake then. */
export function tellOfEarlyEnds(server: Server, connectionEvent: string): void {
  server.on(connectionEvent, (socket: Socket) => socket.on('end', onEnd));

  function onEnd(this: Socket): void {
    if (isMidRequest(this)) server.emit('clientError', new Error('the request is not whole'), this);
  }
}
