import type { Key } from '../../src/engine/key.ts';
import type { Decide, Store, StoredCache } from '../../src/engine/store.ts';

/** Which calls of a cache's operations throw instead of doing their work. */
export class Faults {
  #waiting: { operation: Operation; error: Error; times: number }[] = [];

  /** The next calls of the operation throw. */
  inject(operation: Operation, error: Error, times = 1): void {
    this.#waiting.push({ operation, error, times });
  }

  throwIfDue(operation: Operation): void {
    const fault = this.#waiting.find((waiting) => waiting.operation === operation && waiting.times > 0);
    if (!fault) return;
    fault.times--;
    throw fault.error;
  }
}

type Operation = 'read' | 'write' | 'clear' | 'info' | 'list';

/** A store that fails when it is told to. */
export function faultyStore(store: Store, faults: Faults): Store {
  return {
    settings: (projectId, name) => store.settings(projectId, name),
    configure: (projectId, name, settings) => store.configure(projectId, name, settings),
    setQuota: (projectId, quota) => store.setQuota(projectId, quota),
    cache: (projectId, name) => faultyCache(store.cache(projectId, name), faults),
    list: (projectId, ...page) => store.list(projectId, ...page),
    totals: () => store.totals(),
    sweep: () => store.sweep(),
    close: () => store.close(),
  };
}

function faultyCache(cache: StoredCache, faults: Faults): StoredCache {
  const unless = <T>(operation: Operation, answer: () => T): T => {
    faults.throwIfDue(operation);
    return answer();
  };
  return {
    read: (key, use) => unless('read', () => cache.read(key, use)),
    put: (key, value) => unless('write', () => cache.put(key, value)),
    update: <R>(key: Key, decide: Decide<R>) => unless('write', () => cache.update(key, decide)),
    clear: (at) => unless('clear', () => cache.clear(at)),
    delete: () => cache.delete(),
    info: () => unless('info', () => cache.info()),
    glance: () => cache.glance(),
    list: () => unless('list', () => cache.list()),
  };
}
