import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { errorHandler, frameworkErrors, sendNotFound } from '../errors.ts';
import { schemaController } from '../schema-compilers.ts';

export interface DocumentationParts {
  /** The OpenAPI document, as JSON. */
  readonly document: () => Promise<string>;
  readonly logger: FastifyBaseLogger;
}

/** The pages of /docs, which load nothing from elsewhere and may not be framed: everything registered, not listening. */
export async function buildDocumentation({ document, logger }: DocumentationParts): Promise<FastifyInstance> {
  const app = fastify({ frameworkErrors, schemaController });
  app.setErrorHandler(errorHandler(logger));
  app.setNotFoundHandler((_request, reply) => sendNotFound(reply));
  const specification = { document: JSON.parse(await document()) };
  await app.register(swagger, { mode: 'static', specification });
  await app.register(helmet, {
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
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'ironcached' },
    // Nothing is fetched from elsewhere.
    uiConfig: { validatorUrl: null, persistAuthorization: true },
  });
  return app;
}
