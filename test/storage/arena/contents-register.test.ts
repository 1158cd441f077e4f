import { expect, test } from 'vitest';
import { ChunkHeap } from '../../../src/storage/arena/chunk-heap.ts';
import { ContentsRegister } from '../../../src/storage/arena/contents-register.ts';
import type { Owner } from '../../../src/storage/arena/packed-items.ts';
import { MemoryCaches } from '../../../src/storage/memory-caches.ts';

test('the numbers of contents begin again when all were given, without those that are in use', () => {
  const heap = new ChunkHeap({ bytesMax: 1024 * 1024, moved: () => {} });
  const register = new ContentsRegister(heap, 4);
  const caches = new MemoryCaches<Owner>({
    bytesMax: 1024 * 1024,
    cachesMax: 9,
    now: () => 0,
    newContents: (cache) => register.add(cache),
    oldestUse: () => 0,
    discard: (contents) => register.discard(contents),
  });
  const other = caches.create('p', 'other');
  const cache = caches.create('p', 'cleared');
  const ids: number[] = [];
  for (let i = 0; i < 7; i++) {
    const { contents } = cache;
    ids.push(contents.kept.id);
    expect(register.of(contents.kept.id)).toBe(contents);
    caches.clear(cache);
  }
  expect(ids).toEqual([2, 3, 4, 2, 3, 4, 2]);
  expect(register.of(other.contents.kept.id)).toBe(other.contents);
});
