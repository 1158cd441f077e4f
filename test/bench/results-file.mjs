import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * What one part came to.
 * @typedef {object} PartResult
 * @property {string} date
 * @property {ReturnType<typeof import('./machine.mjs').describeMachine>} machine
 * @property {{ seconds: number, pairs: number }} options
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

/**
 * The figures of a part of which some work was measured anew, with all other work as it was.
 * @param {any} earlier @param {any} figures
 */
export function renewed(earlier, figures) {
  const members = Object.entries(figures).map(([name, now]) => [name, withOthers(earlier[name], now)]);
  return Object.fromEntries(members);
}

/** Rows have names; those that are not in `now` stay as they are in `before`. @param {any} before @param {any} now */
function withOthers(before, now) {
  if (!Array.isArray(before) || !Array.isArray(now)) return now;
  const ofName = new Map([...before, ...now].map((row) => [row.name ?? row, row]));
  return [...ofName.values()];
}
