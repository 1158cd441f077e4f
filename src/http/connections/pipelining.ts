import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { afterOthers, isTurnOver } from '../../event-loop/turn-time.ts';
import { hasLastAnswer, isLast, responseOf } from './current-response.ts';
import { sendingAhead } from './lingering-close.ts';
import { discardRest } from './node-parser.ts';

/**
 * Carries out a client's requests in the order they were sent. Node orders only the answers: of several requests that
 * arrive together, a GET would be done before the PUT in front of it has its body. Only requests that change nothing
 * may overtake each other (RFC 9112, 9.3.2). None is begun while `unansweredBytesMax` or more wait for the client, or
 * an answer is being made, which may be as large: one chunk can ask for gigabytes. And no more are read while many
 * wait: each takes kilobytes of memory. Where too many wait in all, a connection is cut. After a few milliseconds of
 * them, others have their turn.
 */
export function inOrder(
  listener: RequestListener,
  unansweredBytesMax: number,
  tell: Told = { cut: () => {}, abandoned: () => {} },
): RequestListener {
  const parts = {
    listener,
    unansweredBytesMax,
    tell,
    all: { waiting: 0, pipelines: new Set<Pipeline>() },
  };
  return (request, response) => {
    if (hasLastAnswer(request.socket)) {
      sendingAhead.add(request.socket);
      // Node keeps each until the connection is closed, and the last answer may be long.
      discardRest(request.socket);
      return;
    }
    // Nothing is in front of it. Usually that is always so, and nothing is kept for the connection.
    if (!isWaiting(response)) {
      listener(request, response);
      return;
    }
    let pipeline = pipelines.get(request.socket);
    if (!pipeline) {
      sendingAhead.add(request.socket);
      pipeline = new Pipeline(request.socket, parts);
      pipelines.set(request.socket, pipeline);
    }
    pipeline.take(request, response);
  };
}

const pipelines = new WeakMap<Socket, Pipeline>();

/** Has a change been begun behind an answer? Then that is not the last: its client would take the change for not made. */
export function isFollowed(response: ServerResponse): boolean {
  return pipelines.get(response.req.socket)?.isBeforeBarrier(response) === true;
}

// When so many requests of one connection wait, no more are read from it until there are so few. Those that came in
// the same chunk of 64 KB are read in any case.
const WAITING_MAX = 64;
const WAITING_FEW = 16;

// A chunk of 64 KB may hold two thousand, which take seven megabytes: where so many wait in all connections together,
// and another has more than those few, the one that has most is cut.
const WAITING_IN_ALL_MAX = 20_000;

/** Who is told of connections. */
interface Told {
  /** Cut, since too many requests wait in all. */
  readonly cut: (socket: Socket) => void;
  /** Closed while requests wait: Node holds them as long as anyone holds an answer of that connection. */
  readonly abandoned: (socket: Socket) => void;
}

interface PipelineParts {
  readonly listener: RequestListener;
  readonly unansweredBytesMax: number;
  readonly tell: Told;
  /** How many requests wait in all connections, and the pipelines of these that are not cut. */
  readonly all: { waiting: number; readonly pipelines: Set<Pipeline> };
}

type Held = [request: IncomingMessage, response: ServerResponse];

/** The requests of one connection that came before earlier ones were answered, and may have to wait for them. */
class Pipeline {
  readonly #socket: Socket;
  readonly #parts: PipelineParts;
  readonly #held: Held[] = [];
  /** The unfinished answer that all behind it wait for: to a request that changes something, one made later, or the last. */
  #barrier: ServerResponse | undefined;
  #unansweredBytes = 0;
  /** How many were begun and are not answered. */
  #begun = 0;
  #isFull = false;
  /** Does it go on in a later turn? */
  #isResting = false;
  #isGone = false;

