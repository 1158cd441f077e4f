import type { Cas, Draft, Item } from '../engine/item.ts';
import { NEVER } from '../engine/item.ts';
import type { CacheDescription, ItemMarks } from '../engine/journal.ts';
import type { Key } from '../engine/key.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import type { FrameBufferPool } from './frame-buffer-pool.ts';
import {
  AMENDED,
  AMENDED_FIXED_BYTES,
  CACHE,
  CACHE_FIXED_BYTES,
  CLEAR_PLANNED,
  CLEAR_PLANNED_BYTES,
  CLEARED,
  COMPLETE,
  DELETED,
  EXPIRY_BYTES,
  FETCHED,
  FLAGS_BYTES,
  HAS_EXPIRY,
  HAS_FLAGS,
  KINDS,
  MARKS_AT,
  NUMBER_AT,
  PUT,
  PUT_FIXED_BYTES,
  RECACHING,
  REMOVED,
  REMOVED_FIXED_BYTES,
  STALE,
  START_BYTES,
} from './record-layout.ts';

// Up to here a loop is faster than a call into native code.
const LOOP_BYTES_MAX = 64;

// A time that never comes, in ms: the last that a Date can tell.
const FAR_TIME = 8.64e15;

const EMPTY = Buffer.alloc(0);

interface RecordWriterParts {
  readonly buffers: FrameBufferPool;
  /** Takes the frame that is full. */
  readonly full: (frame: Buffer) => void;
  /**
   * Told when a frame begins. Answers what is to be added to times of the store to get those of the machine's clock, in
   * ms.
   */
  readonly begun: () => number;
}

/** Writes records one behind the other, directly into the buffer of a frame. */
export class RecordWriter {
  readonly #parts: RecordWriterParts;
  #bytes: Buffer = EMPTY;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #length = FRAME_HEADER_BYTES;
  #clockSet = 0;
  /** Where the last key was, and a view of it. */
  #keySource: Buffer = EMPTY;
  #keyView: DataView = new DataView(new ArrayBuffer(0));

  constructor(parts: RecordWriterParts) {
    this.#parts = parts;
  }

  /** How many bytes of records wait in the frame. */
  get waiting(): number {
    return this.#length - FRAME_HEADER_BYTES;
  }

  /** Takes what waits, behind room for a frame's header; undefined: nothing does. */
  take(): Buffer | undefined {
    if (this.waiting === 0) return undefined;
    const frame = this.#bytes.subarray(0, this.#length);
    this.#bytes = EMPTY;
    this.#length = FRAME_HEADER_BYTES;
    return frame;
  }

  cache({ number, id, projectId, name }: CacheDescription): void {
    const texts = [id, projectId, name].map((text) => Buffer.from(text, 'utf8'));
    const size = texts.reduce((sum, text) => sum + text.length, CACHE_FIXED_BYTES);
    const start = this.#begin(CACHE, 0, number, size);
    let at = start + CACHE_FIXED_BYTES;
    for (const [i, text] of texts.entries()) {
      this.#view.setUint16(start + START_BYTES + 2 * i, text.length, true);
      this.#bytes.set(text, at);
      at += text.length;
    }
  }

  put(cache: number, key: Key, draft: Draft, accessedAt: number): void {
    const { value, flags, expiresAt, cas } = draft;
    const { length } = value;
    const marks = kindOf(draft) | marksOf(draft);
    const at = this.#putStart(cache, key, marks, flags, expiresAt, cas, accessedAt, length);
    const bytes = this.#bytes;
    if (length > LOOP_BYTES_MAX) bytes.set(value, at);
    else for (let i = 0; i < length; i++) bytes[at + i] = value[i] as number;
  }

  /** An item as a store keeps it. */
  kept(cache: number, key: Key, item: Item): void {
    if (item.hasExpiry && item.expiresAt === NEVER) this.#keptForGood(cache, key, item);
    else this.#kept(cache, key, item, item.expiresAt);
  }

