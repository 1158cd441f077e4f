import helmet from '@fastify/helmet';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** Shows the collected OpenAPI document as a page at /docs, which loads nothing from elsewhere and may not be framed. */
export async function showDocumentation(app: FastifyInstance): Promise<void> {
  await app.register(async (docs) => {
    await docs.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          baseUri: ["'none'"],
          connectSrc: ["'self'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
          // Its icons are data URLs within the style sheet.
          imgSrc: ["'self'", 'data:'],
          scriptSrc: ["'self'"],
          // The page writes style attributes.
          styleSrc: ["'self'", "'unsafe-inline'"],
        },
      },
      // It would hold for every port of this host, whatever serves there, and for months.
      strictTransportSecurity: false,
      frameguard: { action: 'deny' },
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      theme: { title: 'ironcached' },
      // Nothing is fetched from elsewhere.
      uiConfig: { validatorUrl: null, persistAuthorization: true },
    });
  });
}
