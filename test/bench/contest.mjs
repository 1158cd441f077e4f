import { inTurn } from './pairs.mjs';
import { tell } from './report.mjs';
import { startLimitServer } from './servers.mjs';

/** @typedef {import('./generator.mjs').Generator} Generator */
/** @typedef {import('./generator.mjs').Measurement} Measurement */
/** @typedef {import('./generator.mjs').Settings} Settings */
/** @typedef {import('./servers.mjs').Server} Server */
/** @typedef {{ server: Server, settings: Settings }} Contestant */
/** What the generator reached. @typedef {{ name: string, run: Measurement }} Limit */

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

/**
 * How fast the generator is where the server does nothing.
 * @param {string} name
 * @param {{ request: Buffer, reply: Buffer, settings: Settings }} wire what is sent, and what always comes back
 * @param {{ generator: Generator, seconds: number }} options
 * @returns {Promise<Limit>}
 */
export async function measureLimit(name, { request, reply, settings }, { generator, seconds }) {
  tell(name);
  const server = await startLimitServer(request, reply);
  const oneKey = { connections: 50, keys: 1, warmup: 1 };
  const run = await generator.run(server, { ...oneKey, ...settings, seconds }).finally(server.stop);
  return { name, run };
}
