import { performance } from 'node:perf_hooks';
import { atTurnEnd } from '../event-loop/turn-end.ts';
import { isTurnOver } from '../event-loop/turn-time.ts';
import { Crowd } from '../sockets/crowd.ts';
import { type Leaver, LeavingTogether } from '../sockets/leaving-together.ts';

/** How many clients are answered together at most, and how many requests of theirs. */
const TOGETHER_MAX = 16;
const REQUESTS_TOGETHER_MAX = 32;

/** Up to this length, what a client sends waits for what others send in the same turn. */
export const WAITING_BYTES_MAX = 256;

/** A client whose requests wait. */
export interface Waiting extends Leaver {
  /** Answers them; it must not throw. Given when it begins, it tells when it ended; see performance.now. */
  answerWaiting(startedAt: number): number;
}

/**
 * Answers the clients that ask in one turn of the event loop together at its end, where they are a crowd: first all
 * answers are made, since memory takes no longer for ten items at once than for one; then all are sent.
 */
export class Batch {
  /** Is it worth waiting? */
  readonly crowd = new Crowd();
  /** Holds what waiting clients sent. */
  readonly bytes = Buffer.allocUnsafeSlow(TOGETHER_MAX * WAITING_BYTES_MAX);
  #bytesTaken = 0;
  /** Who waits for an answer: [#answered, #count). */
  readonly #waiting: (Waiting | undefined)[] = [];
  #count = 0;
  #answered = 0;
  /** How many requests they sent. */
  #requests = 0;
  readonly #leaving = new LeavingTogether();
  #isDue = false;
  readonly #end = () => {
    this.#isDue = false;
    this.answerAll();
    this.#leaving.leaveNow();
  };

  /** Is the turn's time over for what clients of both doors sent ahead? */
  get isTurnOver(): boolean {
    return isTurnOver();
  }

  /** Copies the first bytes of a chunk into `bytes`, to last until they are answered. Answers where they begin. */
  keep(chunk: Buffer, length: number): number {
    if (this.#bytesTaken + length > this.bytes.length) this.answerAll();
    const { bytes } = this;
    const start = this.#bytesTaken;
    // For so few bytes a call into native code would cost more than this loop.
    for (let i = 0; i < length; i++) bytes[start + i] = chunk[i] as number;
    this.#bytesTaken = start + length;
    return start;
  }

  /** Answers so many requests of a client by the end of the turn. */
  answerSoon(client: Waiting, requests: number): void {
    this.#waiting[this.#count++] = client;
    this.#requests += requests;
    if (this.#count >= TOGETHER_MAX || this.#requests >= REQUESTS_TOGETHER_MAX) this.answerAll();
    else this.#endSoon();
  }

  /** Has a client send its answers after all are made. */
  sendSoon(client: Leaver): void {
    this.#leaving.add(client);
    if (!this.#leaving.isEmpty) this.#endSoon();
  }

  /** Makes all answers now. */
  answerAll(): void {
    let startedAt = this.#count > 0 ? performance.now() : 0;
    while (this.#answered < this.#count) {
      const client = this.#waiting[this.#answered] as Waiting;
      this.#waiting[this.#answered++] = undefined;
      startedAt = client.answerWaiting(startedAt);
    }
    this.#answered = 0;
    this.#count = 0;
    this.#bytesTaken = 0;
    this.#requests = 0;
  }

  #endSoon(): void {
    if (!this.#isDue) atTurnEnd(this.#end);
    this.#isDue = true;
  }
}
