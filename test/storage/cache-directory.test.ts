import { describe, expect, test } from 'vitest';
import { Refusal } from '../../src/engine/errors.ts';
import { CacheDirectory, type CacheRecord } from '../../src/storage/cache-directory.ts';

const PROJECT = 'a1'.repeat(12);

function directoryOf(cachesMax: number, ...names: string[]) {
  const directory = new CacheDirectory<CacheRecord>(cachesMax);
  for (const name of names) directory.create(PROJECT, name, (record) => record);
  return directory;
}

describe('a directory of caches', () => {
  test('keeps what the backend made of the record it was given', () => {
    const directory = new CacheDirectory<CacheRecord & { readonly note: string }>(9);
    const made = directory.create(PROJECT, 'c', (record) => ({ ...record, note: 'mine' }));
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/),
      projectId: PROJECT,
      name: 'c',
      note: 'mine',
    });
    expect(directory.find(PROJECT, 'c')).toBe(made);
    expect(directory.find(PROJECT, 'd')).toBeUndefined();
    expect(directory.find('no project', 'c')).toBeUndefined();
  });

  test('gives every cache an id of its own', () => {
    const ids = directoryOf(100, ...'abcdefghij')
      .page(PROJECT, 0, 100)
      .map(({ id }) => id);
    expect(new Set(ids).size).toBe(10);
  });

  test('orders names by code units, also those that come later', () => {
    const directory = directoryOf(100, 'b', 'B');
    expect(directory.page(PROJECT, 0, 9).map(({ name }) => name)).toEqual(['B', 'b']);
    directory.create(PROJECT, 'a', (record) => record);
    expect(directory.page(PROJECT, 0, 9).map(({ name }) => name)).toEqual(['B', 'a', 'b']);
    expect(directory.page(PROJECT, 1, 1).map(({ name }) => name)).toEqual(['a']);
  });

  test('asks nothing of the backend for a cache that is one too many', () => {
    const directory = directoryOf(1, 'a');
    const refused = () =>
      directory.create(PROJECT, 'b', () => {
        throw new Error('was asked');
      });
    expect(refused).toThrow(Refusal);
    expect(refused).toThrow('a project may have at most 1 caches');
  });

  test('forgets a deleted cache, and the project with its last', () => {
    const directory = directoryOf(2, 'a', 'b');
    for (const name of ['a', 'b']) {
      const record = directory.find(PROJECT, name);
      if (record) directory.delete(record);
      expect(directory.find(PROJECT, name)).toBeUndefined();
    }
    expect(directory.page(PROJECT, 0, 9)).toEqual([]);
    directory.create(PROJECT, 'c', (record) => record);
    expect(directory.page(PROJECT, 0, 9).map(({ name }) => name)).toEqual(['c']);
  });
});
