import type { FastifyInstance } from 'fastify';
import { pathOf } from './request-log.ts';

/**
 * Which methods a path has a route for: the difference between 404 and 405, and the `Allow` header.
 * Call before the routes are registered.
 */
export function watchRoutes(app: FastifyInstance): (url?: string) => string[] {
  const routes = new Map<string, { pattern: RegExp; methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const each of [method].flat()) route.methods.add(each);
    routes.set(url, route);
  });
  return (url = '') => {
    const path = originFormOf(pathOf(url));
    const matching = [...routes.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  };
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
