import { randomBytes } from 'node:crypto';
import { Refusal } from '../engine/errors.ts';
import { SortedNames } from './sorted-names.ts';

/** What every cache has, however its items are kept. */
export interface CacheRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
}

/** The caches of a project, by name, and their names in order. */
interface ProjectCaches<R> {
  readonly byName: Map<string, R>;
  readonly names: SortedNames;
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
    const count = this.#projects.get(projectId)?.byName.size ?? 0;
    if (count >= this.#cachesMax) {
      throw new Refusal('too_many_caches', `a project may have at most ${this.#cachesMax} caches`);
    }
    return this.enter(make({ id: randomBytes(12).toString('hex'), projectId, name }));
  }

  /** Enters a cache that was made before. */
  enter(record: R): R {
    const { projectId, name } = record;
    const project = this.#projects.get(projectId) ?? {
      byName: new Map<string, R>(),
      names: new SortedNames(),
    };
    project.byName.set(name, record);
    // In its place at once: sorting a hundred thousand names for a listing would hold up everyone.
    project.names.add(name);
    this.#projects.set(projectId, project);
    return record;
  }

  delete({ projectId, name }: R): void {
    const project = this.#projects.get(projectId);
    if (!project?.byName.delete(name)) return;
    project.names.delete(name);
    if (project.byName.size === 0) this.#projects.delete(projectId);
  }

  /** One page of a project's caches after a name, in the order of their names' code units. */
  page(projectId: string, skip: number, limit: number, previous = ''): R[] {
    const project = this.#projects.get(projectId);
    if (!project) return [];
    const { byName, names } = project;
    return names.behind(previous, skip, limit).flatMap((name) => byName.get(name) ?? []);
  }
}
