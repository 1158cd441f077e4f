// To keep a piece takes a few hundred bytes, however short it is. So many come in pieces of the usual 64 KB only if they
// are larger than what is usually kept.
const LOOSE_MAX = 256;

/**
 * Bytes that come in pieces, until they are whole. A client may send each byte as a piece of its own; every 256 pieces
 * become one, so that a megabyte of those does not take four hundred.
 */
export class BytePieces {
  #pieces: Buffer[] = [];
  /** How many of the last pieces are as they came. */
  #loose = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (++this.#loose < LOOSE_MAX) return;
    this.#pieces.push(Buffer.concat(this.#pieces.splice(-LOOSE_MAX)));
    this.#loose = 0;
  }

  /** All of them, which are kept no longer. A single piece is given as it came. */
  take(): Buffer {
    const [first] = this.#pieces;
    const whole = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces, this.#length);
    this.#pieces = [];
    this.#loose = 0;
    this.#length = 0;
    return whole;
  }
}
