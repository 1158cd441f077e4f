import { randomBytes } from 'node:crypto';
import { Refusal } from '../engine/errors.ts';

/** What every cache has, however its items are kept. */
export interface CacheRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
}

/** The caches of a project, by name, and their names in order. */
interface ProjectCaches<R> {
  readonly byName: Map<string, R>;
  readonly names: string[];
}

/** Which caches each project has, for backends that keep them in this process. */
export class CacheDirectory<R extends CacheRecord> {
  readonly #projects = new Map<string, ProjectCaches<R>>();
  readonly #cachesMax: number;

  /** `cachesMax`: how many caches one project may have. */
  constructor(cachesMax: number) {
    this.#cachesMax = cachesMax;
  }

  find(projectId: string, name: string): R | undefined {
    return this.#projects.get(projectId)?.byName.get(name);
  }

  /** Every cache of every project; they may come and go meanwhile. */
  *all(): Generator<R> {
    for (const { byName } of this.#projects.values()) yield* byName.values();
  }

  /** Enters a new cache. Throws Refusal `too_many_caches`. */
  create(projectId: string, name: string, make: (record: CacheRecord) => R): R {
    const count = this.#projects.get(projectId)?.names.length ?? 0;
    if (count >= this.#cachesMax) {
      throw new Refusal('too_many_caches', `a project may have at most ${this.#cachesMax} caches`);
    }
    return this.enter(make({ id: randomBytes(12).toString('hex'), projectId, name }));
  }

  /** Enters a cache that was made before. */
  enter(record: R): R {
    const { projectId, name } = record;
    const { byName, names } = this.#projects.get(projectId) ?? { byName: new Map<string, R>(), names: [] };
    byName.set(name, record);
    // In its place at once: sorting a hundred thousand names for a listing would hold up everyone.
    names.splice(placeOf(names, name), 0, name);
    this.#projects.set(projectId, { byName, names });
    return record;
  }

  delete({ projectId, name }: R): void {
    const project = this.#projects.get(projectId);
    if (!project?.byName.delete(name)) return;
    project.names.splice(placeOf(project.names, name), 1);
    if (project.names.length === 0) this.#projects.delete(projectId);
  }

  /** One page of a project's caches after a name, in the order of their names' code units. */
  page(projectId: string, skip: number, limit: number, previous = ''): R[] {
    const { byName, names } = this.#projects.get(projectId) ?? { byName: new Map<string, R>(), names: [] };
    const first = placeOf(names, previous) + (byName.has(previous) ? 1 : 0) + skip;
    return names.slice(first, first + limit).flatMap((name) => byName.get(name) ?? []);
  }
}

/** Where a name stands in sorted names, or would stand. */
function placeOf(names: readonly string[], name: string): number {
  let from = 0;
  let to = names.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((names[middle] as string) < name) from = middle + 1;
    else to = middle;
  }
  return from;
}
