import { type Clock, clockSet } from '../engine/clock.ts';
import { NEVER } from '../engine/item.ts';

/** Up to 30 days an exptime counts from now; above, it is a Unix time. */
const RELATIVE_SECONDS_MAX = 60 * 60 * 24 * 30;

/**
 * When an item with this exptime expires, by the clock that only goes forward. 0 is never; a negative one,
 * like a Unix time that has passed, is at once.
 */
export function expiresAtFrom(exptime: number, clock: Clock): number {
  if (exptime === 0) return NEVER;
  if (exptime < 0) return 0;
  if (exptime <= RELATIVE_SECONDS_MAX) return clock.now() + exptime * 1000;
  return Math.max(0, exptime * 1000 - clockSet(clock));
}

/** When an item expires as Unix time, in seconds, by the machine's clock as it is now. A begun second counts. */
export function unixExpiry(expiresAt: number, clock: Clock): number {
  return Math.ceil((expiresAt + clockSet(clock)) / 1000);
}

/** Something that has been, as Unix time, in seconds: never in the future. */
export function unixTime(time: number, clock: Clock): number {
  return Math.floor((time + clockSet(clock)) / 1000);
}

/** The seconds an item has left, as meta commands tell them: -1 for one that never expires. */
export function ttlFrom(expiresAt: number, now: number): number {
  return expiresAt === NEVER ? -1 : Math.max(0, Math.ceil((expiresAt - now) / 1000));
}
