import type { Item } from '../engine/item.ts';
import type { Key, KeyBytes } from '../engine/key.ts';

/** How much room a reply buffer has at first, and all the room that a pool keeps for later. */
const STANDARD_BYTES = 256 * 1024;

// As many as may be in use at once without giving memory back: one for each client whose replies leave
// together; see Turn.
const SPARE_MAX = 16;

// Up to this length, all views of a room are kept: to make one takes as long as to look for a command's handler.
// Of longer ones only the last is, since values of one kind are often of one length.
const KEPT_VIEW_BYTES_MAX = 512;

/** Some room for replies. */
class Room {
  readonly bytes: Buffer;
  readonly #views: Buffer[] = [];
  #longView: Buffer | undefined;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafeSlow(length);
  }

  /** Its first bytes. */
  first(length: number): Buffer {
    if (length <= KEPT_VIEW_BYTES_MAX) {
      this.#views[length] ??= this.bytes.subarray(0, length);
      return this.#views[length];
    }
    if (this.#longView?.length !== length) this.#longView = this.bytes.subarray(0, length);
    return this.#longView;
  }
}

/** Room for replies which sessions lend each other: a silent connection holds none. */
export class ReplyRoom {
  readonly #spare: Room[] = [];

  take(): Room {
    return this.#spare.pop() ?? new Room(STANDARD_BYTES);
  }

  /** Gives room back whose bytes nobody needs any more. */
  give(room: Room): void {
    if (room.bytes.length === STANDARD_BYTES && this.#spare.length < SPARE_MAX) this.#spare.push(room);
  }
}

// What the digit loop can do with 32-bit arithmetic.
const LOOPED_NUMBER_MAX = 0x7fffffff;
const NUMBER_BYTES_MAX = String(Number.MAX_SAFE_INTEGER).length;

// What a hit has besides key, value and cas, at most.
const HIT_BYTES_MAX = 'VALUE   \r\n\r\n'.length + 2 * NUMBER_BYTES_MAX;

const SPACE = 0x20;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

/**
 * Gathers the replies to all commands of a chunk, so that they leave with one write: that is worth
 * more than everything else together.
 */
export class ReplyBuffer {
  length = 0;
  readonly #lender: ReplyRoom;
  #room: Room | undefined;

  constructor(lender: ReplyRoom) {
    this.#lender = lender;
  }

  /** Appends a text of one character per byte. */
  text(text: string): void {
    this.length = putText(this.#reserve(text.length), this.length, text);
  }

  /** Appends a key. */
  key(key: Key): void {
    if (typeof key === 'string') this.text(key);
    else this.length = putKey(this.#reserve(key.length), this.length, key);
  }

  /** Appends a whole number that is not negative, in decimal digits. */
  number(value: number): void {
    this.length = putNumber(this.#reserve(NUMBER_BYTES_MAX), this.length, value);
  }

  /** Appends what a get answers for an item; `more` goes behind the length of the value. */
  hit(key: KeyBytes, item: Pick<Item, 'flags' | 'valueLength' | 'copyValue'>, more: string): void {
    const { flags, valueLength } = item;
    // Room for all of it at once: this is by far the most frequent answer.
    const bytes = this.#reserve(key.length + valueLength + more.length + HIT_BYTES_MAX);
    let at = putText(bytes, this.length, 'VALUE ');
    at = putKey(bytes, at, key);
    bytes[at] = SPACE;
    at = putNumber(bytes, at + 1, flags);
    bytes[at] = SPACE;
    at = putNumber(bytes, at + 1, valueLength);
    if (more !== '') at = putText(bytes, at, more);
    at = putLineEnd(bytes, at);
    item.copyValue(bytes, at);
    this.length = putLineEnd(bytes, at + valueLength);
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
    const room = this.#room;
    if (!room || this.length === 0) return;
    const { length } = this;
    this.#room = undefined;
    this.length = 0;
    if (write(room.first(length))) this.#lender.give(room);
  }

  /** Drops what was gathered. */
  discard(): void {
    this.flush(() => true);
  }

  #reserve(more: number): Buffer {
    this.#room ??= this.#lender.take();
    const { bytes } = this.#room;
    const needed = this.length + more;
    if (needed <= bytes.length) return bytes;
    const larger = new Room(Math.max(needed, 2 * bytes.length));
    bytes.copy(larger.bytes, 0, 0, this.length);
    this.#lender.give(this.#room);
    this.#room = larger;
    return larger.bytes;
  }
}

// Each of these writes at a place where there is room, and answers where the next may write.

function putText(bytes: Buffer, at: number, text: string): number {
  // Replies are short: a call into native code would cost more than this loop.
  if (text.length >= 32) return at + bytes.write(text, at, 'latin1');
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function putKey(bytes: Buffer, at: number, key: KeyBytes): number {
  const { bytes: from, start, length } = key;
  for (let i = 0; i < length; i++) bytes[at + i] = from[start + i] as number;
  return at + length;
}

function putNumber(bytes: Buffer, at: number, value: number): number {
  if (value > LOOPED_NUMBER_MAX) return putText(bytes, at, String(value));
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  let left = value;
  for (let i = at + digits - 1; i >= at; i--) {
    bytes[i] = 0x30 + (left % 10);
    left = (left / 10) | 0;
  }
  return at + digits;
}

function putLineEnd(bytes: Buffer, at: number): number {
  bytes[at] = RETURN;
  bytes[at + 1] = NEWLINE;
  return at + 2;
}
