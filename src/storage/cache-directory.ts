import { randomBytes } from 'node:crypto';
import { Refusal } from '../engine/errors.ts';

/** What every cache has, however its items are kept. */
export interface CacheRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
}

/** Which caches each project has, for backends that keep them in this process. */
export class CacheDirectory<R extends CacheRecord> {
  readonly #projects = new Map<string, Map<string, R>>();
  readonly #sortedNames = new Map<string, string[]>();
  readonly #cachesMax: number;

  /** `cachesMax`: how many caches one project may have. */
  constructor(cachesMax: number) {
    this.#cachesMax = cachesMax;
  }

  find(projectId: string, name: string): R | undefined {
    return this.#projects.get(projectId)?.get(name);
  }

  /** Enters a new cache. Throws Refusal `too_many_caches`. */
  create(projectId: string, name: string, make: (record: CacheRecord) => R): R {
    const caches = this.#projects.get(projectId) ?? new Map<string, R>();
    if (caches.size >= this.#cachesMax) {
      throw new Refusal('too_many_caches', `a project may have at most ${this.#cachesMax} caches`);
    }
    const record = make({ id: randomBytes(12).toString('hex'), projectId, name });
    this.#projects.set(projectId, caches.set(name, record));
    this.#sortedNames.delete(projectId);
    return record;
  }

  delete({ projectId, name }: R): void {
    const caches = this.#projects.get(projectId);
    caches?.delete(name);
    if (caches?.size === 0) this.#projects.delete(projectId);
    this.#sortedNames.delete(projectId);
  }

  /** One page of a project's caches, in the order of their names' code units. */
  page(projectId: string, skip: number, limit: number): R[] {
    const caches = this.#projects.get(projectId);
    if (!caches) return [];
    const names = this.#sortedNames.get(projectId) ?? [...caches.keys()].sort();
    this.#sortedNames.set(projectId, names);
    return names.slice(skip, skip + limit).flatMap((name) => caches.get(name) ?? []);
  }
}
