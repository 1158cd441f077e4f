import { describe, expect, test } from 'vitest';
import { NEVER } from '../../src/engine/item.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { testClock } from '../support/clock.ts';
import { kept } from '../support/garbage.ts';

const PROJECT = 'a1'.repeat(12);
const VALUE = { value: Buffer.from('v'), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;

const stores = [
  ['arena', ArenaStore],
  ['lru-cache', LruCacheStore],
] as const;

describe.each(stores)('%s', (_name, Store) => {
  const open = () => new Store({ bytesMax: 1024 * 1024, cachesMax: 9, now: testClock().now });

  /** Makes a cache, and answers what is kept of it and of its project. */
  function make(store: ReturnType<typeof open>, handle: ReturnType<typeof store.cache>): WeakRef<object>[] {
    handle.put('k', VALUE);
    const cache = store.caches.find(PROJECT, 'c');
    if (!cache) throw new Error('there is no cache');
    return [new WeakRef(cache), new WeakRef(cache.contents), new WeakRef(cache.account)];
  }

  // A weak reference is a strong one until the turn ends.
  const turnEnd = () => new Promise((resolve) => setImmediate(resolve));

  test('a deleted cache is forgotten, and a project that has no other, though somebody still holds its name', async () => {
    const store = open();
    const handle = store.cache(PROJECT, 'c');
    const made = make(store, handle);
    await turnEnd();
    expect(kept(made)).toBe(3);
    handle.delete();
    while (store.sweep());
    store.setQuota(PROJECT, { bytesMax: undefined, itemsMax: undefined });
    await turnEnd();
    expect(kept(made)).toBe(0);
    expect(handle.glance()).toBeUndefined();
  });

  test('who has put items back is forgotten once that is done', async () => {
    const store = open();
    function restore(): WeakRef<object> {
      const later = () => false;
      const restoration = store.restoration(later);
      restoration.cache({ number: 1, id: 'c1'.repeat(12), projectId: PROJECT, name: 'c' });
      restoration.itemPut(1, 'k', { ...VALUE, cas: 1 }, 0);
      return new WeakRef(later);
    }
    const reference = restore();
    await turnEnd();
    expect(kept([reference])).toBe(0);
  });

  test('the quota of a project outlasts its caches', async () => {
    const store = open();
    const handle = store.cache(PROJECT, 'c');
    store.setQuota(PROJECT, { itemsMax: 1 });
    make(store, handle);
    handle.delete();
    handle.put('k', VALUE);
    handle.put('l', VALUE);
    expect(handle.info()).toMatchObject({ items: 1 });
  });
});
