import { CHUNK_BYTES_MAX } from './chunk-heap.ts';

/*
 * How an item lies in its chunks. The first chunk, in words of 4 bytes: what is always there, so that
 * finding an item and using it touches one or two lines of the processor's cache; then, where the marks say
 * so, its expiry (4 words), its flags (1 word) and its next chunk (1 word); then the key, and the value or
 * as much of it as there is room for. A further chunk: its mark, the item's first chunk, the next chunk,
 * then more of the value. All chunks but the last are as large as chunks get.
 */

/** Marks and key length; never 0, which is a free chunk's. */
export const MARKS = 0;
export const HASH = 1;
/** The next item in the same bucket of the index. */
export const NEXT_LIKE = 2;
export const NEWER = 3;
export const OLDER = 4;
/** The number of what the item belongs to. */
export const OWNER = 5;
export const VALUE_LENGTH = 6;
/** In seconds since the Unix epoch. */
export const ACCESSED = 7;
/** Two words. */
export const CAS = 8;
export const FIXED_WORDS = 10;

/** Where an item has an expiry: its time in ms (two words), and its neighbours that expire with it. */
export const EXPIRES = FIXED_WORDS;
export const NEXT_EXPIRING = FIXED_WORDS + 2;
export const PREVIOUS_EXPIRING = FIXED_WORDS + 3;
export const EXPIRY_WORDS = 4;

/** Of a further chunk: the item's first. */
export const FIRST = 1;
/** Of a further chunk: the one after it, or NOWHERE. */
export const NEXT = 2;
export const FURTHER_HEADER_BYTES = 12;
export const FURTHER_ROOM = CHUNK_BYTES_MAX - FURTHER_HEADER_BYTES;

export const KEY_LENGTH_MASK = 0xffff;
export const KIND_SHIFT = 16;
export const HAS_FLAGS = 1 << 18;
export const HAS_EXPIRY = 1 << 19;
export const HAS_NEXT = 1 << 20;
export const FETCHED = 1 << 21;
export const STALE = 1 << 22;
export const RECACHING = 1 << 23;
/** It was stored over another in the same place. */
export const OVERWRITTEN = 1 << 25;
/** Marks a further chunk. */
export const IS_FURTHER = 1 << 24;

/** The upper word of an expiry that was taken back. */
export const NEVER_WORD = 0xffffffff;
