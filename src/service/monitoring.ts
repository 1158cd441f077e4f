import { type TokenBook, tokenMatch } from '../auth/token-book.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../engine/engine.ts';
import type { DurabilityFigures } from '../metrics/durability-families.ts';
import type { DoorFigures, Exposition } from '../metrics/exposition.ts';
import { RequestMeter } from '../metrics/request-meter.ts';

interface MonitoringParts {
  readonly config: Config;
  readonly version: string;
  readonly engine: Engine;
  readonly tokens: TokenBook;
  /** What the store took of the memory for buffers when it was opened. */
  readonly storeBufferBytes: number;
  readonly isReady: () => boolean;
  /** How items are kept on disk, where they are. */
  readonly durability?: () => DurabilityFigures | undefined;
  readonly memcachedFigures: () => Omit<DoorFigures, 'door'>;
}

/** What the service tells those who run it. Both doors count here. */
export class Monitoring {
  readonly memcachedRequests = new RequestMeter('memcached');
  readonly httpRequests = new RequestMeter('http');
  readonly httpConnections = { open: 0, accepted: 0, refused: 0 };
  readonly isReady: () => boolean;
  /** The text that Prometheus scrapes, and what it is, for the header of an answer. */
  readonly exposition = {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    scrape: async () => (await this.#made()).scrape(),
  };
  readonly #parts: MonitoringParts;
  readonly #isOwnToken: (token: string) => boolean;
  #exposition: Promise<Exposition> | undefined;

  constructor(parts: MonitoringParts) {
    const { config, isReady } = parts;
    this.#parts = parts;
    this.isReady = isReady;
    this.#isOwnToken = config.metricsToken === undefined ? () => false : tokenMatch(config.metricsToken);
  }

  /** Loads what the metrics need, so that the first scrape takes no longer than others. */
  async prepare(): Promise<void> {
    await this.#made();
  }

  // prom-client takes a tenth of a start to load, so it is loaded only where somebody scrapes.
  #made(): Promise<Exposition> {
    this.#exposition ??= this.#make();
    return this.#exposition;
  }

  async #make(): Promise<Exposition> {
    const { config, version, engine, isReady, durability } = this.#parts;
    const { Exposition } = await import('../metrics/exposition.ts');
    return new Exposition({
      version,
      isReady,
      now: engine.clock.now,
      totals: () => engine.totals(),
      statistics: engine.statistics,
      caches: () => engine.readyCaches(),
      cacheSeriesMax: config.metricsMaxCaches,
      meters: [this.httpRequests, this.memcachedRequests],
      doors: () => this.#doors(),
      memory: () => this.#memory(),
      ...(durability && { durability }),
    });
  }

  /** Is this the metrics' own token, or that of an admin of all projects? */
  mayRead(token: string): boolean {
    return this.#isOwnToken(token) || administersAll(this.#parts.tokens.identify(token));
  }

  #doors(): DoorFigures[] {
    const { open, accepted, refused } = this.httpConnections;
    const http = {
      door: 'http',
      connectionsOpen: open,
      connectionsAccepted: accepted,
      connectionsRefused: refused,
      signInFailures: this.httpRequests.countOf('401'),
    };
    return [http, { door: 'memcached', ...this.#parts.memcachedFigures() }];
  }

  #memory(): Record<string, number> {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    const buffers = Math.max(0, arrayBuffers - this.#parts.storeBufferBytes);
    return { heap: heapUsed, buffers };
  }
}

function administersAll(token: ReturnType<TokenBook['identify']>): boolean {
  return typeof token === 'object' && token.projects === '*' && token.permissions.includes('admin');
}
