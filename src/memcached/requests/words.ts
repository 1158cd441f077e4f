import { KeyBytes } from '../../engine/key.ts';
import { PLAIN_DIGITS_MAX } from '../../engine/whole.ts';
import { keyFromBase64 } from './base64-key.ts';

declare global {
  interface Buffer {
    /** What toString('latin1') calls; its detours would take a seventh of the time of a line. */
    latin1Slice(start: number, end: number): string;
  }
}

const NUL = 0;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;

export const NO_WORD = -1;
export const NO_BLOCK = -1;

const SMALL_DIGITS_MAX = 9;

// As many as are usually read ahead.
const KEPT_KEYS_MAX = 64;

// The flags of meta commands are words of one letter: their texts need not be made anew.
const LETTERS = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/**
 * The words of one command line, found without copying it. One object serves line after line: what it answers is valid
 * until the next `readLine`, a key as long as the buffer is.
 */
export class Words {
  count = 0;
  /** The first `keyCount` are the keys that it was asked for since `forgetKeys`. */
  keys: KeyBytes[] = [];
  keyCount = 0;
  /** How many bytes of data follow the line, set by its parser; NO_BLOCK: none do. */
  dataLength = NO_BLOCK;
  #buffer: Buffer = Buffer.alloc(0);
  // Start and end of each word in turn. Plain numbers in a plain array: it grows with a long get.
  readonly #bounds: number[] = [];

  /**
   * Finds the words of the line that begins at `start`, and answers where its newline is; -1: it is not
   * before `bufferEnd`. Words are separated by spaces and end at the first NUL, as in memcached; a
   * carriage return before the newline belongs to no word, unless it is the whole line.
   */
  readLine(buffer: Buffer, start: number, bufferEnd = buffer.length): number {
    this.#buffer = buffer;
    this.dataLength = NO_BLOCK;
    let count = 0;
    let wordStart = NO_WORD;
    let i = start;
    for (; i < bufferEnd; i++) {
      const byte = buffer[i] as number;
      if (byte > SPACE) {
        if (wordStart === NO_WORD) wordStart = i;
      } else if (byte === NEWLINE) {
        break;
      } else if (byte === SPACE || byte === NUL) {
        if (wordStart !== NO_WORD) count = this.#add(count, wordStart, i);
        wordStart = NO_WORD;
        if (byte === NUL) {
          i = buffer.indexOf(NEWLINE, i);
          break;
        }
      } else if (wordStart === NO_WORD) {
        wordStart = i;
      }
    }
    if (i < 0 || i >= bufferEnd) return -1;
    const end = i - start > 1 && buffer[i - 1] === RETURN ? i - 1 : i;
    if (wordStart !== NO_WORD && wordStart < end) count = this.#add(count, wordStart, end);
    this.count = count;
    return i;
  }

