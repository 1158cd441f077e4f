import { type Cas, type Draft, type Item, NEVER, type NewValue, type ValueKind } from '../../engine/item.ts';
import { KeyBytes } from '../../engine/key.ts';
import type { ItemFacts } from '../../engine/store.ts';
import { byteOf, CHUNK_BYTES_MAX, type ChunkHeap, NOWHERE, type Region, wordOf } from './chunk-heap.ts';
import {
  ACCESSED,
  CAS,
  EXPIRES,
  EXPIRY_WORDS,
  FETCHED,
  FIRST,
  FIXED_WORDS,
  FURTHER_HEADER_BYTES,
  FURTHER_ROOM,
  HAS_EXPIRY,
  HAS_FLAGS,
  HAS_NEXT,
  HASH,
  IS_FURTHER,
  KEY_LENGTH_MASK,
  KIND_SHIFT,
  MARKS,
  NEVER_WORD,
  NEXT,
  OVERWRITTEN,
  OWNER,
  RECACHING,
  STALE,
  VALUE_LENGTH,
} from './item-layout.ts';

const KINDS: readonly ValueKind[] = ['bytes', 'text', 'number', 'json'];

// Up to here a loop is faster than a call into native code.
const LOOP_BYTES_MAX = 32;

/** Puts the marks of further chunks on all chunks of an item but the first. */
export function chainChunks(heap: ChunkHeap, chunks: readonly number[]): void {
  const [first = NOWHERE] = chunks;
  for (let i = 1; i < chunks.length; i++) {
    const address = chunks[i] as number;
    const words = heap.words(address);
    const word = wordOf(address);
    words[word + MARKS] = IS_FURTHER;
    words[word + FIRST] = first;
    words[word + NEXT] = chunks[i + 1] ?? NOWHERE;
  }
}

/** What a new item takes before it is divided into chunks, in bytes. */
export function itemBytes(keyLength: number, { flags, expiresAt, value }: NewValue): number {
  const optional = (flags === 0 ? 0 : 4) + (expiresAt === NEVER ? 0 : EXPIRY_WORDS * 4);
  return FIXED_WORDS * 4 + optional + keyLength + value.length;
}

/** How many chunks an item of so many bytes needs. */
export function chunkCount(bytes: number): number {
  return bytes <= CHUNK_BYTES_MAX ? 1 : 1 + Math.ceil(bytesBeyondFirst(bytes) / FURTHER_ROOM);
}

/** How large the last of its chunks is; the others are as large as chunks get. */
export function lastChunkBytes(bytes: number): number {
  if (bytes <= CHUNK_BYTES_MAX) return bytes;
  return bytesBeyondFirst(bytes) - (chunkCount(bytes) - 2) * FURTHER_ROOM + FURTHER_HEADER_BYTES;
}

// The first chunk holds the address of the second, too.
function bytesBeyondFirst(bytes: number): number {
  return bytes + 4 - CHUNK_BYTES_MAX;
}

/**
 * Reads and changes one item in a heap. One object serves many items, by `at`; as an Item, it shows what its address
 * holds at the moment it is read.
 */
export class ArenaItem implements Item {
  readonly #heap: ChunkHeap;
  #region: Region | undefined;
  #words: Uint32Array = new Uint32Array(0);
  #bytes: Buffer = Buffer.alloc(0);
  /** Where the item begins, in words and in bytes. */
  #word = 0;
  #byte = 0;

  constructor(heap: ChunkHeap) {
    this.#heap = heap;
  }

  /** Points to an item. */
  at(address: number): this {
    const region = this.#heap.region(address);
    if (region !== this.#region) {
      this.#region = region;
      this.#words = region.words;
      this.#bytes = region.bytes;
    }
    this.#word = wordOf(address);
    this.#byte = byteOf(address);
    return this;
  }

  get hash(): number {
    return this.#get(HASH) | 0;
  }

  /** The number of what the item belongs to. */
  get owner(): number {
    return this.#get(OWNER);
  }

  set owner(id: number) {
    this.#set(OWNER, id);
  }

  get keyLength(): number {
    return this.#get(MARKS) & KEY_LENGTH_MASK;
  }

  get key(): string {
    const start = this.#byte + this.#keyOffset();
    return this.#bytes.toString('latin1', start, start + this.keyLength);
  }

