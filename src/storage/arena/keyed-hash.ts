import { randomBytes } from 'node:crypto';
import type { KeyBytes } from '../../engine/key.ts';

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

  /** A signed 32-bit number, which V8 keeps in a field without an object of its own. */
  of({ bytes, start, length }: KeyBytes, salt: number): number {
    // Tells V8 that these are 32-bit integers: without `| 0`, every round would check again, and all of it take twice
    // as long.
    const k0 = this.#k0 | 0;
    const k1 = this.#k1 | 0;
    let v0 = k0;
    let v1 = k1;
    let v2 = 0x6c796765 ^ k0;
    let v3 = 0x74656462 ^ k1;
    const words = length >>> 2;
    // The salt goes first, then whole words, then what is left with the length: each takes one round.
    // Three more rounds, without a word, finish.
    for (let i = -1; i <= words + 3; i++) {
      const word =
        i < 0
          ? salt | 0
          : i < words
            ? wordAt(bytes, start + (i << 2))
            : i === words
              ? lastWord(bytes, start, length)
              : 0;
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
    return v1 ^ v3;
  }
}

function wordAt(bytes: Uint8Array, i: number): number {
  return (
    (bytes[i] as number) |
    ((bytes[i + 1] as number) << 8) |
    ((bytes[i + 2] as number) << 16) |
    ((bytes[i + 3] as number) << 24)
  );
}

// What is left when whole words are taken, and the length.
function lastWord(bytes: Uint8Array, start: number, length: number): number {
  let word = length << 24;
  for (let i = length & ~3; i < length; i++) word |= (bytes[start + i] as number) << ((i & 3) << 3);
  return word;
}
