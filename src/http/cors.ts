import type { FastifyInstance } from 'fastify';

// What an answer may carry besides what browsers show to any page.
const EXPOSED_HEADERS = [
  'Allow',
  'ETag',
  'Retry-After',
  'WWW-Authenticate',
  'X-IronCache-Encoding',
  'X-Request-Id',
];

/** How long browsers may keep what a preflight told them: two hours is what they keep at most. */
const PREFLIGHT_SECONDS = 7_200;

declare module 'fastify' {
  interface FastifyReply {
    /** Does it carry headers by which pages may read the answer? Undefined where no origins are allowed. */
    hasOriginHeaders?: boolean;
  }
}

/**
 * Lets pages of these origins (`*`: of any) read the answers, errors too. Preflights need no token.
 * Cookies mean nothing here, so there are no credentials in the sense of CORS.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  const { default: cors } = await import('@fastify/cors');
  app.decorateReply('hasOriginHeaders', { getter: () => true });
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // The plugin would answer an OPTIONS that is no preflight with a text of its own.
    strictPreflight: false,
  });
}
