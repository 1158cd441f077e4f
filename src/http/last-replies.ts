import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import { LastOfKind } from '../last-of-kind.ts';

/** The last reply of each operation: the parts of an app have classes of their own for replies, so each is a kind. */
export class LastReplies {
  readonly #all: LastOfKind<FastifyReply>[] = [];

  /** Where the replies of one more operation are kept. */
  ofOperation(): LastOfKind<FastifyReply> {
    const last = new LastOfKind<FastifyReply>();
    this.#all.push(last);
    return last;
  }

  /** Of a closed connection: with one reply, Node keeps all that wait behind it. */
  forget(socket: Socket): void {
    for (const last of this.#all) if (last.object?.request.socket === socket) last.object = undefined;
  }
}