  /** The key in place, valid until the item moves. */
  get keyBytes(): KeyBytes {
    return new KeyBytes(this.#bytes, this.#byte + this.#keyOffset(), this.keyLength);
  }

  get value(): Buffer {
    const value = Buffer.allocUnsafe(this.valueLength);
    this.copyValue(value, 0);
    return value;
  }

  get valueLength(): number {
    return this.#get(VALUE_LENGTH);
  }

  get kind(): ValueKind {
    return KINDS[(this.#get(MARKS) >>> KIND_SHIFT) & 3] as ValueKind;
  }

  get flags(): number {
    return (this.#get(MARKS) & HAS_FLAGS) === 0 ? 0 : this.#get(this.#flagsWord());
  }

  get cas(): Cas {
    const high = this.#get(CAS + 1);
    const low = this.#get(CAS);
    return high < 1 << 21 ? high * 2 ** 32 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  get expiresAt(): number {
    if ((this.#get(MARKS) & HAS_EXPIRY) === 0) return NEVER;
    const high = this.#get(EXPIRES + 1);
    return high === NEVER_WORD ? NEVER : high * 2 ** 32 + this.#get(EXPIRES);
  }

  get accessedAt(): number {
    return this.#get(ACCESSED) * 1000;
  }

  get fetched(): boolean {
    return (this.#get(MARKS) & FETCHED) !== 0;
  }

  get stale(): boolean {
    return (this.#get(MARKS) & STALE) !== 0;
  }

  get recaching(): boolean {
    return (this.#get(MARKS) & RECACHING) !== 0;
  }

  /** Did it take the place of one with the same key? */
  get overwritten(): boolean {
    return (this.#get(MARKS) & OVERWRITTEN) !== 0;
  }

  /** The address of the second chunk, or NOWHERE. */
  get next(): number {
    return (this.#get(MARKS) & HAS_NEXT) === 0 ? NOWHERE : this.#get(this.#nextWord());
  }

  /** Does the item have room for an expiry? An item without one has to be moved to get it. */
  get hasExpiry(): boolean {
    return (this.#get(MARKS) & HAS_EXPIRY) !== 0;
  }

  get facts(): ItemFacts {
    const { valueLength, kind, flags, cas, expiresAt, accessedAt, fetched, stale, recaching } = this;
    return { valueLength, kind, flags, cas, expiresAt, accessedAt, fetched, stale, recaching };
  }

  hasKey({ bytes, start, length }: KeyBytes): boolean {
    if (this.keyLength !== length) return false;
    const own = this.#bytes;
    const offset = this.#byte + this.#keyOffset() - start;
    for (let i = start; i < start + length; i++) {
      if (own[offset + i] !== bytes[i]) return false;
    }
    return true;
  }

  copyValue(target: Buffer, at: number): void {
    const length = this.valueLength;
    const next = this.next;
    const start = this.#byte + this.#valueOffset();
    const here = next === NOWHERE ? length : CHUNK_BYTES_MAX - this.#valueOffset();
    copyBytes(this.#region as Region, start, target, at, here);
    for (let address = next, done = here; address !== NOWHERE; ) {
      const part = Math.min(length - done, FURTHER_ROOM);
      const from = byteOf(address) + FURTHER_HEADER_BYTES;
      copyBytes(this.#heap.region(address), from, target, at + done, part);
      done += part;
      address = this.#heap.words(address)[wordOf(address) + NEXT] as number;
    }
  }

  /** Writes a new item into the first chunk, `next` being the second or NOWHERE, and into the others. */
  write(key: KeyBytes, draft: Draft, next: number, now: number): void {
    const { value, flags, expiresAt } = draft;
    let marks = key.length | (KINDS.indexOf(draft.kind) << KIND_SHIFT);
    if (flags !== 0) marks |= HAS_FLAGS;
    if (expiresAt !== NEVER) marks |= HAS_EXPIRY;
    if (next !== NOWHERE) marks |= HAS_NEXT;
    if (draft.fetched) marks |= FETCHED;
    if (draft.stale) marks |= STALE;
    if (draft.recaching) marks |= RECACHING;
    this.#set(MARKS, marks);
    this.#set(VALUE_LENGTH, value.length);
    this.#set(ACCESSED, Math.floor(now / 1000));
    this.setCas(draft.cas);
    if (expiresAt !== NEVER) this.setExpiry(expiresAt);
    if (flags !== 0) this.#set(this.#flagsWord(), flags);
    if (next !== NOWHERE) this.#set(this.#nextWord(), next);
    this.#writeKey(key);
    this.#writeValue(value, next);
  }

  setCas(cas: Cas): void {
    if (typeof cas === 'number') {
      this.#set(CAS, cas >>> 0);
      this.#set(CAS + 1, Math.floor(cas / 2 ** 32));
    } else {
      this.#set(CAS, Number(cas & 0xffffffffn));
      this.#set(CAS + 1, Number(cas >> 32n));
    }
  }

  /** For an item that has room for an expiry. */
  setExpiry(expiresAt: number): void {
    this.#set(EXPIRES, expiresAt >>> 0);
    this.#set(EXPIRES + 1, expiresAt === NEVER ? NEVER_WORD : Math.floor(expiresAt / 2 ** 32));
  }

  setMarks({ stale, recaching }: Required<Pick<Draft, 'stale' | 'recaching'>>): void {
    const marks = this.#get(MARKS) & ~(STALE | RECACHING);
    this.#set(MARKS, marks | (stale ? STALE : 0) | (recaching ? RECACHING : 0));
  }

  markOverwritten(): void {
    this.#set(MARKS, this.#get(MARKS) | OVERWRITTEN);
  }

  use(now: number, fetch: boolean): void {
    this.#set(ACCESSED, Math.floor(now / 1000));
    if (fetch) this.#set(MARKS, this.#get(MARKS) | FETCHED);
  }

  /** A chunk of this item other than the first has been copied elsewhere. */
  relink(from: number, to: number): void {
    if (this.next === from) {
      this.#set(this.#nextWord(), to);
      return;
    }
    for (let address = this.next; address !== NOWHERE; ) {
      const words = this.#heap.words(address);
      const word = wordOf(address) + NEXT;
      if (words[word] === from) {
        words[word] = to;
        return;
      }
      address = words[word] as number;
    }
  }

  /** This item's first chunk has been copied to `to`: tells the others. */
  rename(to: number): void {
    for (let address = this.next; address !== NOWHERE; ) {
      const words = this.#heap.words(address);
      const word = wordOf(address);
      words[word + FIRST] = to;
      address = words[word + NEXT] as number;
    }
  }

  // Keys are short: a call into native code would cost more than this loop.
  #writeKey({ bytes, start, length }: KeyBytes): void {
    const own = this.#bytes;
    const at = this.#byte + this.#keyOffset();
    for (let i = 0; i < length; i++) own[at + i] = bytes[start + i] as number;
  }

  #writeValue(value: Buffer, next: number): void {
    if (next === NOWHERE) {
      this.#bytes.set(value, this.#byte + this.#valueOffset());
      return;
    }
    const here = CHUNK_BYTES_MAX - this.#valueOffset();
    this.#bytes.set(value.subarray(0, here), this.#byte + this.#valueOffset());
    for (let address = next, done = here; address !== NOWHERE; ) {
      const part = Math.min(value.length - done, FURTHER_ROOM);
      const to = byteOf(address) + FURTHER_HEADER_BYTES;
      this.#heap.bytes(address).set(value.subarray(done, done + part), to);
      done += part;
      address = this.#heap.words(address)[wordOf(address) + NEXT] as number;
    }
  }

  #flagsWord(): number {
    return FIXED_WORDS + ((this.#get(MARKS) & HAS_EXPIRY) === 0 ? 0 : EXPIRY_WORDS);
  }

  #nextWord(): number {
    return this.#flagsWord() + ((this.#get(MARKS) & HAS_FLAGS) === 0 ? 0 : 1);
  }

  #keyOffset(): number {
    return (this.#nextWord() + ((this.#get(MARKS) & HAS_NEXT) === 0 ? 0 : 1)) << 2;
  }

  #valueOffset(): number {
    return this.#keyOffset() + this.keyLength;
  }

  #get(word: number): number {
    return this.#words[this.#word + word] as number;
  }

  #set(word: number, value: number): void {
    this.#words[this.#word + word] = value;
  }
}

// A loop takes 1 ns for each byte, a view and one native call 30 ns whatever the length. A view of the Buffer instead
// of its ArrayBuffer would take half as long again.
function copyBytes(source: Region, from: number, target: Buffer, at: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    target.set(new Uint8Array(source.buffer, from, length), at);
    return;
  }
  const { bytes } = source;
  for (let i = 0; i < length; i++) target[at + i] = bytes[from + i] as number;
}
