import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { type Logger, pino } from 'pino';
import { Accounts } from '../../src/auth/accounts.ts';
import type { Credentials } from '../../src/auth/credentials.ts';
import { type CredentialsFile, credentialsFilePath } from '../../src/auth/credentials-file.ts';
import { formatCredentials } from '../../src/auth/credentials-json.ts';
import { TokenBook } from '../../src/auth/token-book.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Store } from '../../src/engine/store.ts';
import { type AppParts, buildApp } from '../../src/http/app.ts';
import { FailedSignIns, type SignInLimits } from '../../src/limits/failed-sign-ins.ts';
import { RequestRates } from '../../src/limits/request-rate.ts';
import { RequestMeter } from '../../src/metrics/request-meter.ts';
import { readDocument } from '../../src/package-files.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { testClock } from './clock.ts';
import { PROJECT, SIGN_IN_LIMITS, TOKEN, TWO_PROJECTS } from './credentials.ts';
import { overhear } from './overheard.ts';

export { OTHER_PROJECT, OTHER_TOKEN, PROJECT, TOKEN } from './credentials.ts';

export const AUTHORIZED = { authorization: `OAuth ${TOKEN}` };

/** The path of the project, of a cache, of an item: names are encoded. */
export function path(cache?: string, key?: string): string {
  const names = [cache, key].map((name) => (name === undefined ? undefined : encodeURIComponent(name)));
  const ofCache = names[0] === undefined ? '' : `/${names[0]}`;
  return `/1/projects/${PROJECT}/caches${ofCache}${names[1] === undefined ? '' : `/items/${names[1]}`}`;
}

export interface TestApp {
  readonly app: FastifyInstance;
  readonly engine: Engine;
  readonly requests: RequestMeter;
  readonly clock: ReturnType<typeof testClock>;
  readonly tokens: TokenBook;
  /** Sends a request with the token of the project. */
  request(method: InjectOptions['method'], url: string, body?: unknown): Promise<TestAnswer>;
  /** Listens on a free port and says which. */
  listen(): Promise<number>;
}

interface TestAnswer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
  readonly json: unknown;
  readonly bytes: Buffer;
}

export interface TestAppOptions
  extends Partial<
    Pick<
      AppParts,
      | 'logger'
      | 'tls'
      | 'mayReadMetrics'
      | 'trustedProxies'
      | 'corsOrigins'
      | 'isStopping'
      | 'isReady'
      | 'commitGate'
    >
  > {
  readonly limits?: Partial<AppParts['limits']>;
  readonly credentials?: Credentials;
  readonly signInLimits?: Partial<SignInLimits>;
  readonly requestsPerSecond?: number;
  /** Where they are kept, so that they can be changed. */
  readonly dataDir?: string;
  readonly defaultExpiresInSeconds?: number;
  readonly cachesMax?: number;
  readonly bytesMax?: number;
  readonly slowMs?: number;
  /** Puts something around the store. */
  readonly around?: (store: Store) => Store;
}

/** The REST interface over a store of its own, with two projects and a clock that stands still. */
export async function testApp(options: TestAppOptions = {}): Promise<TestApp> {
  const { logger = overheardLog(), tls, trustedProxies, corsOrigins, isStopping, limits } = options;
  const clock = testClock();
  const requests = new RequestMeter('http');
  const { slowMs = 0 } = options;
  const { bytesMax = 64 * 1024 * 1024, cachesMax = 1000, defaultExpiresInSeconds = 0 } = options;
  const store = new ArenaStore({ bytesMax, cachesMax, now: clock.now });
  const engine = new Engine(
    options.around?.(store) ?? store,
    { valueBytesMax: 1_048_576, defaultExpiresInSeconds },
    clock,
  );
  const given = options.credentials ?? TWO_PROJECTS;
  const tokens = new TokenBook(clock.now);
  const accounts = new Accounts({
    ...(options.dataDir === undefined
      ? { given, readOnly: 'They are given.' }
      : { file: keep(given, options.dataDir) }),
    onChange: (credentials) => tokens.update(credentials),
    log: { info: () => {}, error: () => {} },
  });
  const app = await buildApp({
    engine,
    tokens,
    signIns: new FailedSignIns({ ...SIGN_IN_LIMITS, ...options.signInLimits }, clock.now, { warn() {} }),
    rates: new RequestRates(options.requestsPerSecond ?? 0, clock.now),
    accounts,
    configureCache: async (...settings) => engine.configure(...settings),
    logger,
    requests,
    connections: { open: 0, accepted: 0, refused: 0 },
    slowMs,
    metrics: { contentType: 'text/plain', scrape: async () => '' },
    mayReadMetrics: options.mayReadMetrics ?? (() => false),
    isReady: options.isReady ?? (() => true),
    version: '1.2.3',
    document: readDocument,
    limits: {
      connections: { max: 10_000, perAddressMax: 0 },
      bodyBytesMax: 1_048_576,
      headerBytesMax: 16_384,
      unansweredBytesMax: 1_048_576,
      requestTimeoutMs: 30_000,
      keepAliveTimeoutMs: 72_000,
      stallTimeoutMs: 60_000,
      handshakeTimeoutMs: 10_000,
      ...limits,
    },
    ...(tls && { tls }),
    ...(trustedProxies && { trustedProxies }),
    ...(corsOrigins && { corsOrigins }),
    ...(isStopping && { isStopping }),
    ...(options.commitGate && { commitGate: options.commitGate }),
  });
  overhearInjected(app);
  return {
    app,
    engine,
    requests,
    clock,
    tokens,
    request: (method, url, body) => send(app, method, url, body),
    listen: async () => {
      await app.listen({ host: '127.0.0.1', port: 0 });
      const address: AddressInfo | string | null = app.server.address();
      if (address === null || typeof address === 'string') throw new Error('the app does not listen');
      return address.port;
    },
  };
}

/** A log of everything there is to log, which nobody reads but for tokens. */
function overheardLog(): Logger {
  return pino({ level: 'trace' }, { write: (line: string) => overhear('the log', line) });
}

// What is injected reaches no socket.
function overhearInjected(app: FastifyInstance): void {
  const inject = app.inject.bind(app);
  Object.assign(app, {
    inject: async (request: InjectOptions | string) => {
      const response = await inject(request);
      overhear('an answer', JSON.stringify(response.headers));
      overhear('an answer', response.rawPayload);
      return response;
    },
  });
}

/** All 256 byte values, and a few random ones behind. */
export function everyByte(): Buffer {
  return Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(16)]);
}

function keep(credentials: Credentials, dataDir: string): CredentialsFile {
  const file = { path: credentialsFilePath(dataDir), text: formatCredentials(credentials), credentials };
  writeFileSync(file.path, file.text);
  return file;
}

async function send(
  app: FastifyInstance,
  method: InjectOptions['method'],
  url: string,
  body: unknown,
): Promise<TestAnswer> {
  const payload = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await app.inject({
    ...(method && { method }),
    url,
    headers: { ...AUTHORIZED, ...(payload !== undefined && { 'content-type': 'application/json' }) },
    ...(payload !== undefined && { payload }),
  });
  return {
    status: response.statusCode,
    headers: response.headers,
    text: response.body,
    bytes: response.rawPayload,
    json:
      response.headers['content-type'] === 'application/json' && response.body !== ''
        ? JSON.parse(response.body)
        : undefined,
  };
}
