import { inTurn } from './pairs.mjs';

/** @typedef {import('./generator.mjs').Generator} Generator */
/** @typedef {import('./generator.mjs').Measurement} Measurement */
/** @typedef {import('./generator.mjs').Settings} Settings */
/** @typedef {import('./servers.mjs').Server} Server */
/** @typedef {{ server: Server, settings: Settings }} Contestant */

/**
 * Measures contestants in turn, all up while one is measured, those that wait doing nothing; then stops them.
 * @param {Contestant[] | Record<string, Contestant>} contestants
 * @param {{ generator: Generator, seconds: number, pairs: number }} options
 * @returns {Promise<Record<string, Measurement[]>>}
 */
export async function contest(contestants, { generator, seconds, pairs }) {
  try {
    // The first run stores the keys and lets the compiler see the code.
    for (const { server, settings } of Object.values(contestants)) {
      await generator.run(server, { preload: 1, ...settings, rate: 0, warmup: 1, seconds: 1 });
    }
    const measures = Object.entries(contestants).map(([name, { server, settings }]) => [
      name,
      () => generator.run(server, { ...settings, preload: 0, seconds, warmup: 0.3 }),
    ]);
    return await inTurn(pairs, Object.fromEntries(measures));
  } finally {
    await Promise.all(Object.values(contestants).map(({ server }) => server.stop()));
  }
}
