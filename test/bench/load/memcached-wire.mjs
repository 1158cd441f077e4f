// memcached's text protocol, classic or meta, as memcached.c speaks it.
import { itemValue, keyOf } from './items.mjs';

/** All numbers that are counted up are as long, from the first to the last of a run. */
const FIRST_NUMBER = '1000000000';

/** @typedef {{ value: number, meta: boolean, exptime?: number, incr?: boolean }} Wire */

/** @param {number} number @param {Wire} workload */
export function setRequest(number, { value, meta, exptime = 0, incr = false }) {
  const key = keyOf(number);
  if (incr) return Buffer.from(`set ${key} 0 0 ${FIRST_NUMBER.length}\r\n${FIRST_NUMBER}\r\n`);
  const line = meta
    ? `ms ${key} ${value} F${number}${exptime > 0 ? ` T${exptime}` : ''}`
    : `set ${key} ${number} ${exptime} ${value}`;
  return Buffer.concat([Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')]);
}

/** @param {Wire} workload */
export function setReply({ meta }) {
  return Buffer.from(meta ? 'HD\r\n' : 'STORED\r\n');
}

/** What counts a number up. @param {number} number */
export function incrRequest(number) {
  return Buffer.from(`incr ${keyOf(number)} 1\r\n`);
}

/** Is this what a number was counted up to? @param {Buffer} bytes */
export function isSum(bytes) {
  const text = bytes.toString('latin1');
  return /^\d{10}\r\n$/.test(text) && text > FIRST_NUMBER;
}

/** What one was counted up to, first of all. */
export const SUM = Buffer.from(`${Number(FIRST_NUMBER) + 1}\r\n`);

/** @param {number[]} numbers @param {{ meta: boolean }} workload */
export function getRequest(numbers, { meta }) {
  const keys = numbers.map(keyOf).join(' ');
  return Buffer.from(meta ? `mg ${keys} f k v\r\n` : `get ${keys}\r\n`);
}

/**
 * Of a get that finds nothing.
 * @param {Wire} workload
 */
export function missReply({ meta }) {
  return Buffer.from(meta ? 'EN\r\n' : 'END\r\n');
}

/** @param {number[]} numbers @param {Wire} workload */
export function getReply(numbers, { value, meta }) {
  const parts = numbers.flatMap((number) => {
    const key = keyOf(number);
    const line = meta ? `VA ${value} f${number} k${key}` : `VALUE ${key} ${number} ${value}`;
    return [Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')];
  });
  return Buffer.concat(meta ? parts : [...parts, Buffer.from('END\r\n')]);
}
