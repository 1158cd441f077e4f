const SPACE = 0x20;

/**
 * The words of one command line, found without copying it. One object serves line after line; what it
 * answers holds until the next `read`.
 */
export class Words {
  count = 0;
  #buffer: Buffer = Buffer.alloc(0);
  // Start and end of each word in turn. Plain numbers in a plain array: it grows with a long get.
  readonly #bounds: number[] = [];

  /** Finds the words in buffer[start, end): separated by spaces, up to the first NUL, as in memcached. */
  read(buffer: Buffer, start: number, end: number): void {
    this.#buffer = buffer;
    let count = 0;
    let wordStart = -1;
    let i = start;
    for (; i < end; i++) {
      const byte = buffer[i];
      if (byte === SPACE || byte === 0) {
        if (wordStart >= 0) count = this.#add(count, wordStart, i);
        wordStart = -1;
        if (byte === 0) break;
      } else if (wordStart < 0) {
        wordStart = i;
      }
    }
    if (wordStart >= 0) count = this.#add(count, wordStart, i);
    this.count = count;
  }

  /** A word as one character per byte; there is an empty one behind the last. */
  text(index: number): string {
    if (index >= this.count) return '';
    return this.#buffer.toString('latin1', this.#bounds[2 * index], this.#bounds[2 * index + 1]);
  }

  length(index: number): number {
    if (index >= this.count) return 0;
    return (this.#bounds[2 * index + 1] ?? 0) - (this.#bounds[2 * index] ?? 0);
  }

  /** A byte of a word; -1 behind its end. */
  byte(index: number, at: number): number {
    return at < this.length(index) ? (this.#buffer[(this.#bounds[2 * index] ?? 0) + at] ?? -1) : -1;
  }

  is(index: number, word: string): boolean {
    return this.length(index) === word.length && this.text(index) === word;
  }

  #add(count: number, start: number, end: number): number {
    this.#bounds[2 * count] = start;
    this.#bounds[2 * count + 1] = end;
    return count + 1;
  }
}
