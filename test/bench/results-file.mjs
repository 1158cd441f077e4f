import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * What one part came to.
 * @typedef {object} PartResult
 * @property {string} date
 * @property {ReturnType<typeof import('./machine.mjs').describeMachine>} machine
 * @property {object} options
 * @property {{ loadAverage: number[], stolenShare: number }} others
 * @property {string} markdown what it printed
 * @property {any} figures
 */
/** @typedef {Record<string, PartResult>} Results */

/** The parts that a file has. @param {string} file @returns {Results} */
export function readResults(file) {
  if (!existsSync(file)) return {};
  const { parts } = JSON.parse(readFileSync(file, 'utf8'));
  if (parts) return parts;
  throw new Error(`${file} is of an earlier form; remove it`);
}

/** Puts a part's result into a file, in place of an earlier one; other parts stay. @param {string} file @param {string} part @param {PartResult} result */
export function addResult(file, part, result) {
  const parts = { ...readResults(file), [part]: result };
  writeFileSync(file, `${JSON.stringify({ parts }, null, 1)}\n`);
}