  constructor(socket: Socket, parts: PipelineParts) {
    this.#socket = socket;
    this.#parts = parts;
    parts.all.pipelines.add(this);
    socket.once('close', () => this.#abandon());
    // Node goes on reading whenever the client has taken what waited for it. Behind the last answer all is read.
    socket.on('resume', () => {
      if (this.#isFull && socket.writable) socket.pause();
    });
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const { all } = this.#parts;
    all.waiting++;
    // Where some are held already, they wait for what is in front.
    if (this.#held.length === 0) this.#barrier ??= barrierInFront(request.socket);
    if (this.#held.length === 0 && !this.#isBlocked() && this.#hasTime()) this.#beginAhead(request, response);
    else this.#hold(request, response);
    if (all.waiting > WAITING_IN_ALL_MAX && this.waiting > WAITING_FEW) fullest(all.pipelines)?.cut();
    if (this.#isFull || this.waiting < WAITING_MAX) return;
    this.#isFull = true;
    this.#socket.pause();
  }

  /** Ends the connection. What waits in it counts until it is closed, which is in a later turn. */
  cut(): void {
    const { all, tell } = this.#parts;
    all.pipelines.delete(this);
    tell.cut(this.#socket);
    discardRest(this.#socket);
    this.#socket.destroy();
  }

  /** How many of its requests are not answered. */
  get waiting(): number {
    return this.#begun + this.#held.length;
  }

  /** Is an answer that was begun in front of the one that others wait for? */
  isBeforeBarrier(response: ServerResponse): boolean {
    return this.#barrier?.writableFinished === false && this.#barrier !== response;
  }

  #isBlocked(): boolean {
    const isFull = this.#unansweredBytes >= this.#parts.unansweredBytesMax;
    return isFull || this.#barrier?.writableFinished === false || hasLastAnswer(this.#socket);
  }

  #hasTime(): boolean {
    if (!this.#isResting && isTurnOver()) this.#rest();
    return !this.#isResting;
  }

  #rest(): void {
    this.#isResting = true;
    afterOthers(() => {
      this.#isResting = false;
      this.#goOn();
    });
  }

  // An answer that is made before the client has the earlier ones waits in memory.
  #beginAhead(request: IncomingMessage, response: ServerResponse): void {
    this.#begun++;
    this.#parts.listener(request, response);
    if (isBarrier(response)) this.#barrier = response;
    const bytes = isWaiting(response) ? response.writableLength : 0;
    this.#unansweredBytes += bytes;
    response.once('finish', () => {
      if (this.#isGone) return;
      this.#unansweredBytes -= bytes;
      this.#begun--;
      this.#parts.all.waiting--;
      this.#goOn();
      this.#readOn();
    });
  }

  #hold(request: IncomingMessage, response: ServerResponse): void {
    if (this.#held.length === 0) this.#barrier?.once('finish', () => this.#goOn());
    this.#held.push([request, response]);
  }

  // The client is gone.
  #abandon(): void {
    const { all, tell } = this.#parts;
    this.#isGone = true;
    all.pipelines.delete(this);
    all.waiting -= this.waiting;
    if (this.waiting > 0) tell.abandoned(this.#socket);
    this.#held.length = 0;
  }

  #readOn(): void {
    if (!this.#isFull || this.waiting > WAITING_FEW) return;
    this.#isFull = false;
    this.#socket.resume();
  }

  #goOn(): void {
    while (!this.#isBlocked()) {
      this.#barrier = undefined;
      const next = this.#held[0];
      if (!next || !this.#hasTime()) return;
      this.#held.shift();
      this.#beginAhead(...next);
    }
  }
}

function fullest(pipelines: Iterable<Pipeline>): Pipeline | undefined {
  let found: Pipeline | undefined;
  for (const pipeline of pipelines) if (pipeline.waiting > (found?.waiting ?? 0)) found = pipeline;
  return found;
}

// Node gives a response its socket when the answers before it are written.
function isWaiting(response: ServerResponse): boolean {
  return response.socket === null;
}

function barrierInFront(socket: Socket): ServerResponse | undefined {
  const response = responseOf(socket);
  return response && isBarrier(response) ? response : undefined;
}

// Those behind an answer that is still being made may change what it tells, and nobody knows how long it will be. Behind
// the last one, none is begun; to whoever asked whether to send a body it may turn out to be that once it is not held.
function isBarrier(response: ServerResponse): boolean {
  const { req, headersSent, chunkedEncoding } = response;
  const mayBeLast = isLast(response) || req.headers.expect !== undefined;
  return !isSafe(req) || !headersSent || chunkedEncoding || mayBeLast;
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}
