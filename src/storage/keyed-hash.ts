import { randomBytes } from 'node:crypto';

/**
 * HalfSipHash-1-3 (Aumasson, Bernstein) over a key and a salt: 32 bits that nobody can aim at without
 * knowing the secret, which every process draws anew. So no choice of keys makes the index slow.
 */
export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;

  constructor(secret: Buffer = randomBytes(8)) {
    this.#k0 = secret.readInt32LE(0);
    this.#k1 = secret.readInt32LE(4);
  }

  /** `key` has one character per byte; the hash is an unsigned 32-bit number. */
  of(key: string, salt: number): number {
    const k0 = this.#k0;
    const k1 = this.#k1;
    let v0 = k0;
    let v1 = k1;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const { length } = key;
    const words = length >>> 2;
    // The salt goes first, then whole words, then what is left with the length: each takes one round.
    // Three more rounds, without a word, finish.
    for (let i = -1; i <= words + 3; i++) {
      const word =
        i < 0 ? salt : i < words ? wordAt(key, i << 2) : i === words ? lastWord(key, words << 2, length) : 0;
      if (i === words + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}

function wordAt(key: string, i: number): number {
  return (
    key.charCodeAt(i) |
    (key.charCodeAt(i + 1) << 8) |
    (key.charCodeAt(i + 2) << 16) |
    (key.charCodeAt(i + 3) << 24)
  );
}

function lastWord(key: string, from: number, length: number): number {
  let word = length << 24;
  for (let i = from; i < length; i++) word |= key.charCodeAt(i) << ((i - from) << 3);
  return word;
}
