import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, runGenerator } from './machine.mjs';

/**
 * What one run of load on one server came to; latencies in microseconds.
 * @typedef {object} Measurement
 * @property {number} requestsPerSecond
 * @property {number} keysPerSecond
 * @property {number} seconds
 * @property {number} requests
 * @property {number} p50
 * @property {number} p90
 * @property {number} p99
 * @property {number} p999
 * @property {number} missing gets that found nothing
 * @property {number} unsent requests that were due and could not be sent, at a fixed rate
 * @property {number} serverCpuSeconds
 * @property {number} generatorCpuSeconds
 * @property {number} residentBytes of the server, at the end
 */

const sourceOf = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));

/** The generator of memcached load: load.c, compiled now, or load.mjs where there is no C compiler. */
export function buildGenerator() {
  const compiler = ['cc', 'gcc', 'clang'].find((program) => has(program));
  if (compiler) {
    const directory = mkdtempSync(join(tmpdir(), 'ironcached-bench-'));
    process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
    const program = join(directory, 'load');
    const { status } = spawnSync(compiler, ['-O2', '-o', program, sourceOf('load.c')], { stdio: 'ignore' });
    if (status === 0) return { name: `load.c (${compiler})`, run: runnerOf([program]) };
  }
  return {
    name: 'load.mjs (no C compiler here that builds load.c)',
    run: runnerOf([process.execPath, sourceOf('load.mjs')]),
  };
}

/** @typedef {ReturnType<typeof buildGenerator>} Generator */

/** @param {string[]} command */
function runnerOf(command) {
  /**
   * Rejects if a reply was wrong.
   * @param {import('./servers.mjs').Server} server
   * @param {Record<string, number>} settings see load.c
   * @returns {Promise<Measurement>}
   */
  return async ({ port, pid, auth }, settings) => {
    const words = Object.entries({ ...settings, port, pid, ...(auth ? { auth } : {}) }).map(
      ([n, v]) => `${n}=${v}`,
    );
    const timeoutMs = ((settings['seconds'] ?? 3) + (settings['warmup'] ?? 1) + 60) * 1000;
    return JSON.parse(await runGenerator([...command, ...words], timeoutMs));
  };
}
