import type { FastifyInstance } from 'fastify';
import { sendError, sendNotFound } from './errors.ts';
import { pathOf } from './request-log.ts';

/**
 * Answers where no route fits: 405 with the methods that the path has routes for, or 404 where it has none. Call before
 * the routes are registered.
 */
export function answerUnknownRoutes(app: FastifyInstance): void {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const each of [method].flat()) route.methods.add(each);
    routes.set(url, route);
  });
  app.setNotFoundHandler(({ raw: { url = '' } }, reply) => {
    const path = originFormOf(pathOf(url));
    const matching = [...routes.values()].filter(({ pattern }) => pattern.test(path));
    const methods = new Set(matching.flatMap((route) => [...route.methods]));
    const allow = [...methods].sort().join(', ');
    if (allow === '') sendNotFound(reply);
    else sendError(reply, { status: 405, msg: `This endpoint allows ${allow}.`, headers: { allow } });
  });
}

// Matches the path as it was sent, still encoded, so that %2F is no separator.
function patternOf(url: string): RegExp {
  const source = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[^/]+/g, '[^/]+');
  return new RegExp(`^${source.replace('*', '.*')}$`);
}

// Proxies send whole URLs: `GET http://host/path`.
function originFormOf(path: string): string {
  return path.replace(/^https?:\/\/[^/]*/i, '');
}
