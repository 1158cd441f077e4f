import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** What Node keeps of a connection: the response that is written to it. No part of its interface. */
interface KeptResponse {
  /** Null: one was written, and no further request has come. */
  _httpMessage?: MaybeLast | null;
}

/** `_last`: it tells its client that the connection ends with it. */
type MaybeLast = ServerResponse & { _last?: boolean };

/** The answer that has the socket: the first that is not whole. */
export function responseOf(socket: Socket): ServerResponse | undefined {
  return (socket as KeptResponse)._httpMessage ?? undefined;
}

export function isBetweenRequests(socket: Socket): boolean {
  return (socket as KeptResponse)._httpMessage === null;
}

/**
 * Has an answer been begun that ends the connection? Its client may send again, by another connection, what it sent
 * behind one that told it to close this one: it is not carried out (RFC 9112, 9.6).
 */
export function hasLastAnswer(socket: Socket): boolean {
  const response = responseOf(socket);
  return !socket.writable || (response?.headersSent === true && isLast(response));
}

export function isLast(response: MaybeLast): boolean {
  return response._last === true;
}

/** Has a response be one that ends its connection, before Node notes it with the head. */
export function makeLast(response: MaybeLast): void {
  response._last = true;
}

type Busy = Socket & { _httpMessage?: object | null | undefined };

/** Does something while Node takes these connections for busy: each has an answer that is yet to be made. */
export function asBusy(sockets: readonly Busy[], action: () => void): void {
  const responses = sockets.map(({ _httpMessage }) => _httpMessage);
  for (const socket of sockets) socket._httpMessage = YET_TO_BE_MADE;
  action();
  for (const [i, socket] of sockets.entries()) socket._httpMessage = responses[i];
}

const YET_TO_BE_MADE = { finished: false };
