import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { BytePieces } from '../byte-pieces.ts';
import { overdue } from './connections/broken-requests.ts';
import { type BodyTaker, ReceivedRequest } from './connections/received-request.ts';
import { HttpRefusal } from './http-refusal.ts';

/** How much of a body that is too large is read and thrown away, in multiples of the limit. */
export const DRAIN_FACTOR = 64;

/** How long to wait for more of such a body. Some clients stop sending when they have the answer. */
const DRAIN_IDLE_MS = 2_000;

/** Emitted by a request of whose body no more is read, though there is more. */
export const BODY_CUT = 'body cut';

/**
 * A route's hook that reads the whole body into `request.body` before the handler is called. `tooLarge` is called
 * where one is refused for its size.
 */
export function wholeBody(bytesMax: number, tooLarge: (request: FastifyRequest) => void) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    takeBody(request.raw, bytesMax, (error, body) => {
      if (error?.status === 413) tooLarge(request);
      request.body = body;
      done(error);
    });
  };
}

/** Reads a whole body of at most `bytesMax`. Throws HttpRefusal 413 and 400; see takeBody. */
export function readBody(message: IncomingMessage, bytesMax: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    takeBody(message, bytesMax, (error, body) => (error ? reject(error) : resolve(body)));
  });
}

const NO_BODY = Buffer.alloc(0);

type BodyDone = (error: HttpRefusal | undefined, body: Buffer) => void;

/**
 * Reads a whole body of at most `bytesMax`. Refuses with 413 as soon as it is known to be larger, and throws the rest
 * away as it comes, so that the connection stays usable. A client that stops sending, or sends more than DRAIN_FACTOR
 * times the limit, has its connection cut.
 */
function takeBody(message: IncomingMessage, bytesMax: number, done: BodyDone): void {
  const { 'content-length': length } = message.headers;
  const isGiven =
    message instanceof ReceivedRequest &&
    Number(length) <= bytesMax &&
    message.giveBodyTo(new BodyOfKnownLength(done));
  if (!isGiven) takeStreamedBody(message, bytesMax, done);
}

/** A body that can be no longer than was said, since Node's parser reads no further. */
class BodyOfKnownLength implements BodyTaker {
  readonly #done: BodyDone;
  // What keeps a value copies it, so that the usual single chunk need not be copied here.
  readonly #pieces = new BytePieces();

  constructor(done: BodyDone) {
    this.#done = done;
  }

  take(chunk: Buffer): void {
    this.#pieces.add(chunk);
  }

  end(): void {
    this.#done(undefined, this.#pieces.take());
  }

  fail(message: IncomingMessage): void {
    this.#done(endedEarly(message), NO_BODY);
  }
}

function takeStreamedBody(message: IncomingMessage, bytesMax: number, done: BodyDone): void {
  let pieces = new BytePieces();
  let length = 0;
  let isDone = false;
  let drainTimer: NodeJS.Timeout | undefined;

  message.on('data', (chunk: Buffer) => {
    length += chunk.length;
    drainTimer?.refresh();
    if (!isDone && length > bytesMax) refuse();
    if (!isDone) pieces.add(chunk);
    if (length > bytesMax * DRAIN_FACTOR) cut(message);
  });
  message.on('end', () => {
    clearTimeout(drainTimer);
    finish(undefined, pieces.take());
  });
  message.on('error', () => finish(endedEarly(message)));
  if (Number(message.headers['content-length']) > bytesMax) refuse();

  function refuse(): void {
    pieces = new BytePieces();
    drainTimer = setTimeout(() => cut(message), DRAIN_IDLE_MS).unref();
    message.once('close', () => clearTimeout(drainTimer));
    finish(new HttpRefusal(413, `The body may have at most ${bytesMax} bytes. Send a smaller one.`));
  }

  function finish(error: HttpRefusal | undefined, body: Buffer = NO_BODY): void {
    if (isDone) return;
    isDone = true;
    done(error, body);
  }
}

/** The refusal of a body that did not come to its end, for the log and the metrics: its client is gone, or was told. */
export function endedEarly({ socket }: IncomingMessage): HttpRefusal {
  return new HttpRefusal(overdue.has(socket) ? 408 : 400, 'The connection ended before the body did.');
}

/** Throws away what is left of a body after its answer, within the bounds of readBody. */
export function discardBody(message: IncomingMessage, bytesMax: number): void {
  let length = 0;
  const timer = setTimeout(() => cut(message), DRAIN_IDLE_MS).unref();
  for (const event of ['end', 'error', 'close']) message.once(event, () => clearTimeout(timer));
  message.on('data', (chunk: Buffer) => {
    timer.refresh();
    length += chunk.length;
    if (length > bytesMax * DRAIN_FACTOR) cut(message);
  });
}

function cut(message: IncomingMessage): void {
  // An answer may wait for the end of the body: it is sent before.
  if (message.emit(BODY_CUT)) message.socket.destroySoon();
  else message.socket.destroy();
}
