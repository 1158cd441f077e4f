import { KeyBytes } from '../../engine/key.ts';

const SPACE = 0x20;

/** How many keys of a get are looked for in one turn: a few milliseconds of work. */
export const KEYS_PER_TURN_MAX = 4096;

/**
 * The keys of a long get that are not looked for yet, as bytes: an object for each would take a hundred times the line,
 * and a client need not read what it asks for.
 */
export class LaterKeys {
  /** How many they were at first. */
  readonly count: number;
  readonly #bytes: Buffer;
  #position = 0;

  /** Takes the words, with spaces between them, in a buffer that nobody else uses. */
  constructor(bytes: Buffer, count: number) {
    this.#bytes = bytes;
    this.count = count;
  }

  /** Were any taken? */
  get isBegun(): boolean {
    return this.#position > 0;
  }

  /** The keys for another turn; undefined: all were taken. */
  next(): KeyBytes[] | undefined {
    const keys: KeyBytes[] = [];
    while (keys.length < KEYS_PER_TURN_MAX && this.#position < this.#bytes.length) {
      const start = this.#position;
      const space = this.#bytes.indexOf(SPACE, start);
      const end = space < 0 ? this.#bytes.length : space;
      if (end > start) keys.push(new KeyBytes(this.#bytes, start, end - start));
      this.#position = end + 1;
    }
    return keys.length > 0 ? keys : undefined;
  }
}
