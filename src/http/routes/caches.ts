import type { FastifyInstance, FastifyReply } from 'fastify';
import { after } from '../../engine/answer.ts';
import type { Engine } from '../../engine/engine.ts';
import type { CacheInfo } from '../../engine/store.ts';
import { CACHE_NOT_FOUND, DELETED, messageJson, sendJson } from '../json-answer.ts';
import { operation } from '../operation.ts';
import {
  type CachePath,
  cacheInfo,
  cacheList,
  cachePath,
  message,
  type PageQuery,
  type ProjectPath,
  pageQuery,
  projectPath,
} from '../schemas.ts';

const CLEARED = messageJson('Cleared.');

const errors = { 404: 'Cache not found' };

export async function cacheRoutes(app: FastifyInstance, { engine }: { engine: Engine }): Promise<void> {
  app.get<{ Params: ProjectPath; Querystring: PageQuery }>(
    '/caches',
    operation({
      id: 'listCaches',
      tag: 'caches',
      needs: 'read',
      summary: 'List the caches of a project, by name',
      path: projectPath,
      query: pageQuery,
      answer: { description: 'One page of the list', schema: cacheList },
      errors: { 400: 'The parameter per_page must be <= 100.' },
    }),
    ({ params, query }, reply) => {
      const { previous, page, per_page: perPage } = query;
      return after(engine.list(params.project, page * perPage, perPage, previous), (caches) =>
        sendJson(reply, JSON.stringify(caches.map(listed))),
      );
    },
  );

  app.get<{ Params: CachePath }>(
    '/caches/:cache',
    operation({
      id: 'getCache',
      tag: 'caches',
      needs: 'read',
      summary: 'Tell about a cache',
      path: cachePath,
      answer: { description: 'The cache', schema: cacheInfo },
      errors,
    }),
    ({ params }, reply) =>
      after(engine.cache(params.project, params.cache).info(), (info) => {
        if (!info) sendJson(reply, CACHE_NOT_FOUND, 404);
        else sendJson(reply, JSON.stringify({ ...listed(info), size: info.items, data_size: info.bytes }));
      }),
  );

  app.delete<{ Params: CachePath }>(
    '/caches/:cache',
    operation({
      id: 'deleteCache',
      tag: 'caches',
      needs: 'write',
      summary: 'Delete a cache and all its items',
      path: cachePath,
      answer: { description: 'It is gone', schema: message, examples: { deleted: { msg: 'Deleted.' } } },
      errors,
    }),
    ({ params }, reply) =>
      after(engine.cache(params.project, params.cache).drop(), (existed) => done(reply, existed, DELETED)),
  );

  app.post<{ Params: CachePath }>(
    '/caches/:cache/clear',
    operation({
      id: 'clearCache',
      tag: 'caches',
      needs: 'write',
      summary: 'Delete all items of a cache',
      path: cachePath,
      answer: { description: 'It is empty', schema: message, examples: { cleared: { msg: 'Cleared.' } } },
      errors,
    }),
    ({ params }, reply) =>
      after(engine.cache(params.project, params.cache).clear(), (existed) => done(reply, existed, CLEARED)),
  );
}

function done(reply: FastifyReply, existed: boolean, answer: string): void {
  if (existed) sendJson(reply, answer);
  else sendJson(reply, CACHE_NOT_FOUND, 404);
}

function listed({ id, projectId, name }: CacheInfo): { id: string; project_id: string; name: string } {
  return { id, project_id: projectId, name };
}
