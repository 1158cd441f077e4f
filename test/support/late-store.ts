import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Key } from '../../src/engine/key.ts';
import type { Decide, ListedItem, Store, StoredCache } from '../../src/engine/store.ts';

/** A store that answers everything later, as one behind a network does. */
export function lateStore(store: Store): Store {
  return {
    settings: (projectId, name) => store.settings(projectId, name),
    configure: (projectId, name, settings) => store.configure(projectId, name, settings),
    setQuota: (projectId, quota) => store.setQuota(projectId, quota),
    cache: (projectId, name) => lateCache(store.cache(projectId, name)),
    list: (projectId, ...page) => later(() => store.list(projectId, ...page)),
    totals: () => later(() => store.totals()),
    sweep: () => later(() => store.sweep()),
    close: () => later(() => store.close()),
  };
}

function lateCache(cache: StoredCache): StoredCache {
  return {
    isLate: true,
    read: (key, use) => {
      const kept = String(key);
      return later(() => cache.read(kept, use));
    },
    put: (key, value) => {
      const kept = String(key);
      return later(() => cache.put(kept, value));
    },
    update: <R>(key: Key, decide: Decide<R>) => {
      const kept = String(key);
      return later(() => cache.update(kept, decide));
    },
    clear: (at) => later(() => cache.clear(at)),
    delete: () => later(() => cache.delete()),
    info: () => later(() => cache.info()),
    glance: () => cache.glance(),
    list: () => listLater(cache),
  };
}

async function later<T>(answer: () => T | Promise<T>): Promise<T> {
  await nextTurn();
  return answer();
}

async function* listLater(cache: StoredCache): AsyncGenerator<ListedItem> {
  for await (const listed of cache.list()) {
    await nextTurn();
    yield listed;
  }
}
