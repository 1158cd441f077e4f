/** How much room a reply buffer has at first, and all the room that a pool keeps for later. */
const STANDARD_BYTES = 256 * 1024;

// As many as may be in use at once without giving memory back: usually one is.
const SPARE_MAX = 8;

/** Room for replies which sessions lend each other: a silent connection holds none. */
export class ReplyRoom {
  readonly #spare: Buffer[] = [];

  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(STANDARD_BYTES);
  }

  /** Gives room back whose bytes nobody needs any more. */
  give(buffer: Buffer): void {
    if (buffer.length === STANDARD_BYTES && this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
  }
}

/**
 * Gathers the replies to all commands of a chunk, so that they leave with one write: that is worth
 * more than everything else together.
 */
export class ReplyBuffer {
  length = 0;
  readonly #room: ReplyRoom;
  #bytes: Buffer | undefined;

  constructor(room: ReplyRoom) {
    this.#room = room;
  }

  /** Appends a text of one character per byte. */
  text(text: string): void {
    const bytes = this.#reserve(text.length);
    // Replies are short: a call into native code would cost more than this loop.
    if (text.length < 32) {
      for (let i = 0; i < text.length; i++) bytes[this.length + i] = text.charCodeAt(i);
    } else {
      bytes.write(text, this.length, 'latin1');
    }
    this.length += text.length;
  }

  bytes(value: Buffer): void {
    const bytes = this.#reserve(value.length);
    value.copy(bytes, this.length);
    this.length += value.length;
  }

  /**
   * Hands the gathered bytes to `write`, which says whether it is done with them; what it still needs
   * is not written over.
   */
  flush(write: (bytes: Buffer) => boolean): void {
    const bytes = this.#bytes;
    if (!bytes || this.length === 0) return;
    const { length } = this;
    this.#bytes = undefined;
    this.length = 0;
    if (write(bytes.subarray(0, length))) this.#room.give(bytes);
  }

  /** Drops what was gathered. */
  discard(): void {
    this.flush(() => true);
  }

  #reserve(more: number): Buffer {
    this.#bytes ??= this.#room.take();
    const needed = this.length + more;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#room.give(this.#bytes);
    this.#bytes = larger;
    return larger;
  }
}
