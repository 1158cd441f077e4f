import type { KeyBytes } from '../engine/key.ts';
import type { Parser, Place } from './parser.ts';
import type { Request } from './request.ts';

// Enough to hide what memory takes to answer; more would only be kept longer.
const AHEAD_MAX = 32;

/**
 * Reads the requests of a chunk before it is their turn, so that a backend may fetch together what they are
 * about: memory takes as long to answer one question as ten.
 */
export class ReadAhead {
  readonly #parser: Parser;
  /** What was read, and where in the chunk each ended. */
  readonly #requests: Request[] = [];
  readonly #ends: Place[] = [];
  #taken = 0;

  constructor(parser: Parser) {
    this.#parser = parser;
  }

  /** The next request, or undefined until more bytes come. Tells of the keys of those that it reads ahead. */
  next(expect: (keys: readonly KeyBytes[]) => void): Request | undefined {
    if (this.#taken === this.#requests.length) this.#read(expect);
    const request = this.#requests[this.#taken];
    if (request && ++this.#taken === this.#requests.length) this.#forget();
    return request;
  }

  /** Gives back what is not taken, so that all that is to be answered later is still to be parsed. */
  giveBack(): void {
    if (this.#taken > 0 && this.#taken < this.#requests.length) {
      this.#parser.rewind(this.#ends[this.#taken - 1] as Place);
    }
    this.#forget();
  }

  // A silent client holds no value that it once sent.
  #forget(): void {
    this.#requests.length = 0;
    this.#ends.length = 0;
    this.#parser.keys.length = 0;
    this.#taken = 0;
  }

  #read(expect: (keys: readonly KeyBytes[]) => void): void {
    const requests = this.#requests;
    const { keys } = this.#parser;
    while (requests.length < AHEAD_MAX && keys.length < AHEAD_MAX) {
      const request = this.#parser.next();
      if (!request) break;
      this.#ends[requests.push(request) - 1] = this.#parser.place;
    }
    if (keys.length > 1) expect(keys);
  }
}
