import type { KeyBytes } from '../../engine/key.ts';
import type { Parser } from './parser.ts';
import { keepRequest, type Request } from './request.ts';

// Enough to hide the latency of memory; more would only be kept longer.
const AHEAD_MAX = 32;

/**
 * Reads the requests of a chunk before it is their turn, so that a backend may fetch together what they are about:
 * memory takes no longer to answer ten reads at once than one.
 */
export class ReadAhead {
  readonly #parser: Parser;
  readonly #expect: (keys: readonly KeyBytes[], count: number) => void;
  /** What was read. A taken request leaves at once, so that nothing keeps what a client once sent. */
  readonly #requests: (Request | undefined)[] = [];
  #read = 0;
  #taken = 0;

  /** `expect` is told that the first `count` of some keys will be asked for. */
  constructor(parser: Parser, expect: (keys: readonly KeyBytes[], count: number) => void) {
    this.#parser = parser;
    this.#expect = expect;
  }

  /** The next request, or undefined until more bytes come. */
  next(): Request | undefined {
    return this.#take() ?? (this.read() > 0 ? this.#take() : undefined);
  }

  /** The same, but reads nothing ahead: the request may change how the next one is to be read. */
  nextAlone(): Request | undefined {
    return this.#take() ?? this.#parser.next();
  }

  /** Copies what is not taken yet, so that the parser's chunk may be used for something else. */
  keep(): void {
    for (let i = this.#taken; i < this.#read; i++) keepRequest(this.#requests[i] as Request);
  }

  /** Reads requests, when all that were read before are taken. Answers how many. */
  read(): number {
    const parser = this.#parser;
    parser.forgetKeys();
    this.#taken = 0;
    this.#read = 0;
    while (this.#read < AHEAD_MAX && parser.keyCount < AHEAD_MAX) {
      const request = parser.next();
      if (!request) break;
      this.#requests[this.#read++] = request;
    }
    if (parser.keyCount > 0) this.#expect(parser.keys, parser.keyCount);
    parser.forgetKeys();
    return this.#read;
  }

  #take(): Request | undefined {
    if (this.#taken === this.#read) return undefined;
    const request = this.#requests[this.#taken];
    this.#requests[this.#taken++] = undefined;
    return request;
  }
}
