import type { Whole } from './whole.ts';

/**
 * What an item's bytes mean to a REST client. A memcached client sees the same bytes of every kind.
 * - `bytes`: stored by a memcached client; REST finds out whether they are a number, text or neither
 * - `text`: a JSON string, kept as UTF-8
 * - `number`: a JSON number, kept as its own digits (after a memcached `decr`, with spaces behind)
 * - `json`: any other JSON value, kept as its JSON text
 */
export type ValueKind = 'bytes' | 'text' | 'number' | 'json';

/**
 * The unique number of one version of an item: unsigned, 64 bits; only clients that set their own cas get above
 * 2^53-1.
 */
export type Cas = Whole;

/** An item's `expiresAt` when it never expires. */
export const NEVER = Number.POSITIVE_INFINITY;

/** What a client gives for an item; `value` may be a view of a buffer that is used again. */
export interface NewValue {
  readonly value: Buffer;
  readonly kind: ValueKind;
  /** Unsigned, 32 bits, opaque to us. */
  readonly flags: number;
  /** Milliseconds since the Unix epoch, or NEVER. */
  readonly expiresAt: number;
}

/** An item as it is to be kept. The backend copies `value` before it decides the next change, which may write there. */
export interface Draft extends NewValue {
  readonly cas: Cas;
  /** Invalidated but still served, until a client that won the right to has stored a fresh value. */
  readonly stale?: boolean;
  /** A client was told that it won the right to store a fresh value. */
  readonly recaching?: boolean;
  /** Does it count as read already? A counter that changes in its place stays so. */
  readonly fetched?: boolean;
}

/** A value as it is kept under a cas. */
export function draftOf({ value, kind, flags, expiresAt }: NewValue, cas: Cas): Draft {
  return { value, kind, flags, expiresAt, cas };
}

/** An item as it is kept. Valid until the backend is next called: copy what must outlive that. */
export interface Item extends Required<Draft> {
  readonly valueLength: number;
  /** Does it take room for an expiry? It may even where that is NEVER now. */
  readonly hasExpiry: boolean;
  /** Writes the value into `target` from `at` on; cheaper than `value`, which may have to be made first. */
  copyValue(target: Buffer, at: number): void;
  /** Milliseconds since the Unix epoch of the last read, or of the write if there was none; to the second. */
  readonly accessedAt: number;
}
