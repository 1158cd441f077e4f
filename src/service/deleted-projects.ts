import { setImmediate as othersTurn } from 'node:timers/promises';
import { type Credentials, wasDeleted } from '../auth/credentials.ts';
import type { Engine } from '../engine/engine.ts';
import type { JournaledStore } from '../engine/journal.ts';
import type { CacheSettingsFile } from './cache-settings-file.ts';

const CACHES_AT_ONCE = 100;

interface DeletedProjectsParts {
  readonly engine: Engine;
  readonly store: JournaledStore;
  readonly cacheSettings: CacheSettingsFile;
  readonly log: Record<'info' | 'warn' | 'error', (details: object, message: string) => void>;
}

/** Deletes what deleted projects leave behind: nobody can use it. */
export class DeletedProjects {
  readonly #parts: DeletedProjectsParts;
  /** Those whose caches' settings could not be forgotten yet. */
  #unforgotten: readonly string[] = [];

  constructor(parts: DeletedProjectsParts) {
    this.#parts = parts;
  }

  /** Deletes all that these have. A page at a time, since a project may have a hundred thousand caches. */
  async delete(ids: readonly string[]): Promise<void> {
    const { engine } = this.#parts;
    for (const id of ids) {
      for (;;) {
        const caches = await engine.list(id, 0, CACHES_AT_ONCE);
        if (caches.length === 0) break;
        for (const { name } of caches) await engine.cache(id, name).drop();
        await othersTurn();
      }
    }
    await this.#forgetSettings(ids);
  }

  // What cannot be written now is tried again with the next deletion, or at the next start.
  async #forgetSettings(ids: readonly string[]): Promise<void> {
    const { cacheSettings, log } = this.#parts;
    this.#unforgotten = [...new Set([...this.#unforgotten, ...ids])];
    try {
      await cacheSettings.forgetProjects(this.#unforgotten);
      this.#unforgotten = [];
    } catch (err) {
      log.error(
        { err, projects: this.#unforgotten },
        'settings of the caches of deleted projects stay for now',
      );
    }
  }

  /**
   * Deletes the caches of projects that were deleted while the service was down; `remade`: and made again. Caches of
   * other unknown projects stay: they may be named again, as after one start with other settings.
   */
  async deleteRestored(credentials: Credentials, remade: readonly string[]): Promise<void> {
    const { store, log } = this.#parts;
    const named = new Set(credentials.projects.map(({ id }) => id));
    const restored = new Set([...store.journaledCaches()].map(({ projectId }) => projectId));
    const strangers = [...restored].filter((id) => !named.has(id));
    const deleted = [...strangers.filter((id) => wasDeleted(credentials, id)), ...remade];
    if (deleted.length > 0) {
      log.info({ projects: deleted }, 'the caches of projects that were deleted are deleted');
      await this.delete(deleted);
    }
    await this.#forgetSettings((credentials.deletedProjects ?? []).filter((id) => !named.has(id)));
    const others = strangers.filter((id) => !wasDeleted(credentials, id));
    if (others.length > 0)
      log.warn({ projects: others }, 'there are caches of projects that do not exist: nobody can use them');
  }
}
