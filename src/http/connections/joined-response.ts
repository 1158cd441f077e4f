import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { atTurnEnd } from '../../event-loop/turn-end.ts';
import { Crowd } from '../../sockets/crowd.ts';
import { type DirectSocket, DirectWrites, type Written } from '../../sockets/direct-writes.ts';
import { LeavingTogether } from '../../sockets/leaving-together.ts';

/**
 * Responses whose body, given whole as bytes or as a text of one character each, leaves in one piece with its head;
 * and, where there are many at a time, together with others that were made in the same turn of the event loop.
 */
export class JoinedResponse<
  Request extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Request> {
  #body: string | Buffer = '';
  /** Node adds it only to those whose head it writes; from the start, it gives all one shape: see LastOfKind. */
  override statusMessage = '';

  override end(...args: unknown[]): this {
    const [body, encoding] = args;
    const { _header: head, _headerSent: isSent } = this as KeptHead;
    const isWhole = encoding === 'latin1' && typeof head === 'string' && isSent === false;
    if (!isWhole || !(typeof body === 'string' || body instanceof Buffer)) return super.end(...(args as []));
    this.#body = body;
    crowd.grow();
    // Without a socket it waits for the answers before it; after an error the connection may be cut at once.
    const mayWait = this.socket !== null && WAITING_STATUSES.has(this.statusCode);
    if (mayWait && crowd.isThere && body.length <= WAITING_BYTES_MAX) leaveSoon(this);
    else this.leave();
    return this;
  }

  /** Sends it. */
  leave(): void {
    const kept = this as KeptHead;
    const head = kept._header as string;
    const body = this.#body;
    this.#body = '';
    const whole: Written = typeof body === 'string' ? head + body : [head, body];
    const written = writeDirectly(this.socket, whole, () => super.end());
    if (written === 'not_written') {
      if (typeof whole === 'string') kept._header = whole;
      super.end(body instanceof Buffer ? body : undefined);
      return;
    }
    // There is nothing left to send, and it only ends.
    kept._headerSent = true;
    if (written === 'taken') super.end();
  }
}

const WAITING_STATUSES = new Set([200, 404]);
/** What waits is kept in memory. */
const WAITING_BYTES_MAX = 32 * 1024;

/** What Node keeps of a head until it is written: not part of its interface, so checked before use. */
export interface KeptHead {
  _header?: unknown;
  _headerSent?: unknown;
}

const writes = new DirectWrites();
const directSockets = new WeakMap<Socket, DirectSocket | Unusual>();
/** Has to be written to in the usual way. */
type Unusual = 'unusual';

function writeDirectly(
  socket: Socket | null,
  whole: Written,
  sent: () => void,
): 'taken' | 'queued' | 'not_written' {
  if (!socket?.writable || socket.writableLength > 0) return 'not_written';
  let direct = directSockets.get(socket);
  if (!direct) {
    direct = writes.open(socket) ?? 'unusual';
    directSockets.set(socket, direct);
  }
  return direct === 'unusual' ? 'not_written' : writes.write(direct, whole, sent);
}

const crowd = new Crowd();
const leaving = new LeavingTogether();

function leaveSoon(response: JoinedResponse): void {
  if (leaving.isEmpty) atTurnEnd(leaveNow);
  leaving.add(response);
}

/** Sends what waits for the end of the turn: call it before a socket is written to without a response. */
export function leaveNow(): void {
  leaving.leaveNow();
}
