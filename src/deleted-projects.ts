import { setImmediate as othersTurn } from 'node:timers/promises';
import type { CacheSettingsFile } from './cache-settings-file.ts';
import type { Config } from './config.ts';
import type { Engine } from './engine/engine.ts';
import type { JournaledStore } from './engine/journal.ts';

const CACHES_AT_ONCE = 100;

export interface DeletedProjectsParts {
  readonly config: Config;
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
   * Deletes the caches of projects that were deleted while the service did not run. Those that another file of
   * projects does not name may be named again: they stay.
   */
  async deleteRestored(projects: ReadonlySet<string>): Promise<void> {
    const { config, store, log } = this.#parts;
    const restored = [...store.journaledCaches()].map(({ projectId }) => projectId);
    const strangers = [...new Set(restored)].filter((id) => !projects.has(id));
    if (strangers.length === 0) return;
    if (config.projectId === undefined && config.credentialsFile === undefined) {
      log.info({ projects: strangers }, 'the caches of projects that were deleted are deleted');
      await this.delete(strangers);
    } else {
      log.warn(
        { projects: strangers },
        'there are caches of projects that do not exist: nobody can use them',
      );
    }
  }
}
