import type { FastifyInstance } from 'fastify';

/** Every method and path that the router knows, documented or not: `GET /1/projects/:project`. */
export function registeredRoutes(app: FastifyInstance): string[] {
  const parents: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, part, methods] = /^((?:│ {3}| {4})*)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
      if (indent === undefined || part === undefined) return [];
      const depth = indent.length / 4;
      parents.splice(depth, parents.length, part);
      return (methods?.split(', ') ?? []).map((method) => `${method} ${parents.join('')}`);
    });
}
