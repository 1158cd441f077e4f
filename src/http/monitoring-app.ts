import fastify, { type FastifyInstance } from 'fastify';
import { errorHandler, frameworkErrors, sendNotFound } from './errors.ts';
import { healthRoutes } from './routes/health.ts';
import { type MetricsSource, metricsRoute } from './routes/metrics.ts';
import { schemaController } from './schema-compilers.ts';

export interface MonitoringAppParts {
  readonly source: MetricsSource;
  readonly isReady: () => boolean;
}

/** Metrics and health for a listener of their own, without a token: everything registered, not listening. */
export async function buildMonitoringApp({ source, isReady }: MonitoringAppParts): Promise<FastifyInstance> {
  const app = fastify({ frameworkErrors, schemaController, return503OnClosing: false });
  app.setErrorHandler(errorHandler(false));
  app.setNotFoundHandler((request, reply) => sendNotFound(reply, request.method, []));
  await app.register(healthRoutes, { isReady });
  await app.register(metricsRoute, { source });
  return app;
}