  /** A word as one character per byte; there is an empty one behind the last. */
  text(index: number): string {
    if (index >= this.count) return '';
    const start = this.#bounds[2 * index] as number;
    const end = this.#bounds[2 * index + 1] as number;
    if (end - start === 1) return LETTERS[this.#buffer[start] as number] as string;
    return this.#buffer.latin1Slice(start, end);
  }

  key(index: number): KeyBytes {
    const key = this.view(index);
    this.keys[this.keyCount++] = key;
    return key;
  }

  /** A word as bytes, but not among `keys`. */
  view(index: number): KeyBytes {
    const start = this.#bounds[2 * index] as number;
    return new KeyBytes(this.#buffer, start, (this.#bounds[2 * index + 1] as number) - start);
  }

  /** The key of which a word is the base64 form; undefined: it is not base64. */
  binaryKey(index: number): KeyBytes | undefined {
    const key = keyFromBase64(this.#buffer, this.#bounds[2 * index] ?? 0, this.#bounds[2 * index + 1] ?? 0);
    if (key) this.keys[this.keyCount++] = key;
    return key;
  }

  forgetKeys(): void {
    // A new array for each request would be a seventh of the garbage; but nobody keeps the keys of a long get.
    if (this.keyCount > KEPT_KEYS_MAX) this.keys = [];
    this.keyCount = 0;
  }

  length(index: number): number {
    if (index >= this.count) return 0;
    return (this.#bounds[2 * index + 1] ?? 0) - (this.#bounds[2 * index] ?? 0);
  }

  firstByte(index: number): number {
    return this.#buffer[this.#bounds[2 * index] as number] as number;
  }

  is(index: number, word: string): boolean {
    if (this.length(index) !== word.length) return false;
    const start = this.#bounds[2 * index] as number;
    for (let i = 0; i < word.length; i++) {
      if (this.#buffer[start + i] !== word.charCodeAt(i)) return false;
    }
    return true;
  }

  /**
   * How many bytes there are from a word on, spaces between words included. Here and below, of a word that varies only
   * the first byte counts.
   */
  lengthFrom(index: number, varying = NO_WORD): number {
    if (index >= this.count) return 0;
    const length = (this.#bounds[2 * this.count - 1] as number) - (this.#bounds[2 * index] as number);
    return length - this.#bytesThatVary(varying);
  }

  /** Are these all bytes from a word on? */
  endsWith(index: number, bytes: Uint8Array, length: number, varying = NO_WORD): boolean {
    if (varying >= this.count || this.lengthFrom(index, varying) !== length) return false;
    const start = this.#bounds[2 * index] as number;
    if (varying === NO_WORD) return this.#equals(start, bytes, 0, length);
    const middle = (this.#bounds[2 * varying] as number) + 1 - start;
    const rest = this.#bounds[2 * varying + 1] as number;
    return this.#equals(start, bytes, 0, middle) && this.#equals(rest - middle, bytes, middle, length);
  }

  /** Copies all bytes from a word on, for which there must be room. Answers how many they are. */
  copyFrom(index: number, target: Uint8Array, varying = NO_WORD): number {
    const length = this.lengthFrom(index, varying);
    const start = this.#bounds[2 * index] as number;
    const kept = varying === NO_WORD ? length : (this.#bounds[2 * varying] as number) + 1 - start;
    const gap = this.#bytesThatVary(varying);
    for (let i = 0; i < length; i++) target[i] = this.#buffer[start + (i < kept ? i : i + gap)] as number;
    return length;
  }

  /** A number that tells words apart that differ in length or in their first four bytes; see codeOf. */
  code(index: number): number {
    const start = this.#bounds[2 * index] as number;
    const length = this.length(index);
    let code = length;
    for (let i = 0; i < 4; i++) {
      code = (Math.imul(code, 257) + (i < length ? (this.#buffer[start + i] as number) : 0)) | 0;
    }
    return code;
  }

  /** The value of a word of one to nine digits behind `skip` bytes; -1 for any other: then look closer. */
  plainNumber(index: number, skip = 0): number {
    const length = this.length(index) - skip;
    if (length <= 0 || length > SMALL_DIGITS_MAX) return -1;
    const start = (this.#bounds[2 * index] as number) + skip;
    return this.#digits(start, start + length);
  }

  /** The same of one to fifteen digits, which a plain number holds exactly. */
  plainWhole(index: number, skip = 0): number {
    const length = this.length(index) - skip;
    if (length <= SMALL_DIGITS_MAX) return this.plainNumber(index, skip);
    if (length > PLAIN_DIGITS_MAX) return -1;
    const start = (this.#bounds[2 * index] as number) + skip;
    const middle = start + length - SMALL_DIGITS_MAX;
    const high = this.#digits(start, middle);
    const low = this.#digits(middle, start + length);
    return high < 0 || low < 0 ? -1 : high * 10 ** SMALL_DIGITS_MAX + low;
  }

  // Few enough digits for V8's small integers.
  #digits(start: number, end: number): number {
    let value = 0;
    for (let i = start; i < end; i++) {
      const digit = (this.#buffer[i] as number) - 0x30;
      if (digit < 0 || digit > 9) return -1;
      value = value * 10 + digit;
    }
    return value;
  }

  #equals(start: number, bytes: Uint8Array, from: number, to: number): boolean {
    for (let i = from; i < to; i++) {
      if (this.#buffer[start + i] !== bytes[i]) return false;
    }
    return true;
  }

  #bytesThatVary(varying: number): number {
    return varying === NO_WORD ? 0 : this.length(varying) - 1;
  }

  #add(count: number, start: number, end: number): number {
    this.#bounds[2 * count] = start;
    this.#bounds[2 * count + 1] = end;
    return count + 1;
  }
}

/** What `code` answers for a word. */
export function codeOf(word: string): number {
  const words = new Words();
  words.readLine(Buffer.from(`${word}\n`, 'latin1'), 0);
  return words.code(0);
}
