import { pino } from 'pino';
import { Accounts } from '../../auth/accounts.ts';
import { TokenBook } from '../../auth/token-book.ts';
import { Engine } from '../../engine/engine.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Store } from '../../engine/store.ts';
import { FailedSignIns } from '../../limits/failed-sign-ins.ts';
import { RequestRates } from '../../limits/request-rate.ts';
import { RequestMeter } from '../../metrics/request-meter.ts';
import { buildApp } from '../app.ts';
import { registerOpenApi } from './openapi.ts';

/** The OpenAPI document as it is kept in the repository: the same text on every machine. */
export async function openApiDocument(version: string): Promise<string> {
  const limits = { valueBytesMax: 0, defaultExpiresInSeconds: 0 };
  const app = await buildApp({
    engine: new Engine(NO_STORE, limits, { now: () => 0, unixNow: () => 0 }),
    tokens: new TokenBook(() => 0),
    signIns: new FailedSignIns({ failuresPerAddressMax: 0, refusalMs: 0, delayMs: 0 }, () => 0, {
      warn() {},
    }),
    rates: new RequestRates(0, () => 0),
    configureCache: refuse,
    accounts: new Accounts({ onChange: () => {}, log: { info: () => {}, error: () => {} } }),
    logger: pino({ level: 'silent' }),
    requests: new RequestMeter('http'),
    connections: { open: 0, accepted: 0, refused: 0 },
    slowMs: 0,
    metrics: { contentType: '', scrape: refuse },
    mayReadMetrics: () => false,
    isReady: () => false,
    version,
    document: refuse,
    watch: (app) => registerOpenApi(app, version),
    limits: {
      connections: { max: 1, perAddressMax: 0 },
      bodyBytesMax: 1,
      headerBytesMax: 16_384,
      unansweredBytesMax: 1,
      requestTimeoutMs: 1_000,
      keepAliveTimeoutMs: 1_000,
      stallTimeoutMs: 1_000,
      handshakeTimeoutMs: 1_000,
    },
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, null, 2)}\n`;
}

const NO_STORE: Store = {
  cache: refuse,
  list: refuse,
  totals: refuse,
  settings: refuse,
  configure: refuse,
  setQuota: refuse,
  sweep: refuse,
  close: refuse,
};

function refuse(): never {
  throw new Refusal('store_unavailable', 'there is no store where only the document is written');
}
