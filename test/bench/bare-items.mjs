import { keyOf } from './load/items.mjs';

/** All keys of the generator are as long; it is a multiple of four. */
export const KEY_BYTES = keyOf(0).length;
const FLAGS_OFFSET = KEY_BYTES;
const LENGTH_OFFSET = FLAGS_OFFSET + 4;
const VALUE_OFFSET = LENGTH_OFFSET + 4;

// Up to here a loop is faster than a call into native code.
const LOOP_BYTES_MAX = 32;

/**
 * The least that keeps items: places of one size in one piece of memory outside the JavaScript heap, found by an
 * open hash table. Nothing expires, is evicted, or is counted. As an item it is the one that was found last.
 */
export class BareItems {
  #count = 0;
  /** Where the item begins. */
  #start = 0;
  #itemBytes;
  #bytes;
  #words;
  /** The number of an item in its hash's place or the next that was free, from 1; 0: none. */
  #table;

  /** @param {number} countMax @param {number} valueBytesMax */
  constructor(countMax, valueBytesMax) {
    this.#itemBytes = VALUE_OFFSET + Math.ceil(valueBytesMax / 4) * 4;
    this.#bytes = Buffer.allocUnsafeSlow(countMax * this.#itemBytes);
    this.#words = new Uint32Array(this.#bytes.buffer);
    this.#table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * countMax)));
  }

  get flags() {
    return this.#words[(this.#start + FLAGS_OFFSET) >> 2] ?? 0;
  }

  get valueLength() {
    return this.#words[(this.#start + LENGTH_OFFSET) >> 2] ?? 0;
  }

  /** @param {Buffer} target @param {number} at */
  copyValue(target, at) {
    copyBytes(this.#bytes, this.#start + VALUE_OFFSET, target, at, this.valueLength);
  }

  /** Is there an item with the key that begins there? @param {Buffer} bytes @param {number} keyStart */
  find(bytes, keyStart) {
    const number = this.#table[this.#placeOf(bytes, keyStart)] ?? 0;
    this.#start = (number - 1) * this.#itemBytes;
    return number > 0;
  }

  /** @param {Buffer} bytes @param {number} keyStart @param {{ flags: number, start: number, length: number }} value */
  put(bytes, keyStart, { flags, start, length }) {
    const place = this.#placeOf(bytes, keyStart);
    this.#table[place] ||= ++this.#count;
    this.#start = ((this.#table[place] ?? 0) - 1) * this.#itemBytes;
    if (length > this.#itemBytes - VALUE_OFFSET || this.#start >= this.#bytes.length)
      throw new RangeError('these are more items, or larger ones, than were announced');
    copyBytes(bytes, keyStart, this.#bytes, this.#start, KEY_BYTES);
    this.#words[(this.#start + FLAGS_OFFSET) >> 2] = flags;
    this.#words[(this.#start + LENGTH_OFFSET) >> 2] = length;
    copyBytes(bytes, start, this.#bytes, this.#start + VALUE_OFFSET, length);
  }

  /** Where a key's item is in the table, or would be. @param {Buffer} bytes @param {number} keyStart */
  #placeOf(bytes, keyStart) {
    const mask = this.#table.length - 1;
    let place = hashOf(bytes, keyStart) & mask;
    for (;;) {
      const number = this.#table[place] ?? 0;
      if (number === 0 || this.#hasKey((number - 1) * this.#itemBytes, bytes, keyStart)) return place;
      place = (place + 1) & mask;
    }
  }

  /** @param {number} item @param {Buffer} bytes @param {number} keyStart */
  #hasKey(item, bytes, keyStart) {
    for (let i = 0; i < KEY_BYTES; i++) {
      if (this.#bytes[item + i] !== bytes[keyStart + i]) return false;
    }
    return true;
  }
}

/** FNV-1a, stirred once more so that its low bits are as good. @param {Buffer} bytes @param {number} keyStart */
function hashOf(bytes, keyStart) {
  let hash = 0x811c9dc5 | 0;
  for (let i = keyStart; i < keyStart + KEY_BYTES; i++) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x01000193);
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 8;
}

/** @param {Buffer} from @param {number} start @param {Buffer} to @param {number} at @param {number} length */
function copyBytes(from, start, to, at, length) {
  if (length > LOOP_BYTES_MAX) {
    to.set(new Uint8Array(from.buffer, from.byteOffset + start, length), at);
    return;
  }
  for (let i = 0; i < length; i++) to[at + i] = from[start + i] ?? 0;
}
