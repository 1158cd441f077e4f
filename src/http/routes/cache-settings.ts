import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Accounts } from '../../auth/accounts.ts';
import type { Cache } from '../../engine/cache.ts';
import type { CacheSettings } from '../../engine/cache-settings.ts';
import type { Engine } from '../../engine/engine.ts';
import { administeredProject } from '../control/administer.ts';
import { settingsJson } from '../control/cache-settings-json.ts';
import { readCacheSettings } from '../control/control-requests.ts';
import { cacheSettings } from '../control/control-schemas.ts';
import { DELETED, sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { type CachePath, cachePath, message } from '../schemas.ts';

export interface CacheSettingsParts {
  readonly accounts: Accounts;
  readonly engine: Engine;
  /** Keeps the settings of a cache, and applies them; undefined: back to what is usual. */
  readonly configure: (
    projectId: string,
    cacheName: string,
    settings: CacheSettings | undefined,
  ) => Promise<void>;
}

export async function cacheSettingsRoutes(app: FastifyInstance, parts: CacheSettingsParts): Promise<void> {
  const { accounts, engine, configure } = parts;

  app.get<{ Params: CachePath }>(
    '/projects/:project/caches/:cache/settings',
    operation({
      id: 'getCacheSettings',
      tag: 'caches',
      summary: 'Tell how a cache is set, whether it exists or not',
      path: cachePath,
      answer: { description: 'The settings', schema: cacheSettings },
    }),
    (request, reply) => {
      const { projectId, name } = cacheOf(request);
      sendJson(reply, JSON.stringify(settingsJson(engine.settings(projectId, name))));
    },
  );

  app.put<{ Params: CachePath }>(
    '/projects/:project/caches/:cache/settings',
    operation({
      id: 'putCacheSettings',
      tag: 'caches',
      summary: 'Set how a cache evicts and expires, and how much it may hold',
      description:
        'What is not given is as usual. The settings stay when the cache is deleted, and when the service ends. ' +
        'Where a quota is lowered, what is too much goes as others are written.',
      path: cachePath,
      body: cacheSettings,
      answer: { description: 'The settings as they are now', schema: cacheSettings },
      errors: { 413: undefined },
    }),
    async (request, reply) => {
      cacheOf(request);
      const settings = await readCacheSettings(request.raw);
      // Anew: while the body came, the project may have been deleted, or the token revoked.
      const { projectId, name } = cacheOf(request);
      await configure(projectId, name, settings);
      sendJson(reply, JSON.stringify(settingsJson(settings)));
      return reply;
    },
  );

  app.delete<{ Params: CachePath }>(
    '/projects/:project/caches/:cache/settings',
    operation({
      id: 'deleteCacheSettings',
      tag: 'caches',
      summary: 'Set a cache back to what is usual',
      path: cachePath,
      answer: { description: 'It is as usual', schema: message, examples: { deleted: { msg: 'Deleted.' } } },
    }),
    async (request, reply) => {
      const { projectId, name } = cacheOf(request);
      await configure(projectId, name, undefined);
      sendJson(reply, DELETED);
      return reply;
    },
  );

  function cacheOf(request: FastifyRequest<{ Params: CachePath }>): Cache {
    const { id } = administeredProject(request, accounts);
    return engine.cache(id, request.params.cache);
  }
}
