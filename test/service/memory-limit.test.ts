import { describe, expect, test } from 'vitest';
import { type Memory, memoryLimit } from '../../src/service/memory-limit.ts';
import { LRU_CACHE_BYTES_MAX } from '../../src/storage/lru-cache.ts';

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

const memory = (some: Partial<Memory>): Memory => ({
  machine: 16 * GIB,
  container: undefined,
  heap: 4 * GIB,
  ...some,
});

describe('a limit of its own accord', () => {
  test.each([
    ['a quarter of the machine', memory({}), 4 * GIB],
    ['three quarters of what a container leaves', memory({ container: 1216 * MIB }), 768 * MIB],
    ['64 MiB where there is hardly anything', memory({ container: 128 * MIB }), 64 * MIB],
    ['never more than the store can address', memory({ machine: 1024 * GIB }), 32 * GIB],
  ])('is %s', (_name, there, expected) => {
    expect(memoryLimit({ memoryLimit: 'auto', store: 'arena' }, there)).toBe(expected);
  });

  test('is what the heap can hold, for lru-cache', () => {
    const limit = memoryLimit({ memoryLimit: 'auto', store: 'lru-cache' }, memory({ heap: 992 * MIB }));
    expect(limit).toBe(1000 * MIB);
    expect(
      memoryLimit({ memoryLimit: 'auto', store: 'lru-cache' }, memory({ heap: 9 * GIB, machine: 90 * GIB })),
    ).toBe(LRU_CACHE_BYTES_MAX);
  });

  test('is found for this machine, too', () => {
    expect(memoryLimit({ memoryLimit: 'auto', store: 'arena' })).toBeGreaterThanOrEqual(64 * MIB);
  });
});

describe('a limit that was said', () => {
  test('is taken as it is', () => {
    expect(memoryLimit({ memoryLimit: GIB, store: 'arena' }, memory({}))).toBe(GIB);
    expect(memoryLimit({ memoryLimit: GIB, store: 'lru-cache' }, memory({}))).toBe(GIB);
  });

  test.each([
    ['the machine', 'arena', { machine: GIB }, '2048 MiB are more than this machine has, 1024 MiB'],
    ['the container', 'arena', { container: GIB }, '2048 MiB are more than this container may use, 1024 MiB'],
    [
      "Node's heap",
      'lru-cache',
      { heap: GIB },
      'which has room for 1040 MiB: choose less, raise it by NODE_OPTIONS',
    ],
  ] as const)('is refused where it is too much for %s', (_name, store, there, reason) => {
    expect(() => memoryLimit({ memoryLimit: 2 * GIB, store }, memory(there))).toThrow(reason);
  });

  test('is refused where a Map could not hold so many items', () => {
    const there = memory({ heap: 64 * GIB, machine: 64 * GIB });
    expect(() => memoryLimit({ memoryLimit: 5 * GIB, store: 'lru-cache' }, there)).toThrow(
      'lru-cache holds at most 3814 MiB',
    );
  });
});
