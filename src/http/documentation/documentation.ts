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
  const files = new Files();
  for (const path of PATHS) {
    app.get(path, { schema: { hide: true } }, async (request, reply) => {
      pages ??= makePages(parts);
      try {
        return await answerBy(await pages, files, request, reply);
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

async function answerBy(pages: FastifyInstance, files: Files, request: FastifyRequest, reply: FastifyReply) {
  const { headers, raw } = request;
  // Of an answer to HEAD, Fastify itself takes the length and drops the rest.
  const answer = await pages.inject({ method: 'GET', url: raw.url ?? '/docs', headers });
  reply.code(answer.statusCode);
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value !== undefined && !OF_CONNECTION.includes(name)) reply.header(name, value);
  }
  const { statusCode, rawPayload } = answer;
  return reply.send(statusCode === 200 ? files.once(answer.headers.etag, rawPayload) : rawPayload);
}

/** The bytes of whole files, so that however many clients leave one unread, there is one of it in memory. */
class Files {
  readonly #byVersion = new Map<unknown, Buffer>();

  /** The same bytes, as they were given first. */
  once(version: unknown, bytes: Buffer): Buffer {
    const known = this.#byVersion.get(version);
    if (known?.equals(bytes)) return known;
    if (version !== undefined && !known) this.#byVersion.set(version, bytes);
    return bytes;
  }
}
