import { METHODS } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { Accounts } from '../auth/accounts.ts';
import { permissionSet } from '../auth/permissions.ts';
import type { CommitGate } from '../engine/commit-gate.ts';
import type { Engine } from '../engine/engine.ts';
import type { RequestMeter } from '../metrics/request-meter.ts';
import { answerUnknownRoutes } from './allowed-methods.ts';
import { authenticate } from './authenticate.ts';
import { answerBrokenRequest } from './connections/broken-requests.ts';
import { type ConnectionCounts, createServer, type HttpLimits } from './connections/server.ts';
import { administer } from './control/administer.ts';
import { allowOrigins } from './cors.ts';
import { showDocumentation } from './documentation/documentation.ts';
import { errorHandler, frameworkErrors, sendNotYet, sendStopping } from './errors.ts';
import { Gate, type GateParts } from './gate.ts';
import { requestIds } from './request-id.ts';
import { RequestLog } from './request-log.ts';
import { authenticationRoute } from './routes/authentication.ts';
import { type CacheSettingsParts, cacheSettingsRoutes } from './routes/cache-settings.ts';
import { cacheRoutes } from './routes/caches.ts';
import { dumpRoutes } from './routes/dumps.ts';
import { healthRoutes, LIVENESS_PATH } from './routes/health.ts';
import { itemRoutes } from './routes/items.ts';
import { type MetricsSource, metricsRoute } from './routes/metrics.ts';
import { projectRoutes } from './routes/projects.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { versionRoute } from './routes/version.ts';
import { schemaController } from './schema-compilers.ts';

/** Time for a client that sends one request after the other to get the answer that tells it to close. */
const FAREWELL_MS = 100;

export interface AppParts extends GateParts {
  readonly engine: Engine;
  readonly accounts: Accounts;
  readonly configureCache: CacheSettingsParts['configure'];
  readonly logger: FastifyBaseLogger;
  /** Told of the app before it has routes, to collect them for the OpenAPI document. */
  readonly watch?: (app: FastifyInstance) => Promise<void>;
  /** The OpenAPI document, as JSON. */
  readonly document: () => Promise<string>;
  /** What GET /version tells. */
  readonly version: string;
  readonly limits: HttpLimits;
  readonly tls?: SecureContextOptions;
  /** Addresses and networks of proxies whose word on their clients' addresses is taken. */
  readonly trustedProxies?: readonly string[];
  /** Whose pages may read the answers; `*`: anyone's. */
  readonly corsOrigins?: readonly string[];
  /** Counts and times what clients ask. */
  readonly requests: RequestMeter;
  /** Counts the connections. */
  readonly connections: ConnectionCounts;
  /** From how many milliseconds on a request is logged as slow; 0 is never. */
  readonly slowMs: number;
  readonly metrics: MetricsSource;
  /** Is this token right for the metrics? */
  readonly mayReadMetrics: (token: string) => boolean;
  /** Is every door open? */
  readonly isReady: () => boolean;
  /** Asked at every answer: while true, it is the last of its connection. */
  readonly isStopping?: () => boolean;
  /** Asked at every request: why none can be answered yet, or undefined. */
  readonly notYet?: () => string | undefined;
  /** Holds answers back until what they tell is kept. */
  readonly commitGate?: CommitGate | undefined;
}

