import { hash as digest, timingSafeEqual } from 'node:crypto';

/** Compares tokens with one that is expected, in a time that tells nothing about it. */
export function tokenMatch(expected: string): (given: string) => boolean {
  const hash = digest('sha256', expected, 'buffer');
  return (given) => timingSafeEqual(digest('sha256', given, 'buffer'), hash);
}
