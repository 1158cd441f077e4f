import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { isWriteLost } from '../../sockets/lost-writes.ts';
import { isBetweenRequests } from './current-response.ts';

export interface SilenceLimits {
  /** How long nothing may happen between an answer and the next request. */
  readonly idleMs: number;
  /** How long nothing may happen at any other time: how long a client may take no byte of an answer, say. */
  readonly stallMs: number;
}

/** Connections on which it is us who are silent, for however long. */
export const excused = new WeakSet<Socket>();

/** In how many parts the connections are looked at, so that many of them hold nobody up. */
const PARTS = 4;
const LOOK_MS_MIN = 40;
const LOOK_MS_MAX = 500;

/** After so long, what TLS has not passed on is lost. */
const LOST_MS = 1_000;

interface Watched {
  readonly socket: Socket;
  /** What had come and gone at the last look. */
  bytes: number;
  /** Since when there was no more of it, see performance.now. */
  since: number;
}

/**
 * Cuts off connections on which nothing happens for too long. Node would set a timer for each request and restart it
 * with each read and write, which takes 4 % of a GET. Here every connection is looked at a few times before its time
 * is over, so it may stay a second longer.
 */
export class SilentConnections {
  readonly #limits: SilenceLimits;
  readonly #lookMs: number;
  readonly #watched = new Set<Watched>();
  #round: Iterator<Watched> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(limits: SilenceLimits) {
    const { idleMs, stallMs } = limits;
    this.#limits = limits;
    this.#lookMs = Math.min(Math.max(Math.min(idleMs, stallMs) / 4, LOOK_MS_MIN), LOOK_MS_MAX);
  }

  watch(socket: Socket): void {
    const watched = { socket, bytes: -1, since: performance.now() };
    this.#watched.add(watched);
    socket.once('close', () => this.#forget(watched));
    this.#timer ??= setInterval(() => this.#lookAtSome(), this.#lookMs / PARTS).unref();
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookAtSome(): void {
    const now = performance.now();
    let left = Math.ceil(this.#watched.size / PARTS);
    this.#round ??= this.#watched.values();
    for (; left > 0; left--) {
      const { value, done } = this.#round.next();
      if (done) {
        this.#round = undefined;
        return;
      }
      this.#look(value, now);
    }
  }

  #look(watched: Watched, now: number): void {
    const { socket } = watched;
    const bytes = bytesOf(socket);
    if (bytes !== watched.bytes || excused.has(socket)) {
      watched.bytes = bytes;
      watched.since = now;
      return;
    }
    const { idleMs, stallMs } = this.#limits;
    const silentMs = now - watched.since;
    if (silentMs >= (isBetweenRequests(socket) ? idleMs : stallMs)) socket.destroy();
    else if (silentMs >= LOST_MS && isWriteLost(socket)) socket.destroy();
  }
}

/** What Node keeps of a connection: no part of its interface, so it is looked at with care. */
interface KeptHandle {
  readonly _handle?: { readonly writeQueueSize?: number } | null;
}

// It changes whenever anything comes or goes, also if only the system takes some of what waits below the stream.
function bytesOf(socket: Socket): number {
  const { _handle: handle } = socket as KeptHandle;
  return socket.bytesRead + socket.bytesWritten - (handle?.writeQueueSize ?? 0);
}
