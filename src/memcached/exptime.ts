import { NEVER } from '../engine/item.ts';

/** Up to 30 days an exptime counts from now; above, it is a Unix time. */
const RELATIVE_SECONDS_MAX = 60 * 60 * 24 * 30;

/**
 * When an item with this exptime expires, in ms since the epoch. 0 is never; a negative one, like a
 * Unix time that has passed, is at once.
 */
export function expiresAtFrom(exptime: number, now: number): number {
  if (exptime === 0) return NEVER;
  if (exptime < 0) return 0;
  return exptime <= RELATIVE_SECONDS_MAX ? now + exptime * 1000 : exptime * 1000;
}

/** The seconds an item has left, as meta commands tell them: -1 for one that never expires. */
export function ttlFrom(expiresAt: number, now: number): number {
  return expiresAt === NEVER ? -1 : Math.max(0, Math.ceil((expiresAt - now) / 1000));
}
