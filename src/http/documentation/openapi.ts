import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { cacheSettings } from '../control/cache-settings-schema.ts';
import { newProject, newToken, projectChange } from '../control/control-bodies.ts';
import { controlAnswers } from '../control/control-schemas.ts';
import { dumpSchemas } from '../items/dump-schemas.ts';
import { type JsonSchema, type NamedSchema, namedSchemas } from '../schemas.ts';
import { describe } from './operation-document.ts';

/** Collects every route registered from here on into an OpenAPI document. */
export async function registerOpenApi(app: FastifyInstance, version: string): Promise<void> {
  for (const schema of [
    ...namedSchemas,
    ...dumpSchemas,
    ...[newProject, projectChange, newToken].map(component),
    ...controlAnswers,
    component(cacheSettings),
  ]) {
    app.addSchema(schema);
  }
  await app.register(swagger, {
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, index) => String($id ?? `def-${index}`) },
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'ironcached',
        version,
        summary: 'A self-hosted cache with the IronCache REST API.',
        description:
          'Projects hold caches, caches hold items. The same items can be read and written by memcached clients. ' +
          'Every error is `{"msg": "..."}` with a text that says what to do.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      // Wherever the service is; linters, and generators of clients that do without the document's address, want it said.
      servers: [{ url: '/', description: 'The service that this document comes from' }],
      tags: [
        { name: 'items', description: 'Values under keys' },
        { name: 'caches', description: 'Named sets of items' },
        { name: 'projects', description: 'Who has caches here, and how much; for admin tokens' },
        { name: 'tokens', description: 'Who may use which projects; for admin tokens' },
        { name: 'service', description: 'The service itself' },
      ],
      security: [{ oauthHeader: [] }, { bearer: [] }, { oauthQuery: [] }],
      components: {
        securitySchemes: {
          oauthHeader: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: 'The word OAuth, a space and the token: `OAuth TOKEN`',
          },
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'The token, as `Authorization: Bearer TOKEN`',
          },
          oauthQuery: { type: 'apiKey', in: 'query', name: 'oauth', description: 'The token' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const about = route.config?.operation;
      return { url, schema: about ? describe(about, (name) => app.getSchema(name) as JsonSchema) : schema };
    },
  });
}

/** The schema of a body as a part of the document, which operations refer to by name. */
function component(schema: z.ZodType): NamedSchema {
  const { id: name, examples } = schema.meta() ?? {};
  if (name === undefined) throw new TypeError('a schema of a body needs an id');
  // zod leaves the examples out where what is read becomes something else, such as a time.
  return { $id: name, ...z.toJSONSchema(schema, { io: 'input' }).$defs?.[name], examples };
}
