import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
// @ts-expect-error The benchmark is no TypeScript.
import { addResult, readResults, renewed } from './results-file.mjs';

const directory = mkdtempSync(join(tmpdir(), 'ironcached-results-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('the file of results', () => {
  test('keeps what other parts came to', () => {
    const file = join(directory, 'results.json');
    expect(readResults(file)).toEqual({});
    addResult(file, 'rest', { figures: 1 });
    addResult(file, 'start', { figures: 2 });
    addResult(file, 'rest', { figures: 3 });
    expect(readResults(file)).toEqual({ rest: { figures: 3 }, start: { figures: 2 } });
  });

  test('is not written over where it holds something else', () => {
    const file = join(directory, 'other.json');
    writeFileSync(file, '{"results": {}}');
    expect(() => readResults(file)).toThrow('other.json');
    expect(() => addResult(file, 'rest', {})).toThrow('other.json');
  });
});

describe('a part of which some work was measured anew', () => {
  const earlier = { peer: 'old', limits: [{ name: 'limit' }], results: [row('gets', 1), row('sets', 1)] };

  function row(name: string, runs: number) {
    return { name, runs };
  }

  test('has the new figures of that work, the earlier ones of all other, in the earlier order', () => {
    const figures = { peer: 'new', limits: [], results: [row('more', 2), row('gets', 2)] };
    expect(renewed(earlier, figures)).toEqual({
      peer: 'new',
      limits: [{ name: 'limit' }],
      results: [row('gets', 2), row('sets', 1), row('more', 2)],
    });
  });
});
