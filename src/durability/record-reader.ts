import { type Cas, type Draft, NEVER } from '../engine/item.ts';
import type { CacheDescription, ItemMarks } from '../engine/journal.ts';
import { type Key, KeyBytes } from '../engine/key.ts';
import { wholeFrom } from '../engine/whole.ts';
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
  KIND_MASK,
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

/** What records tell, one call each; times are of the machine's clock. */
export interface RecordListener {
  cache(description: CacheDescription): void;
  /** Key and value are views of the bytes that are read. */
  put(cache: number, key: Key, draft: Draft, accessedAt: number): void;
  amended(cache: number, key: Key, marks: ItemMarks): void;
  removed(cache: number, key: Key): void;
  cleared(cache: number): void;
  clearPlanned(cache: number, at: number): void;
  deleted(cache: number): void;
  complete(): void;
}

/** Tells what the records of a frame's body say. Throws RangeError where they are none. */
export function readRecords(body: Buffer, listener: RecordListener): void {
  for (let at = 0; at < body.length; ) at += readRecord(body, at, listener);
}

// Answers how long the record was.
function readRecord(body: Buffer, at: number, listener: RecordListener): number {
  const number = body.readUInt32LE(at + NUMBER_AT);
  switch (body[at]) {
    case PUT:
      return readPut(body, at, number, listener);
    case AMENDED:
      return readAmended(body, at, number, listener);
    case REMOVED: {
      const length = body.readUInt16LE(at + START_BYTES);
      listener.removed(number, keyIn(body, at + REMOVED_FIXED_BYTES, length));
      return REMOVED_FIXED_BYTES + length;
    }
    case CACHE:
      return readCache(body, at, number, listener);
    case CLEARED:
      listener.cleared(number);
      return START_BYTES;
    case CLEAR_PLANNED:
      listener.clearPlanned(number, body.readDoubleLE(at + START_BYTES));
      return CLEAR_PLANNED_BYTES;
    case DELETED:
      listener.deleted(number);
      return START_BYTES;
    case COMPLETE:
      listener.complete();
      return START_BYTES;
    default:
      throw new RangeError(`there is no record of type ${body[at]}`);
  }
}

function readPut(body: Buffer, start: number, number: number, listener: RecordListener): number {
  const marks = body[start + MARKS_AT] as number;
  const keyLength = body.readUInt16LE(start + START_BYTES);
  const valueLength = body.readUInt32LE(start + START_BYTES + 2);
  const accessedAt = body.readUInt32LE(start + START_BYTES + 6) * 1000;
  const cas = readCas(body, start + START_BYTES + 10);
  let at = start + PUT_FIXED_BYTES;
  const expiresAt = (marks & HAS_EXPIRY) === 0 ? NEVER : body.readDoubleLE(at);
  if (expiresAt !== NEVER) at += EXPIRY_BYTES;
  const flags = (marks & HAS_FLAGS) === 0 ? 0 : body.readUInt32LE(at);
  if (flags !== 0) at += FLAGS_BYTES;
  const key = keyIn(body, at, keyLength);
  at += keyLength;
  const value = body.subarray(at, at + valueLength);
  if (value.length !== valueLength) throw new RangeError('a record ends behind its frame');
  const kind = KINDS[marks & KIND_MASK] ?? 'bytes';
  listener.put(number, key, { value, kind, flags, cas, expiresAt, ...marksIn(marks) }, accessedAt);
  return at + valueLength - start;
}

function readAmended(body: Buffer, start: number, number: number, listener: RecordListener): number {
  const marks = body[start + MARKS_AT] as number;
  const keyLength = body.readUInt16LE(start + START_BYTES);
  const accessedAt = body.readUInt32LE(start + START_BYTES + 2) * 1000;
  const cas = readCas(body, start + START_BYTES + 6);
  let at = start + AMENDED_FIXED_BYTES;
  const expiresAt = (marks & HAS_EXPIRY) === 0 ? NEVER : body.readDoubleLE(at);
  if (expiresAt !== NEVER) at += EXPIRY_BYTES;
  listener.amended(number, keyIn(body, at, keyLength), { expiresAt, cas, accessedAt, ...marksIn(marks) });
  return at + keyLength - start;
}

function readCache(body: Buffer, start: number, number: number, listener: RecordListener): number {
  let at = start + CACHE_FIXED_BYTES;
  const text = (i: number) => {
    const length = body.readUInt16LE(start + START_BYTES + 2 * i);
    at += length;
    return body.toString('utf8', at - length, at);
  };
  const [id, projectId, name] = [text(0), text(1), text(2)];
  listener.cache({ number, id, projectId, name });
  return at - start;
}

function readCas(body: Buffer, at: number): Cas {
  const high = body.readUInt32LE(at + 4);
  const low = body.readUInt32LE(at);
  return high < 1 << 21 ? high * 2 ** 32 + low : wholeFrom(body.readBigUInt64LE(at));
}

function keyIn(body: Buffer, at: number, length: number): KeyBytes {
  if (at + length > body.length) throw new RangeError('a record ends behind its frame');
  return new KeyBytes(body, at, length);
}

function marksIn(marks: number) {
  return {
    stale: (marks & STALE) !== 0,
    recaching: (marks & RECACHING) !== 0,
    fetched: (marks & FETCHED) !== 0,
  };
}
