import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { answerUnknownRoutes } from './allowed-methods.ts';
import { answerBrokenRequest } from './connections/broken-requests.ts';
import { errorHandler, frameworkErrors } from './errors.ts';
import { healthRoutes } from './routes/health.ts';
import { type MetricsSource, metricsRoute } from './routes/metrics.ts';
import { schemaController } from './schema-compilers.ts';

interface MonitoringAppParts {
  readonly source: MetricsSource;
  readonly isReady: () => boolean;
  readonly logger: FastifyBaseLogger;
}

/** Metrics and health for a listener of their own, without a token: everything registered, not listening. */
export async function buildMonitoringApp(parts: MonitoringAppParts): Promise<FastifyInstance> {
  const { source, isReady, logger } = parts;
  const app = fastify({
    // Probes of load balancers have none; nothing here depends on it.
    http: { requireHostHeader: false },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors,
    schemaController,
    return503OnClosing: false,
  });
  // See keepHalfOpen in connections/server.ts.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  app.setErrorHandler(errorHandler(logger));
  answerUnknownRoutes(app);
  await app.register(healthRoutes, { isReady });
  await app.register(metricsRoute, { source });
  return app;
}
