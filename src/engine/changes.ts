import { type Cas, draftOf, type Item, type NewValue } from './item.ts';
import type { Decide, Decision } from './store.ts';

const KEPT_ROOM_BYTES_MIN = 64 * 1024;
const KEPT_ROOM_BYTES_MAX = 1024 * 1024;

/** `exists`: the item is there in another version. `not_found`: there is none to compare with. */
export type StoreOutcome = 'stored' | 'not_stored' | 'exists' | 'not_found';

/** The ways of storing a value that look at what is there; the names are memcached's, the meanings serve both doors. */
export const storing = { add, replace, append, prepend };

/** `set` stores whatever is there. */
export type StoreMode = 'set' | keyof typeof storing;

export function add(value: NewValue): Decide<StoreOutcome> {
  // An add that finds an item counts as a use of it, but not as a read, as in memcached.
  return (current, nextCas) => (current ? usedBut('not_stored') : stored(value, nextCas));
}

export function replace(value: NewValue): Decide<StoreOutcome> {
  return (current, nextCas) => (current ? stored(value, nextCas) : kept('not_stored'));
}

/**
 * The flags and the expiry stay those of the item; what a client gives of them is ignored. What would
 * become larger than `valueBytesMax` is `not_stored`, as in memcached.
 */
export function append(addition: NewValue, valueBytesMax: number): Decide<StoreOutcome> {
  return joined('behind', addition.value, valueBytesMax);
}

/** As append, in front. */
export function prepend(addition: NewValue, valueBytesMax: number): Decide<StoreOutcome> {
  return joined('in front', addition.value, valueBytesMax);
}

export function compareAndSwap(value: NewValue, expected: Cas): Decide<StoreOutcome> {
  return (current, nextCas) => {
    if (!current) return kept('not_found');
    return current.cas === expected ? stored(value, nextCas) : kept('exists');
  };
}

/** True: there was an item to remove. */
export const remove: Decide<boolean> = (current) => (current ? REMOVED : NOT_REMOVED);

const REMOVED: Decision<boolean> = { action: 'remove', outcome: true };
const NOT_REMOVED: Decision<boolean> = kept(false);

/** Gives the item another expiry; its value and cas stay. The outcome is the item, if there is one. */
export function touch(expiresAt: number): Decide<Item | undefined> {
  return (current) =>
    current ? { action: 'amend', amendment: { expiresAt }, outcome: current } : kept(undefined);
}

function joined(where: 'behind' | 'in front', addition: Buffer, valueBytesMax: number): Decide<StoreOutcome> {
  return (current, cas) => {
    if (!current) return kept('not_stored');
    const { flags, expiresAt, valueLength } = current;
    const length = valueLength + addition.length;
    if (length > valueBytesMax) return kept('not_stored');
    // Joined, the pieces are bytes, whatever kind they were.
    const value = roomFor(length);
    current.copyValue(value, where === 'behind' ? 0 : addition.length);
    value.set(addition, where === 'behind' ? valueLength : 0);
    return { action: 'put', draft: { value, kind: 'bytes', flags, expiresAt, cas }, outcome: 'stored' };
  };
}

/** Values are joined here, one after the other: each is valid until it is stored. */
let joiningRoom = Buffer.alloc(0);

// New memory each time would be most of the cost of appending to a large value.
function roomFor(length: number): Buffer {
  if (length > KEPT_ROOM_BYTES_MAX) return Buffer.allocUnsafeSlow(length);
  if (length > joiningRoom.length)
    joiningRoom = Buffer.allocUnsafeSlow(Math.max(length, KEPT_ROOM_BYTES_MIN));
  return joiningRoom.subarray(0, length);
}

function stored(value: NewValue, cas: Cas): Decision<StoreOutcome> {
  return { action: 'put', draft: draftOf(value, cas), outcome: 'stored' };
}

function usedBut<R>(outcome: R): Decision<R> {
  return { action: 'amend', amendment: { fetch: false }, outcome };
}

function kept<R>(outcome: R): Decision<R> {
  return { action: 'keep', outcome };
}
