import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DocumentationParts } from './documentation-app.ts';

const PATHS = [
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/yaml',
  '/docs/static/index.html',
  '/docs/static/swagger-initializer.js',
  '/docs/static/*',
];

// Headers about the connection are for the outer app to give.
const OF_CONNECTION = ['connection', 'date', 'keep-alive', 'transfer-encoding'];

/**
 * Shows the OpenAPI document as a page at /docs. Its libraries take half as long to load as everything else, and it is
 * seldom asked for, so it is an app of its own that is made on demand.
 */
export function showDocumentation(app: FastifyInstance, parts: DocumentationParts): void {
  let pages: Promise<FastifyInstance> | undefined;
  for (const path of PATHS) {
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      pages ??= makePages(parts);
      try {
        return await answerBy(await pages, request, reply);
      } catch (error) {
        pages = undefined;
        throw error;
      }
    });
  }
  app.addHook('onClose', async () => (await pages)?.close());
}

async function makePages(parts: DocumentationParts): Promise<FastifyInstance> {
  const { buildDocumentation } = await import('./documentation-app.ts');
  return buildDocumentation(parts);
}

async function answerBy(pages: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
  const { headers, raw } = request;
  // Of an answer to HEAD, Fastify itself takes the length and drops the rest.
  const answer = await pages.inject({ method: 'GET', url: raw.url ?? '/docs', headers });
  reply.code(answer.statusCode);
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !OF_CONNECTION.includes(name)) reply.header(name, value);
  }
  return reply.send(answer.rawPayload);
}
