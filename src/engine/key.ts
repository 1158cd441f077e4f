/** A key as bytes in a buffer, so that no string has to be made. Valid as long as the bytes in the buffer are. */
export class KeyBytes {
  bytes: Buffer;
  start: number;
  length: number;
  /** For a backend's use: the hash of the key, and what it was made for. */
  hash = 0;
  hashedFor = 0;

  constructor(bytes: Buffer, start: number, length: number) {
    this.bytes = bytes;
    this.start = start;
    this.length = length;
  }

  /** Copies the bytes, so that their buffer may be used for something else. */
  keep(): void {
    this.moveTo(Buffer.from(this.bytes.subarray(this.start, this.start + this.length)), this.start);
  }

  /** Has its bytes in a copy of the buffer, which begins at `from`. */
  moveTo(copy: Buffer, from: number): void {
    this.bytes = copy;
    this.start -= from;
  }

  /** Replaces the key by a text of one character per byte, for which its buffer must have room. */
  setText(text: string): void {
    this.length = this.bytes.write(text, this.start, 'latin1');
    this.hashedFor = 0;
  }

  /** The same key as a text of one character per byte. */
  toString(): string {
    return this.bytes.toString('latin1', this.start, this.start + this.length);
  }
}

/** A key as the engine takes it. To keep one for longer than a call, keep its text. */
export type Key = string | KeyBytes;

/**
 * A key inside the engine is a string with one character (0…255) per byte, so that both doors name
 * the same item: REST keys are the UTF-8 bytes of their text, memcached keys are bytes anyway.
 */
export function keyFromText(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}
