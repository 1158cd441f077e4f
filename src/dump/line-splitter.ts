import { BytePieces } from '../byte-pieces.ts';
import { LineMistake } from './line-mistake.ts';

const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

/** Makes lines of bytes that come in pieces, and keeps no more than one line. */
export class LineSplitter {
  readonly #lineBytesMax: number;
  /** The pieces of a line that has not ended yet. */
  readonly #begun = new BytePieces();

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** The lines that end in the next piece, without their ends. Throws LineMistake at one that is too long. */
  *split(piece: Buffer): Generator<Buffer> {
    let start = 0;
    for (let end = piece.indexOf(LINE_FEED); end !== -1; end = piece.indexOf(LINE_FEED, start)) {
      yield this.#take(piece.subarray(start, end));
      start = end + 1;
    }
    if (start < piece.length) this.#begin(piece.subarray(start));
  }

  /** What stands behind the last line feed. */
  rest(): Buffer {
    return this.#take(NOTHING);
  }

  #begin(piece: Buffer): void {
    this.#begun.add(piece);
    if (this.#begun.length > this.#lineBytesMax) {
      throw new LineMistake(`is longer than ${this.#lineBytesMax} bytes`);
    }
  }

  #take(end: Buffer): Buffer {
    if (this.#begun.length === 0 && end.length <= this.#lineBytesMax) return end;
    this.#begin(end);
    return this.#begun.take();
  }
}
