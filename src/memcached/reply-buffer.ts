import type { Item } from '../engine/item.ts';
import type { Key } from '../engine/key.ts';

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

// What the digit loop can do with 32-bit arithmetic.
const LOOPED_NUMBER_MAX = 0x7fffffff;

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

  /** Appends a key. */
  key(key: Key): void {
    if (typeof key === 'string') {
      this.text(key);
      return;
    }
    const { bytes, start, length } = key;
    const reply = this.#reserve(length);
    for (let i = 0; i < length; i++) reply[this.length + i] = bytes[start + i] as number;
    this.length += length;
  }

  /** Appends a whole number that is not negative, in decimal digits. */
  number(value: number): void {
    if (value > LOOPED_NUMBER_MAX) {
      this.text(String(value));
      return;
    }
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    const bytes = this.#reserve(digits);
    let left = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      bytes[at] = 0x30 + (left % 10);
      left = (left / 10) | 0;
    }
    this.length += digits;
  }

  /** Appends an item's value. */
  value(item: Pick<Item, 'valueLength' | 'copyValue'>): void {
    const length = item.valueLength;
    item.copyValue(this.#reserve(length), this.length);
    this.length += length;
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
