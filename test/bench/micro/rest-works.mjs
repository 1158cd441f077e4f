import assert from 'node:assert';
import { jsonFromItem } from '../../../dist/http/item-value.js';
import { readPutRequest } from '../../../dist/http/put-request.js';
import { itemValue } from '../load/items.mjs';
import { forEachNumber } from './work.mjs';

/** @returns {import('./work.mjs').Work[]} */
export function restWorks() {
  return Object.entries({ '100 B': 100, '10 KB': 10_000 }).flatMap(([size, bytes]) => {
    const value = itemValue(0, bytes, true);
    const json = JSON.stringify(value.toString());
    const body = Buffer.from(`{"value":${json}}`);
    const item = /** @type {const} */ ({ value, kind: 'text' });
    assert.equal(jsonFromItem(item).json, json);
    assert(readPutRequest(body).value.equals(value));
    return [
      forEachNumber(`REST, a value of ${size} as JSON`, () => jsonFromItem(item)),
      forEachNumber(`REST, the body of a PUT of ${size}`, () => readPutRequest(body)),
    ];
  });
}
