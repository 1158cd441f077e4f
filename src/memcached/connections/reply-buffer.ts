import type { Item } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { Whole } from '../../engine/whole.ts';
import type { BufferPool, PooledBuffer } from './buffer-pool.ts';

// What the digit loop can do with 32-bit arithmetic.
const LOOPED_NUMBER_MAX = 0x7fffffff;
const NUMBER_BYTES_MAX = String(2n ** 64n - 1n).length;

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
  readonly #pool: BufferPool;
  #buffer: PooledBuffer | undefined;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Appends a text of one character per byte. */
  text(text: string): void {
    this.length = putText(this.#reserve(text.length), this.length, text);
  }

  /** Appends a key. */
  key(key: KeyBytes): void {
    this.length = putKey(this.#reserve(key.length), this.length, key);
  }

  /** Appends a whole number that is not negative, in decimal digits. */
  number(value: Whole): void {
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
   * Hands the gathered bytes to `write`, which says whether it is done with them; else it tells `taken` once it is, and
   * they are not written over before.
   */
  flush(write: (bytes: Buffer, taken: () => void) => boolean): void {
    const buffer = this.#buffer;
    if (!buffer || this.length === 0) return;
    const { length } = this;
    this.#buffer = undefined;
    this.length = 0;
    if (write(buffer.first(length), buffer.giveBack)) buffer.giveBack();
  }

  /** Drops what was gathered. */
  discard(): void {
    this.flush(() => true);
  }

  #reserve(more: number): Buffer {
    this.#buffer ??= this.#pool.take();
    const { bytes } = this.#buffer;
    const needed = this.length + more;
    return needed <= bytes.length ? bytes : this.#grow(this.#buffer, needed);
  }

  #grow(buffer: PooledBuffer, needed: number): Buffer {
    const larger = this.#pool.take(Math.max(needed, 2 * buffer.bytes.length));
    buffer.bytes.copy(larger.bytes, 0, 0, this.length);
    buffer.giveBack();
    this.#buffer = larger;
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

function putNumber(bytes: Buffer, at: number, value: Whole): number {
  if (typeof value === 'bigint' || value > LOOPED_NUMBER_MAX) return putText(bytes, at, String(value));
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
