import { performance } from 'node:perf_hooks';
import type { Answer } from '../engine/answer.ts';
import type { Cache } from '../engine/cache.ts';
import type { Moment } from '../engine/clock.ts';
import { isServersFault } from '../engine/errors.ts';
import { afterOthers, othersFirst } from '../event-loop/turn-time.ts';
import { type Batch, WAITING_BYTES_MAX, type Waiting } from './batch.ts';
import { Client, type ClientParts } from './client.ts';
import type { CommandMeter, Operation, SlowCommands } from './command-meter.ts';
import { reply } from './commands/context.ts';
import type { BufferPool } from './connections/buffer-pool.ts';
import type { Connection } from './connections/connection.ts';
import { Patience, type PatienceLimits } from './connections/patience.ts';
import { ReplyBuffer } from './connections/reply-buffer.ts';
import { answerFailure } from './refusals.ts';
import { Parser } from './requests/parser.ts';
import { ReadAhead } from './requests/read-ahead.ts';
import { keepRequest, type Request } from './requests/request.ts';

interface SessionParts extends ClientParts {
  readonly connection: Connection;
  readonly buffers: BufferPool;
  readonly batch: Batch;
  /** Has the engine's clock stand still while a chunk is answered. */
  readonly moment: Moment;
  /** Reply bytes that may wait for the client before its further commands wait, too. */
  readonly unansweredBytesMax: number;
  readonly patience: PatienceLimits;
  readonly meter: CommandMeter;
  readonly onBug: (error: unknown) => void;
  /** Is told when a client is closed because its line was too long. */
  readonly onLongLine: () => void;
  /** Is told of commands that took long, and of their cache. */
  readonly onSlow: (slow: SlowCommands, cache: Cache | undefined) => void;
}

/**
 * One client's connection: bytes in, replies out, in order. While an answer is awaited, or the client does not take
 * what it was sent, it reads no further; what is left of a chunk is kept until then.
 */
