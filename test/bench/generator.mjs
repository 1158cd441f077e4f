import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
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
 * @property {number} late the share of requests that took longer than a millisecond
 * @property {number} missing gets that found nothing
 * @property {number} unsent requests that were due and could not be sent, at a fixed rate
 * @property {number} serverCpuSeconds
 * @property {number} generatorCpuSeconds
 * @property {number} residentBytes of the server, at the end
 */
/** See load/load.c. @typedef {Record<string, number | string>} Settings */

const sources = fileURLToPath(new URL('load/', import.meta.url));

/** The generator of load: load/*.c, compiled now, or load/load.mjs where there is no C compiler. */
export function buildGenerator() {
  const directory = mkdtempSync(join(tmpdir(), 'ironcached-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const compiler = ['cc', 'gcc', 'clang'].find((program) => has(program));
  const program = compiler && compiled(compiler, join(directory, 'load'));
  return program
    ? { name: `load.c (${compiler})`, run: runnerOf([program], directory) }
    : {
        name: 'load.mjs (no C compiler here that builds load.c)',
        run: runnerOf([process.execPath, join(sources, 'load.mjs')], directory),
      };
}

/** @typedef {ReturnType<typeof buildGenerator>} Generator */

/** @param {string} compiler @param {string} program @returns {string | undefined} */
function compiled(compiler, program) {
  const files = readdirSync(sources).filter((file) => file.endsWith('.c'));
  const paths = files.map((file) => join(sources, file));
  const { status } = spawnSync(compiler, ['-O2', '-o', program, ...paths], { stdio: 'ignore' });
  return status === 0 ? program : undefined;
}

/** @param {string[]} command @param {string} directory */
function runnerOf(command, directory) {
  /**
   * Rejects if a reply was wrong.
   * @param {import('./servers.mjs').Server} server
   * @param {Settings} settings
   * @returns {Promise<Measurement>}
   */
  return async (server, settings) => {
    const accounts = server.accounts ?? (server.auth === undefined ? [] : [server.auth]);
    const file = join(directory, 'accounts');
    writeFileSync(file, accounts.map((account) => `${account}\n`).join(''), { mode: 0o600 });
    const words = Object.entries({
      port: settings['getRequest'] ? server.httpPort : server.port,
      pids: (server.pids ?? [server.pid]).join(','),
      ...(accounts.length > 0 ? { accounts: file } : {}),
      ...settings,
    }).map(([name, value]) => `${name}=${value}`);
    return JSON.parse(await runGenerator([...command, ...words], timeoutMs(settings)));
  };
}

// What is stored first may take its time.
const STORED_PER_SECOND_MIN = 20_000;

/** @param {Settings} settings */
function timeoutMs({ seconds = 3, warmup = 1, preload = 0, keys = 0, connections = 1 }) {
  const toStore = Number(keys) * (preload === 2 ? Number(connections) : Number(preload));
  return (Number(seconds) + Number(warmup) + toStore / STORED_PER_SECOND_MIN + 60) * 1000;
}
