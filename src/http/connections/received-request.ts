import { IncomingMessage } from 'node:http';

/** Who takes a body as it comes. */
export interface BodyTaker {
  take(chunk: Buffer): void;
  /** There is no more of it. */
  end(): void;
  /** The connection ended before the body did. */
  fail(message: IncomingMessage): void;
}

declare module 'http' {
  interface IncomingMessage {
    /** How Node reads what nobody read of a request that is answered. No part of its interface. */
    _dump(): void;
  }
}

/**
 * Requests that need not be read as streams: a body is given to its taker as soon as it is parsed, and where there is
 * none, or nobody wants it, its end is no event. A stream would need three turns of the microtask queue for each
 * request, a tenth of what a small one costs. It is still there for whoever reads it.
 */
export class ReceivedRequest extends IncomingMessage {
  #taker: BodyTaker | undefined;
  #isRead = false;
  /** The end has come, of which the stream knows nothing yet. */
  #endIsDue = false;
  #isOver = false;

  /** Has the body go to `taker`. False: some of it has come already, while the request had to wait. */
  giveBodyTo(taker: BodyTaker): boolean {
    if (this.#isRead || this.#endIsDue) return false;
    this.#taker = taker;
    return true;
  }

  /** Has it ended, by the stream or because nobody needs the stream? */
  get isOver(): boolean {
    return this.#isOver;
  }

  override push(chunk: Buffer | null, encoding?: BufferEncoding): boolean {
    const taker = this.#taker;
    if (chunk !== null) {
      if (!taker) {
        this.#isRead = true;
        return super.push(chunk, encoding);
      }
      taker.take(chunk);
      return true;
    }
    if (this.#isRead) return super.push(null);
    this.#endIsDue = true;
    if (taker) {
      this.#taker = undefined;
      this.#isOver = true;
      taker.end();
    }
    return false;
  }

  override _read(size: number): void {
    super._read(size);
    this.#isRead = true;
    if (!this.#endIsDue) return;
    this.#endIsDue = false;
    super.push(null);
  }

  override _dump(): void {
    this.#taker = undefined;
    if (this.#endIsDue) this.#isOver = true;
    else super._dump();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const taker = this.#taker;
    this.#taker = undefined;
    super._destroy(error, done);
    taker?.fail(this);
  }
}

// Node forgets a request when it is answered and has ended.
Object.defineProperty(ReceivedRequest.prototype, 'readableEnded', {
  get(this: ReceivedRequest) {
    return this.isOver || Reflect.get(IncomingMessage.prototype, 'readableEnded', this);
  },
});