export class Session implements Waiting {
  readonly #parts: SessionParts;
  readonly #parser: Parser;
  readonly #ahead: ReadAhead;
  readonly #write = (bytes: Buffer, taken: () => void) => this.#parts.connection.write(bytes, taken);
  readonly #output: ReplyBuffer;
  readonly #client: Client;
  #patience: Patience;
  /** How many requests have come. */
  #requests = 0;
  /** Chunks that came while reading was paused. */
  readonly #later: Buffer[] = [];
  /** How many bytes of replies may gather now. */
  #outputBytesMax = 0;
  /** When what is being answered had arrived; see performance.now. */
  #since = 0;
  /** Does what the client sent wait for others in this turn? */
  #isWaiting = false;
  /** Is it to send what there is at the end of the turn? */
  #isLeaving = false;
  #awaiting = false;
  #paused = false;
  #stopping = false;
  #ended = false;
  #onDrain: (() => void) | undefined;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#output = new ReplyBuffer(parts.buffers);
    this.#client = new Client(parts, {
      output: this.#output,
      isFull: () => this.#isFull(),
      drained: () => this.#drain(),
    });
    this.#patience = new Patience(parts.patience, parts.engine.clock.now());
    this.#parser = new Parser(this.#client.limits, parts.buffers);
    this.#ahead = new ReadAhead(this.#parser, this.#client.expect);
  }

  /** Does it want more of what the client sends? */
  get isReading(): boolean {
    return !this.#awaiting && !this.#paused && !this.#ended;
  }

  /** Is an answer still being made, and has the client read all that there is of it? */
  get isAnswering(): boolean {
    return this.#awaiting && !this.#parts.connection.needsDrain();
  }

  /** Has a client that signed in had all its answers, so that nothing it sent is kept? */
  get hasServed(): boolean {
    const isStopped = this.#awaiting || this.#paused;
    const isWhole = this.#later.length === 0 && !this.#parser.isInside;
    return this.#client.hasSignedIn && !isStopped && isWhole;
  }

  /** Takes what the client sent: the first bytes of a buffer, which may be used for something else afterwards. */
  receive(buffer: Buffer, length = buffer.length): void {
    this.#answerNow();
    if (this.#ended) return;
    if (this.#awaiting || this.#paused) {
      this.#later.push(Buffer.from(buffer.subarray(0, length)));
      return;
    }
    const { crowd } = this.#parts.batch;
    crowd.grow();
    const mayWait = this.#client.hasSignedIn && length <= WAITING_BYTES_MAX;
    if (mayWait && crowd.isThere) {
      this.#waitForOthers(buffer, length);
      return;
    }
    this.#since = performance.now();
    this.#parser.push(buffer, 0, length);
    this.#run(this.#since);
  }

  /** The client has taken everything that was waiting for it. */
  drained(): void {
    this.#onDrain?.();
    if (!this.#paused) return;
    this.#paused = false;
    // The time that the client took to read is not one that it waited.
    this.#since = performance.now();
    this.#proceed();
  }

  /** Answers what is being answered, then closes. */
  stop(): void {
    this.#answerNow();
    this.#stopping = true;
    if (!this.#awaiting && !this.#paused) this.#end();
  }

  /** Ends a client that has kept us waiting for too long. To be called now and then. */
  losePatience(): void {
    const now = this.#parts.engine.clock.now();
    if (!this.isReading) {
      this.#patience.restart(this.#requests, now);
      return;
    }
    const progress = {
      isSignedIn: this.#client.hasSignedIn,
      requests: this.#requests,
      isInside: this.#parser.isInside,
    };
    const end = this.#patience.end(progress, now);
    if (end === undefined) return;
    reply({ output: this.#output }, end);
    this.#end();
  }

  /** The client is gone. */
  abandon(): void {
    this.#answerNow();
    this.#ended = true;
    this.#output.discard();
    this.#parser.abandon();
    this.#client.release();
    this.#onDrain?.();
  }

  /** Answers what waits in the batch. */
  answerWaiting(startedAt: number): number {
    this.#isWaiting = false;
    this.#since = startedAt;
    try {
      if (!this.#ended) this.#run(startedAt);
    } catch (error) {
      this.#parts.connection.abort(error);
    }
    return Math.max(startedAt, this.#parts.meter.settledAt);
  }

  /** Sends what is there, whenever that is. */
  leave(): void {
    this.#isLeaving = false;
    try {
      this.#flush();
      // What came since is answered by the end of the turn, and only then: not also when the client has read.
      const mayPause = this.isReading && !this.#isWaiting;
      if (mayPause && this.#parts.connection.needsDrain()) this.#pause();
    } catch (error) {
      this.#parts.connection.abort(error);
    }
  }

  // Reads what came, so that what it is about can be fetched together with what others ask for.
  #waitForOthers(buffer: Buffer, length: number): void {
    const { batch } = this.#parts;
    const start = batch.keep(buffer, length);
    this.#parser.push(batch.bytes, start, start + length);
    const requests = this.#ahead.read();
    this.#isWaiting = true;
    batch.answerSoon(this, requests);
  }

  // What waits comes before whatever happens now.
  #answerNow(): void {
    if (this.#isWaiting) this.#parts.batch.answerAll();
  }

  #run(now: number): void {
    const { moment } = this.#parts;
    moment.hold(now);
    try {
      this.#answerChunk(now);
    } finally {
      moment.release();
    }
  }

  #answerChunk(startedAt: number): void {
    this.#limitOutput();
    if (!this.#client.renew()) this.#beginAnew();
    if (!this.#answerRequests(startedAt)) return;
    this.#parser.letGo();
    this.#settle();
    if (this.#ended) return;
    if (this.#stopping) this.#end();
    else this.#sendSoon();
  }

  // False: those that are left have to wait.
  #answerRequests(startedAt: number): boolean {
    const enough = this.#requests + REQUESTS_PER_TURN_MAX;
    let look = this.#requests + REQUESTS_BETWEEN_LOOKS;
    while (!this.#ended) {
      if (this.#requests >= look) {
        if (
          this.#requests >= enough ||
          (performance.now() - startedAt > FREE_MS && this.#parts.batch.isTurnOver)
        ) {
          this.#awaitNextTurn();
          return false;
        }
        look += REQUESTS_BETWEEN_LOOKS;
      }
      if (this.#isFull()) {
        this.#flush();
        if (this.#isFull()) {
          this.#pause();
          return false;
        }
      }
      if (this.#output.length >= CACHED_BYTES_MAX) this.#flush();
      const request = this.#client.unfinished ?? this.#nextRequest();
      if (!request) return true;
      const operation = this.#client.operationOf(request);
      const answer = this.#answer(request);
      if (answer instanceof Promise) {
        this.#await(request, answer, operation);
        return false;
      }
      if (this.#client.unfinished) {
        this.#awaitNextTurn();
        return false;
      }
      this.#parts.meter.count(operation);
    }
    return true;
  }

  // In a crowd, small replies leave together with those to others, which must not wait for large ones. Where no reply
  // is left, what was sent before may still be too much for the client.
  #sendSoon(): void {
    const { length } = this.#output;
    const mayWait = length > 0 && length <= SENT_TOGETHER_BYTES_MAX;
    if (!mayWait || !this.#parts.batch.crowd.isThere) {
      this.leave();
    } else if (!this.#isLeaving) {
      this.#isLeaving = true;
      this.#parts.batch.sendSoon(this);
    }
  }

  #nextRequest(): Request | undefined {
    for (;;) {
      // Sign-in changes what may follow.
      const request = this.#client.hasSignedIn ? this.#ahead.next() : this.#ahead.nextAlone();
      if (request) {
        this.#requests++;
        return request;
      }
      const chunk = this.#later.shift();
      if (!chunk) return undefined;
      this.#parser.push(chunk);
    }
  }

  #answer(request: Request): Answer<void> {
    try {
      const answer = this.#client.hasSignedIn ? this.#client.answer(request) : this.#greet(request);
      if (answer instanceof Promise) return answer.catch((error) => this.#refuse(request, error));
    } catch (error) {
      return this.#refuse(request, error);
    }
    if (request.command === 'quit') this.#end();
    else if (request.command === 'refused' && request.close) {
      if (request.reply !== '') this.#parts.onLongLine();
      this.#end();
    }
  }

  #greet(request: Request): Answer<void> {
    const answer = this.#client.answer(request);
    if (answer instanceof Promise) return answer.then(() => this.#greeted());
    this.#greeted();
  }

  #greeted(): void {
    this.#parser.limits = this.#client.limits;
    if (this.#client.isRejected) this.#end();
  }

  // The client has lost its rights: it is as if it had never signed in.
  #beginAnew(): void {
    this.#parser.limits = this.#client.limits;
    this.#patience = new Patience(this.#parts.patience, this.#parts.engine.clock.now());
  }

  #refuse(request: Request, error: unknown): Answer<void> {
    const { meter, onBug } = this.#parts;
    const operation = this.#client.operationOf(request);
    if (isServersFault(error)) meter.fail(operation);
    else meter.refuse(operation);
    return answerFailure(request, error, { output: this.#output, cache: this.#client.cache, onBug });
  }

  #await(request: Request, answer: Promise<void>, operation: Operation): void {
    this.#standBy(request);
    // Listings are made in no time, one after the other: 2,500 fit a chunk.
    answer
      .then(() => afterOthers(() => this.#goOn(operation)))
      .catch((error) => this.#parts.connection.abort(error));
  }

  // One chunk may hold ten thousand requests, and a line hundreds of thousands of keys.
  #awaitNextTurn(): void {
    this.#standBy(this.#client.unfinished);
    afterOthers(() => this.#goOn());
  }

  #standBy(request: Request | undefined): void {
    this.#awaiting = true;
    this.#detach(request);
    this.#parts.connection.pause();
    this.#flush();
  }

  #goOn(answered?: Operation): void {
    this.#awaiting = false;
    try {
      // A long get is answered in parts.
      if (answered && !this.#client.unfinished) this.#parts.meter.count(answered);
      this.#proceed();
    } catch (error) {
      this.#parts.connection.abort(error);
    }
  }

  #pause(): void {
    this.#paused = true;
    this.#detach(this.#client.unfinished);
    this.#parts.connection.pause();
    this.#parts.connection.expectDrain();
  }

  // From here on the chunk may be reused before this request is answered.
  #detach(request: Request | undefined): void {
    if (this.#parser.isDetached) return;
    if (request) keepRequest(request);
    this.#ahead.keep();
    this.#parser.detach();
  }

  #proceed(): void {
    this.#run(performance.now());
    if (this.isReading) this.#parts.connection.resume();
  }

  #isFull(): boolean {
    return this.#output.length >= this.#outputBytesMax;
  }

  // What waits for the client changes when it is written to, and between turns.
  #limitOutput(): void {
    this.#outputBytesMax = this.#parts.unansweredBytesMax - this.#parts.connection.waiting();
  }

  #flush(): void {
    this.#output.flush(this.#write);
    this.#limitOutput();
    this.#settle();
  }

  // The meter serves all sessions: what this one counted is settled before another has its turn.
  #settle(): void {
    const slow = this.#parts.meter.settle(this.#since);
    if (slow) this.#parts.onSlow(slow, this.#client.cache);
  }

  // For answers that are made piece by piece. False: the client is gone, or may have no more of it.
  async #drain(): Promise<boolean> {
    this.#flush();
    // Replies may also wait until what they tell is kept.
    if (this.#isFull() || this.#parts.connection.needsDrain()) await this.#nextDrain();
    else await othersFirst();
    this.#limitOutput();
    return this.#client.mayReadOn() && !this.#ended;
  }

  #nextDrain(): Promise<void> {
    this.#parts.connection.expectDrain();
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  #end(): void {
    this.#flush();
    this.#ended = true;
    this.#parts.connection.end();
  }
}

// Replies leave while the processor's cache still has their beginning, but in few writes, since each wakes the client:
// 16 values of 10 KB leave in one.
const CACHED_BYTES_MAX = 192 * 1024;
// After so many requests, or when the time of the turn is over, others have their turn: each of 2,300 appends that fit a
// chunk may copy a megabyte. The clock is looked at now and then, and who takes less than a part of a turn may have it.
const REQUESTS_PER_TURN_MAX = 4096;
const REQUESTS_BETWEEN_LOOKS = 8;
const FREE_MS = 0.25;
// Up to so many bytes of replies wait for those to other clients.
const SENT_TOGETHER_BYTES_MAX = 16 * 1024;
