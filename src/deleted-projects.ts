import { setImmediate as othersTurn } from 'node:timers/promises';
import { type Credentials, wasDeleted } from './auth/credentials.ts';
import type { CacheSettingsFile } from './cache-settings-file.ts';
import type { Engine } from './engine/engine.ts';
import type { JournaledStore } from './engine/journal.ts';

const CACHES_AT_ONCE = 100;

export interface DeletedProjectsParts {
  readonly engine: Engine;
  readonly store: JournaledStore;
  readonly cacheSettings: CacheSettingsFile;
  readonly log: Record<'info' | 'warn', (details: object, message: string) => void>;
}

/** Deletes what projects leave that are no more: nobody can use it. */
export class DeletedProjects {
  readonly #parts: DeletedProjectsParts;

  constructor(parts: DeletedProjectsParts) {
    this.#parts = parts;
  }

  /** Deletes all that these have. A page at a time, since a project may have a hundred thousand caches. */
  async delete(ids: readonly string[]): Promise<void> {
    const { engine, cacheSettings } = this.#parts;
    for (const id of ids) {
      engine.setProjectQuota(id, {});
      for (;;) {
        const caches = await engine.list(id, 0, CACHES_AT_ONCE);
        if (caches.length === 0) break;
        for (const { name } of caches) await engine.cache(id, name).drop();
        await othersTurn();
      }
    }
    await cacheSettings.forgetProjects(ids);
  }

  /**
   * Deletes the caches of projects that were deleted while the service did not run. Others that are not named may be
   * named again, where the service was started once with other settings, say: their caches stay.
   */
  async deleteRestored(credentials: Credentials): Promise<void> {
    const { store, log } = this.#parts;
    const named = new Set(credentials.projects.map(({ id }) => id));
    const restored = new Set([...store.journaledCaches()].map(({ projectId }) => projectId));
    const strangers = [...restored].filter((id) => !named.has(id));
    const deleted = strangers.filter((id) => wasDeleted(credentials, id));
    if (deleted.length > 0) {
      log.info({ projects: deleted }, 'the caches of projects that were deleted are deleted');
      await this.delete(deleted);
    }
    const others = strangers.filter((id) => !wasDeleted(credentials, id));
    if (others.length > 0)
      log.warn({ projects: others }, 'there are caches of projects that do not exist: nobody can use them');
  }
}