/** The REST interface: everything registered, not listening. */
export async function buildApp(parts: AppParts): Promise<FastifyInstance> {
  const { engine, accounts, logger, requests, slowMs, corsOrigins = [] } = parts;
  const { now, unixNow } = engine.clock;
  const gate = new Gate(parts);
  const requestLog = new RequestLog({ logger, requests, slowMs, now });
  const app = appWithoutRoutes(parts, requestLog);
  readBodiesOurselves(app);
  // Before whatever may answer, so that every answer is timed.
  requestLog.watch(app);
  // So that every answer carries its headers; not at all where nobody asked for it.
  if (corsOrigins.length > 0) await allowOrigins(app, corsOrigins);
  refuseWhileClosing(app);
  if (parts.notYet) refuseUntilReady(app, parts.notYet);
  app.setErrorHandler(errorHandler(logger));
  answerUnknownRoutes(app);
  await parts.watch?.(app);
  showDocumentation(app, { document: parts.document, logger });
  await app.register(versionRoute, { version: parts.version });
  await app.register(healthRoutes, { isReady: parts.isReady });
  await app.register(metricsRoute, {
    source: parts.metrics,
    admits: (request, reply) => gate.admitsToMetrics(parts.mayReadMetrics, request, reply),
  });
  await app.register(authenticationRoute, { prefix: '/1', gate });
  await app.register(
    async (control) => {
      control.decorateRequest('admin', null);
      control.addHook('onRequest', administer(gate));
      await control.register(projectRoutes, { accounts, now: unixNow });
      await control.register(tokenRoutes, { accounts, now: unixNow });
      await control.register(cacheSettingsRoutes, { accounts, engine, configure: parts.configureCache });
    },
    { prefix: '/1' },
  );
  await app.register(
    async (project) => {
      project.decorateRequest('grant', null);
      project.decorateRequest('needed', 0);
      authenticateRoutes(project, gate);
      await project.register(cacheRoutes, { engine });
      await project.register(itemRoutes, { engine, bodyBytesMax: parts.limits.bodyBytesMax });
      await project.register(dumpRoutes, { engine, rates: parts.rates, commitGate: parts.commitGate });
    },
    { prefix: '/1/projects/:project' },
  );
  return app;
}

function appWithoutRoutes(parts: AppParts, requestLog: RequestLog): FastifyInstance {
  const { limits, logger, tls, connections, commitGate } = parts;
  const { trustedProxies = [], isStopping = () => false } = parts;
  return fastify({
    serverFactory: (listener) =>
      createServer({
        listener,
        limits,
        tls,
        logger,
        now: parts.engine.clock.now,
        connections,
        isStopping,
        commitGate,
        tellAbandoned: (socket) => requestLog.forget(socket),
      }),
    genReqId: requestIds(),
    clientErrorHandler: (error, socket) =>
      answerBrokenRequest(error, socket, (status) =>
        requestLog.noteUnread(status, { address: socket.remoteAddress }),
      ),
    frameworkErrors: (error, request, reply) => {
      frameworkErrors(error, request, reply);
      requestLog.noteUnread(reply.raw.statusCode, { requestId: request.id, address: request.ip });
    },
    schemaController,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    // Names may be as long as a URL can be; what is too long gets its own answer.
    routerOptions: { maxParamLength: limits.headerBytesMax },
    // Fastify's own answer is not of our form; see refuseWhileClosing.
    return503OnClosing: false,
  });
}

// Each route says in its description what a token needs for it; without, it is not registered at all.
function authenticateRoutes(project: FastifyInstance, gate: Gate): void {
  project.addHook('onRoute', (route) => {
    const { operation } = route.config ?? {};
    if (!operation?.needs) throw new TypeError(`${route.url} does not say which permission it needs`);
    route.onRequest = authenticate(gate, permissionSet([operation.needs]), operation.id);
  });
}

/**
 * Fastify would choose a parser by content type, refuse an empty JSON body, and close the connection after one that is
 * too large. Clients name any type and send bodies everywhere, so no method "has a body" here: routes that want one
 * read it (body.ts), and Node throws the others away.
 */
function readBodiesOurselves(app: FastifyInstance): void {
  for (const method of ['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'QUERY']) {
    // QUERY is news to Node 20.
    if (METHODS.includes(method)) app.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  }
}

/**
 * Closing takes no more connections at once. Open ones are served a little longer, and each answer tells
 * its client to close: a request that meets a closed connection would have no answer at all.
 */
function refuseWhileClosing(app: FastifyInstance): void {
  let isClosing = false;
  app.addHook('preClose', async () => {
    if (await hasConnections(app.server)) {
      // Node's HTTP servers would close idle connections with it.
      NetServer.prototype.close.call(app.server);
      await delay(FAREWELL_MS);
    }
    isClosing = true;
  });
  app.addHook('onRequest', (_request, reply, done) => {
    if (isClosing) sendStopping(reply);
    else done();
  });
}

// Until the items are restored, all there is to say is that the process runs.
function refuseUntilReady(app: FastifyInstance, notYet: () => string | undefined): void {
  app.addHook('onRequest', (request, reply, done) => {
    const reason = request.routeOptions.url === LIVENESS_PATH ? undefined : notYet();
    if (reason === undefined) done();
    else sendNotYet(reply, reason);
  });
}

function hasConnections(server: NetServer): Promise<boolean> {
  return new Promise((resolve) => {
    server.getConnections((error, count) => resolve(!error && count > 0));
  });
}
