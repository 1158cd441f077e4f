import { join } from 'node:path';
import { notKept } from '../auth/credential-changes.ts';
import { listOf, mistakesIn } from '../auth/schema-mistakes.ts';
import type { CacheSettings } from '../engine/cache-settings.ts';
import type { Engine } from '../engine/engine.ts';
import { Refusal } from '../engine/errors.ts';
import { parseJsonFile } from '../files/json-file.ts';
import { makeDirectory } from '../files/made-directory.ts';
import { readIfThere, writePrivately } from '../files/private-file.ts';
import { settingsFrom, settingsJson } from '../http/control/cache-settings-json.ts';

interface Entry {
  readonly projectId: string;
  readonly cacheName: string;
  readonly settings: CacheSettings;
}

export interface CacheSettingsParts {
  readonly engine: Engine;
  /** For how many caches of one project there may be settings. */
  readonly cachesMax: number;
  readonly log: { error(details: object, message: string): void };
}

/** How operators set single caches, kept in the data directory beside the credentials. */
export class CacheSettingsFile {
  readonly #path: string;
  readonly #engine: Engine;
  readonly #cachesMax: number;
  readonly #log: CacheSettingsParts['log'];
  #entries: readonly Entry[] = [];
  /** The change that is under way, behind which others wait. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, { engine, cachesMax, log }: CacheSettingsParts) {
    this.#cachesMax = cachesMax;
    this.#path = path;
    this.#engine = engine;
    this.#log = log;
  }

  /** Reads what earlier runs kept, and applies it. Throws an error that names every mistake. */
  static async open(dataDir: string, parts: CacheSettingsParts): Promise<CacheSettingsFile> {
    const { engine } = parts;
    const file = new CacheSettingsFile(join(dataDir, 'cache-settings.json'), parts);
    const text = await readIfThere(file.#path);
    if (text === undefined) return file;
    file.#entries = await entriesIn(file.#path, text);
    for (const { projectId, cacheName, settings } of file.#entries) {
      engine.configure(projectId, cacheName, settings);
    }
    return file;
  }

  /** Keeps the settings of a cache and then applies them; undefined: back to what is usual. Throws `notKept`, and Refusal. */
  async configure(projectId: string, cacheName: string, settings: CacheSettings | undefined): Promise<void> {
    const isOther = (entry: Entry) => entry.projectId !== projectId || entry.cacheName !== cacheName;
    try {
      await this.#change(isOther, settings ? [{ projectId, cacheName, settings }] : []);
    } catch (err) {
      if (err instanceof Refusal) throw err;
      this.#log.error({ err }, 'settings of a cache could not be kept');
      throw notKept();
    }
  }

  /** Forgets what was said of the caches of projects that are no more. */
  forgetProjects(ids: readonly string[]): Promise<void> {
    return this.#change(({ projectId }) => !ids.includes(projectId), []);
  }

  #change(keep: (entry: Entry) => boolean, added: readonly Entry[]): Promise<void> {
    const change = this.#last.then(async () => {
      const dropped = this.#entries.filter((entry) => !keep(entry));
      if (dropped.length === 0 && added.length === 0) return;
      const entries = [...this.#entries.filter(keep), ...added];
      for (const { projectId } of added) this.#checkCount(projectId, entries);
      await makeDirectory(join(this.#path, '..'));
      await writePrivately(this.#path, formatted(entries));
      this.#entries = entries;
      for (const { projectId, cacheName } of dropped) this.#engine.configure(projectId, cacheName, undefined);
      for (const { projectId, cacheName, settings } of added) {
        this.#engine.configure(projectId, cacheName, settings);
      }
    });
    this.#last = change.catch(() => {});
    return change;
  }

  // Throws Refusal `too_many_caches`.
  #checkCount(projectId: string, entries: readonly Entry[]): void {
    const max = this.#cachesMax;
    if (entries.filter((entry) => entry.projectId === projectId).length <= max) return;
    throw new Refusal('too_many_caches', `a project may have settings for at most ${max} caches`);
  }
}

async function entriesIn(path: string, text: string): Promise<Entry[]> {
  // Most services have no such file, and zod is a tenth of a start.
  const { cacheSettingsFileSchema } = await import('./cache-settings-file-schema.ts');
  const result = cacheSettingsFileSchema.safeParse(parseJsonFile(path, text));
  if (!result.success) {
    throw new Error(
      `${path} is not a settings file of ironcached: ${listOf(mistakesIn(result.error.issues))}`,
    );
  }
  return result.data.caches.map(({ project_id: projectId, cache: cacheName, ...settings }) => ({
    projectId,
    cacheName,
    settings: settingsFrom(settings),
  }));
}

// In pieces, between which others have their turn: a project may have settings for a hundred thousand caches.
function* formatted(entries: readonly Entry[]): Generator<string> {
  yield '{\n  "version": 1,\n  "caches": [';
  for (let i = 0; i < entries.length; i += ENTRIES_AT_ONCE) {
    const lines = entries.slice(i, i + ENTRIES_AT_ONCE).map(lineOf);
    yield `${i === 0 ? '' : ','}\n${lines.join(',\n')}`;
  }
  yield '\n  ]\n}\n';
}

function lineOf({ projectId, cacheName, settings }: Entry): string {
  return `    ${JSON.stringify({ project_id: projectId, cache: cacheName, ...settingsJson(settings) })}`;
}

const ENTRIES_AT_ONCE = 500;