  // An expiry that was taken back has still its room in the store. It has it again after a restart: with each size of
  // items that changed, a full store could need another page. Both are in one frame, of which nothing is read alone.
  #keptForGood(cache: number, key: Key, item: Item): void {
    const fixed = PUT_FIXED_BYTES + EXPIRY_BYTES + FLAGS_BYTES + AMENDED_FIXED_BYTES;
    this.#reserve(fixed + 2 * key.length + item.valueLength);
    this.#kept(cache, key, item, FAR_TIME);
    this.amended(cache, key, item);
  }

  #kept(cache: number, key: Key, item: Item, expiresAt: number): void {
    const { flags, cas, accessedAt, valueLength } = item;
    const { stale, recaching, fetched } = item;
    const marks = kindOf(item) | marksOf({ stale, recaching, fetched });
    const at = this.#putStart(cache, key, marks, flags, expiresAt, cas, accessedAt, valueLength);
    item.copyValue(this.#bytes, at);
  }

  amended(cache: number, key: Key, marks: ItemMarks): void {
    const { expiresAt, accessedAt, cas } = marks;
    const hasExpiry = expiresAt !== NEVER;
    const size = AMENDED_FIXED_BYTES + (hasExpiry ? EXPIRY_BYTES : 0) + key.length;
    const start = this.#begin(AMENDED, marksOf(marks) | (hasExpiry ? HAS_EXPIRY : 0), cache, size);
    const view = this.#view;
    view.setUint16(start + START_BYTES, key.length, true);
    view.setUint32(start + START_BYTES + 2, this.#seconds(accessedAt), true);
    setCas(view, start + START_BYTES + 6, cas);
    let at = start + AMENDED_FIXED_BYTES;
    if (hasExpiry) at = this.#time(at, expiresAt);
    this.#key(at, key);
  }

  removed(cache: number, key: Key): void {
    const start = this.#begin(REMOVED, 0, cache, REMOVED_FIXED_BYTES + key.length);
    this.#view.setUint16(start + START_BYTES, key.length, true);
    this.#key(start + REMOVED_FIXED_BYTES, key);
  }

  cleared(cache: number): void {
    this.#begin(CLEARED, 0, cache, START_BYTES);
  }

  clearPlanned(cache: number, at: number): void {
    const start = this.#begin(CLEAR_PLANNED, 0, cache, CLEAR_PLANNED_BYTES);
    this.#time(start + START_BYTES, at);
  }

  deleted(cache: number): void {
    this.#begin(DELETED, 0, cache, START_BYTES);
  }

  complete(): void {
    this.#begin(COMPLETE, 0, 0, START_BYTES);
  }

  // Answers where the value is to be written. Everything is passed one by one, since drafts and items have several
  // shapes: looking a member up in any of them would take longer than writing it.
  #putStart(
    cache: number,
    key: Key,
    about: number,
    flags: number,
    expiresAt: number,
    cas: Cas,
    accessedAt: number,
    valueLength: number,
  ): number {
    let marks = about;
    let size = PUT_FIXED_BYTES + key.length + valueLength;
    if (expiresAt !== NEVER) {
      marks |= HAS_EXPIRY;
      size += EXPIRY_BYTES;
    }
    if (flags !== 0) {
      marks |= HAS_FLAGS;
      size += FLAGS_BYTES;
    }
    const start = this.#begin(PUT, marks, cache, size);
    const view = this.#view;
    view.setUint16(start + START_BYTES, key.length, true);
    view.setUint32(start + START_BYTES + 2, valueLength, true);
    view.setUint32(start + START_BYTES + 6, this.#seconds(accessedAt), true);
    setCas(view, start + START_BYTES + 10, cas);
    let at = start + PUT_FIXED_BYTES;
    if (expiresAt !== NEVER) at = this.#time(at, expiresAt);
    if (flags !== 0) {
      view.setUint32(at, flags, true);
      at += FLAGS_BYTES;
    }
    return this.#key(at, key);
  }

  // Makes room for a record, and writes how all begin. Answers where.
  #begin(type: number, marks: number, cache: number, size: number): number {
    this.#reserve(size);
    const start = this.#length;
    this.#length = start + size;
    const view = this.#view;
    view.setUint8(start, type);
    view.setUint8(start + MARKS_AT, marks);
    view.setUint32(start + NUMBER_AT, cache, true);
    return start;
  }

  #reserve(size: number): void {
    if (this.#length + size > this.#bytes.length) this.#renew(size);
  }

  #renew(size: number): void {
    const full = this.take();
    if (full) this.#parts.full(full);
    this.#bytes = this.#parts.buffers.take(FRAME_HEADER_BYTES + size);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
    this.#clockSet = this.#parts.begun();
  }

  // Answers where it ends. Four bytes at a time: one by one, they would cost as much as all the rest.
  #key(at: number, key: Key): number {
    const { length } = key;
    if (typeof key === 'string') {
      const target = this.#bytes;
      for (let i = 0; i < length; i++) target[at + i] = key.charCodeAt(i);
      return at + length;
    }
    const { bytes, start } = key;
    const source = bytes === this.#keySource ? this.#keyView : this.#viewKeysOf(bytes);
    const target = this.#view;
    let i = 0;
    for (; i + 4 <= length; i += 4) target.setUint32(at + i, source.getUint32(start + i, true), true);
    for (; i < length; i++) target.setUint8(at + i, source.getUint8(start + i));
    return at + length;
  }

  // Keys come in the same buffer again and again: the one that clients are read into, or a region of the store.
  #viewKeysOf(bytes: Buffer): DataView {
    this.#keySource = bytes;
    this.#keyView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#keyView;
  }

  #time(at: number, time: number): number {
    this.#view.setFloat64(at, time + this.#clockSet, true);
    return at + EXPIRY_BYTES;
  }

  #seconds(time: number): number {
    return Math.max(0, Math.floor((time + this.#clockSet) / 1000));
  }
}

function kindOf({ kind }: Pick<Draft, 'kind'>): number {
  return kind === 'bytes' ? 0 : KINDS.indexOf(kind);
}

function marksOf({ stale, recaching, fetched }: Partial<ItemMarks>): number {
  return (stale ? STALE : 0) | (recaching ? RECACHING : 0) | (fetched ? FETCHED : 0);
}

function setCas(view: DataView, at: number, cas: Cas): void {
  if (typeof cas === 'number') {
    view.setUint32(at, cas >>> 0, true);
    view.setUint32(at + 4, Math.floor(cas / 2 ** 32), true);
  } else {
    view.setBigUint64(at, cas, true);
  }
}
