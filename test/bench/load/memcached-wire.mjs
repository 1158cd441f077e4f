// memcached's text protocol, classic or meta, as memcached.c speaks it.
import { itemValue, keyOf } from './items.mjs';

/** @param {number} number @param {{ value: number, meta: boolean }} workload */
export function setRequest(number, { value, meta }) {
  const line = meta ? `ms ${keyOf(number)} ${value} F${number}` : `set ${keyOf(number)} ${number} 0 ${value}`;
  return Buffer.concat([Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')]);
}

/** @param {{ meta: boolean }} workload */
export function setReply({ meta }) {
  return Buffer.from(meta ? 'HD\r\n' : 'STORED\r\n');
}

/** @param {number[]} numbers @param {{ meta: boolean }} workload */
export function getRequest(numbers, { meta }) {
  const keys = numbers.map(keyOf).join(' ');
  return Buffer.from(meta ? `mg ${keys} f k v\r\n` : `get ${keys}\r\n`);
}

/**
 * Of a get that finds nothing.
 * @param {{ meta: boolean }} workload
 */
export function missReply({ meta }) {
  return Buffer.from(meta ? 'EN\r\n' : 'END\r\n');
}

/** @param {number[]} numbers @param {{ value: number, meta: boolean }} workload */
export function getReply(numbers, { value, meta }) {
  const parts = numbers.flatMap((number) => {
    const key = keyOf(number);
    const line = meta ? `VA ${value} f${number} k${key}` : `VALUE ${key} ${number} ${value}`;
    return [Buffer.from(`${line}\r\n`), itemValue(number, value), Buffer.from('\r\n')];
  });
  return Buffer.concat(meta ? parts : [...parts, Buffer.from('END\r\n')]);
}
