import type { ValueKind } from '../engine/item.ts';

/*
 * Records say what is so from then on. Each begins with its type (1 byte), marks (1 byte) and the number of the
 * cache (4 bytes). What follows:
 * - CACHE: the lengths of id, project id and name (2 bytes each), and the three, as UTF-8
 * - PUT: key length (2), value length, seconds of the last use (4 each), cas (8); then, where the marks say so,
 *   expiry (8) and flags (4); key and value
 * - AMENDED: key length (2), seconds of the last use (4), cas (8); perhaps the expiry (8); the key
 * - REMOVED: key length (2), the key
 * - CLEAR_PLANNED: when (8)
 * - CLEARED, DELETED: nothing
 * - COMPLETE: nothing, and no cache: the file says everything by itself up to here
 * Numbers are little-endian. Times are of the machine's clock; those of 8 bytes are doubles, in ms.
 */
export const CACHE = 1;
export const PUT = 2;
export const AMENDED = 3;
export const REMOVED = 4;
export const CLEARED = 5;
export const CLEAR_PLANNED = 6;
export const DELETED = 7;
export const COMPLETE = 8;

export const MARKS_AT = 1;
export const NUMBER_AT = 2;
/** What all records have in common. */
export const START_BYTES = 6;

export const CACHE_FIXED_BYTES = START_BYTES + 6;
export const PUT_FIXED_BYTES = START_BYTES + 2 + 4 + 4 + 8;
export const AMENDED_FIXED_BYTES = START_BYTES + 2 + 4 + 8;
export const REMOVED_FIXED_BYTES = START_BYTES + 2;
export const CLEAR_PLANNED_BYTES = START_BYTES + 8;
export const EXPIRY_BYTES = 8;
export const FLAGS_BYTES = 4;

export const KINDS: readonly ValueKind[] = ['bytes', 'text', 'number', 'json'];
export const KIND_MASK = 3;
export const STALE = 4;
export const RECACHING = 8;
export const FETCHED = 16;
export const HAS_EXPIRY = 32;
export const HAS_FLAGS = 64;
