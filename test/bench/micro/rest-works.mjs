import assert from 'node:assert';
import { itemText } from '../../../dist/http/items/item-answer.js';
import { readPutRequest } from '../../../dist/http/items/put-request.js';
import { ValueBufferPool } from '../../../dist/http/items/value-buffer-pool.js';
import { itemValue } from '../load/items.mjs';
import { forEachNumber } from './work.mjs';

/** @returns {import('./work.mjs').Work[]} */
export function restWorks() {
  const buffers = new ValueBufferPool();
  return Object.entries({ '100 B': 100, '10 KB': 10_000 }).flatMap(([size, bytes]) => {
    const value = itemValue(0, bytes, true);
    const body = Buffer.from(JSON.stringify({ value: value.toString() }));
    const item = /** @type {const} */ ({
      kind: 'text',
      valueLength: value.length,
      copyValue: (/** @type {Buffer} */ target, /** @type {number} */ at) => void value.copy(target, at),
    });
    const asJson = () => itemText(buffers.forValue(bytes), '{"value":', item, '}');
    assert.equal(asJson(), body.toString('latin1'));
    assert(readPutRequest(body, buffers).value.equals(value));
    return [
      forEachNumber(`REST, a value of ${size} as JSON`, asJson),
      forEachNumber(`REST, the body of a PUT of ${size}`, () => readPutRequest(body, buffers)),
    ];
  });
}
