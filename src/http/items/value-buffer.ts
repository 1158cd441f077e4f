import { isUtf8 } from 'node:buffer';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const ASCII_MAX = 0x7f;

/** Where in its buffer a value begins: enough for two names of 250 characters, though each may take six bytes. */
export const VALUE_AT = 4096;

/** What stands behind a value is shorter. */
const BEHIND_BYTES = 256;

const SHORT_BYTES_MAX = 256;

/** Has room for a value, and for what is written around it. */
export class ValueBuffer {
  readonly bytes: Buffer;
  readonly valueBytesMax: number;
  readonly #words: Int32Array;

  constructor(valueBytesMax: number) {
    const length = Math.ceil((VALUE_AT + valueBytesMax + BEHIND_BYTES) / 4) * 4;
    this.valueBytesMax = valueBytesMax;
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.#words = new Int32Array(this.bytes.buffer, this.bytes.byteOffset, length / 4);
  }

  /**
   * Can the value that ends before `end`, and is UTF-8, stand in a JSON string as it is? What is behind it is
   * overwritten.
   */
  isPlain(end: number): boolean {
    return this.#isShortAscii(end) || this.#hasNothingToEscape(end);
  }

  /** The same of a value that may be anything: is it UTF-8, too? */
  isPlainUtf8(end: number): boolean {
    if (this.#isShortAscii(end)) return true;
    return isUtf8(this.bytes.subarray(VALUE_AT, end)) && this.#hasNothingToEscape(end);
  }

  // For a short value, a call into native code would take longer than this loop.
  #isShortAscii(end: number): boolean {
    if (end > VALUE_AT + SHORT_BYTES_MAX) return false;
    const { bytes } = this;
    for (let at = VALUE_AT; at < end; at++) {
      const byte = bytes[at] as number;
      if (byte < SPACE || byte > ASCII_MAX || byte === QUOTE || byte === BACKSLASH) return false;
    }
    return true;
  }

  #hasNothingToEscape(end: number): boolean {
    return !this.#has(QUOTE, end) && !this.#has(BACKSLASH, end) && !this.#hasControls(end);
  }

  // With the byte itself behind the value, the search ends there.
  #has(byte: number, end: number): boolean {
    this.bytes[end] = byte;
    return this.bytes.indexOf(byte, VALUE_AT) !== end;
  }

  // Looks at four bytes at a time: subtracting 0x20 from each sets the highest bit of those that are less.
  #hasControls(end: number): boolean {
    const words = this.#words;
    for (let at = end; at % 4 !== 0; at++) this.bytes[at] = SPACE;
    const endWord = Math.ceil(end / 4);
    let less = 0;
    for (let at = VALUE_AT / 4; at < endWord; at++) {
      const word = words[at] as number;
      less |= (word - 0x20202020) & ~word;
    }
    return (less & 0x80808080) !== 0;
  }
}
