/** How many clients are answered together at most, and how many requests of theirs. */
const TOGETHER_MAX = 16;
const REQUESTS_TOGETHER_MAX = 32;

/** Up to this length, what a client sends waits for what others send in the same turn. */
export const WAITING_BYTES_MAX = 256;

/** Answers a client; it must not throw. Takes and tells when it began and ended; see performance.now. */
type MakeAnswer = (startedAt: number) => number;

/**
 * Has the clients that ask in one turn of the event loop answered at its end, together: first all answers are
 * made, since memory takes as long to be asked for ten items as for one; then all are sent, since a write that
 * has to wake whoever reads costs several times one that finds it awake, and of many in a row only the first
 * has to.
 */
export class Turn {
  /** Where that waits which clients sent. */
  readonly bytes = Buffer.allocUnsafeSlow(TOGETHER_MAX * WAITING_BYTES_MAX);
  #bytesTaken = 0;
  #answers: MakeAnswer[] = [];
  /** How many requests they are for. */
  #requests = 0;
  #sends: (() => void)[] = [];
  #isDue = false;
  readonly #end = () => {
    this.#isDue = false;
    this.answerAll();
    this.#sendAll();
  };

  /** Copies the first bytes of a chunk to where they last until they are answered; tells where they begin. */
  keep(chunk: Buffer, length: number): number {
    if (this.#bytesTaken + length > this.bytes.length) this.answerAll();
    const { bytes } = this;
    const start = this.#bytesTaken;
    // For so few bytes a call into native code would cost more than this loop.
    for (let i = 0; i < length; i++) bytes[start + i] = chunk[i] as number;
    this.#bytesTaken = start + length;
    return start;
  }

  /** Has so many requests of a client answered before others have their turn. */
  answerSoon(answer: MakeAnswer, requests: number): void {
    this.#answers.push(answer);
    this.#requests += requests;
    const isFull = this.#answers.length >= TOGETHER_MAX || this.#requests >= REQUESTS_TOGETHER_MAX;
    if (isFull) this.answerAll();
    else this.#endSoon();
  }

  /** Has `send` called after them. It must not throw. */
  sendSoon(send: () => void): void {
    this.#sends.push(send);
    if (this.#sends.length >= TOGETHER_MAX) this.#sendAll();
    else this.#endSoon();
  }

  /** Makes all answers now. */
  answerAll(): void {
    const answers = this.#answers;
    if (answers.length > 0) {
      this.#answers = [];
      let startedAt = performance.now();
      for (let i = 0; i < answers.length; i++) startedAt = (answers[i] as MakeAnswer)(startedAt);
    }
    this.#bytesTaken = 0;
    this.#requests = 0;
  }

  #endSoon(): void {
    if (!this.#isDue) setImmediate(this.#end);
    this.#isDue = true;
  }

  #sendAll(): void {
    const sends = this.#sends;
    this.#sends = [];
    for (let i = 0; i < sends.length; i++) (sends[i] as () => void)();
  }
}
