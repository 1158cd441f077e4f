import type { Store, StoredCache } from '../../src/engine/store.ts';

/** A store that does everything at once, but answers with promises; late-store.ts has one that does it later, too. */
export function laterStore(store: Store): Store {
  return {
    settings: (projectId, name) => store.settings(projectId, name),
    configure: (projectId, name, settings) => store.configure(projectId, name, settings),
    setQuota: (projectId, quota) => store.setQuota(projectId, quota),
    cache: (projectId, name) => laterCache(store.cache(projectId, name)),
    list: async (projectId, ...page) => store.list(projectId, ...page),
    totals: async () => store.totals(),
    sweep: async () => store.sweep(),
    close: async () => store.close(),
  };
}

function laterCache(cache: StoredCache): StoredCache {
  return {
    read: async (key, use) => cache.read(key, use),
    put: async (key, value) => cache.put(key, value),
    update: async (key, decide) => cache.update(key, decide),
    clear: async (at) => cache.clear(at),
    delete: async () => cache.delete(),
    info: async () => cache.info(),
    glance: () => cache.glance(),
    list: () => cache.list(),
  };
}
