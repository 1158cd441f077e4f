// What the pieces of work share. Each is checked when it is made, and then only timed.
import { Engine } from '../../../dist/engine/engine.js';
import { ArenaStore } from '../../../dist/storage/arena.js';
import { LruCacheStore } from '../../../dist/storage/lru-cache.js';

/**
 * `run` does the work so many times.
 * @typedef {{ name: string, times: number, run: () => unknown }} Work
 */

export const PROJECT_ID = '0123456789abcdef01234567';
export const MIB = 2 ** 20;
const ITEMS = 10_000;

/** Those of the keys that work goes through. */
export const numbers = Array.from({ length: ITEMS }, (_, i) => i);

const started = Date.now();
export const clock = { now: () => started + performance.now(), unixNow: () => Date.now() };

/** @param {'arena' | 'lru-cache'} kind */
export function openStore(kind, bytesMax = 64 * MIB) {
  const options = { bytesMax, cachesMax: 10, now: clock.now };
  return kind === 'arena' ? new ArenaStore(options) : new LruCacheStore(options);
}

/** @param {ReturnType<typeof openStore>} store */
export function engineOver(store) {
  return new Engine(store, { valueBytesMax: MIB, defaultExpiresInSeconds: 0 }, clock);
}

/** One piece for each number. @param {string} name @param {(number: number) => unknown} step @returns {Work} */
export function forEachNumber(name, step) {
  const run = () => {
    for (let number = 0; number < ITEMS; number++) step(number);
  };
  return { name, times: ITEMS, run };
}
