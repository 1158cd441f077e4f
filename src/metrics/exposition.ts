import { setImmediate as othersTurn } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { type CacheRow, CacheSeries, COUNTERS, type WatchedCache } from './cache-series.ts';
import { type DurabilitySource, durabilityCounter, durabilityGauges } from './durability-families.ts';
import { addCounter, addGauge, type Family, PREFIX, type Row, single } from './family.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { processMetrics } from './process-metrics.ts';
import type { RequestMeter } from './request-meter.ts';

/** Where the figures come from. Everything is asked when there is a scrape, and not before. */
interface FigureSources {
  readonly version: string;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly isReady: () => boolean;
  readonly totals: () => StoreFigures | Promise<StoreFigures>;
  /** What was done to all caches since the start. */
  readonly statistics: WatchedCache['statistics'] & Readonly<Record<'tooLarge' | 'outOfMemory', number>>;
  /** The caches in use, the last one used first. */
  readonly caches: () => Iterable<WatchedCache>;
  /** How many caches have series of their own at most. */
  readonly cacheSeriesMax: number;
  readonly meters: readonly RequestMeter[];
  readonly doors: () => readonly DoorFigures[];
  /** Bytes by what they are for, besides the store's. */
  readonly memory: () => Readonly<Record<string, number>>;
  /** How items are kept on disk, where they are. */
  readonly durability?: DurabilitySource;
}

interface StoreFigures {
  readonly items: number;
  readonly bytes: number;
  readonly bytesTaken: number;
  readonly bytesResident: number;
  readonly bytesMax: number;
  readonly evictions: number;
  readonly expirations: number;
}

/** What a door knows of its clients. */
export interface DoorFigures {
  readonly door: string;
  readonly connectionsOpen: number;
  readonly connectionsAccepted: number;
  readonly connectionsRefused: number;
  readonly signInFailures: number;
}

type Counted = (typeof COUNTERS)[number];

// A cache's name may have a NUL, at which Prometheus gives up the whole scrape: it knows no escape for it either.
const NUL_SHOWN = '\u2400';

/** The text that Prometheus scrapes. */
export class Exposition {
  readonly #sources: FigureSources;
  readonly #series: CacheSeries;
  readonly #registry = new Registry();
  readonly #everything: Registry;
  #running: Promise<string> | undefined;
  #totals: StoreFigures | undefined;
  /** Of all caches, in the order of COUNTERS. */
  #counts = new Float64Array(COUNTERS.length);
  #turn: Promise<void> = Promise.resolve();

  constructor(sources: FigureSources) {
    this.#sources = sources;
    this.#series = new CacheSeries(sources.cacheSeriesMax, sources.now);
    for (const family of this.#counters()) addCounter(this.#registry, family);
    for (const family of this.#gauges()) addGauge(this.#registry, family);
    const { durability } = sources;
    if (durability) {
      addCounter(this.#registry, durabilityCounter(durability));
      for (const family of durabilityGauges(durability)) addGauge(this.#registry, family);
    }
    new LatencyHistogram({
      name: `${PREFIX}request_duration_seconds`,
      help: 'From the arrival of a request until its answer was made (http) or handed to the socket (memcached). memcached commands that arrive together are answered together, and each counts with the time of all.',
      registry: this.#registry,
      meters: sources.meters,
    });
    this.#everything = Registry.merge([this.#registry, processMetrics()]);
  }

  /** Everything as it is now. Whoever asks meanwhile gets the same text. */
  scrape(): Promise<string> {
    this.#running ??= this.#scrape().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #scrape(): Promise<string> {
    const { statistics, totals, caches } = this.#sources;
    await this.#series.choose(caches());
    await othersTurn();
    this.#totals = await totals();
    const { getHits, getMisses, sets, deleteHits } = statistics;
    const { items, bytes, evictions, expirations } = this.#totals;
    this.#counts = Float64Array.of(getHits, getMisses, sets, deleteHits, evictions, expirations);
    this.#series.read({ counts: this.#counts, items, bytes });
    await othersTurn();
    return this.#everything.metrics();
  }

  #counters(): Family[] {
    const { statistics, meters } = this.#sources;
    return [
      {
        name: 'requests_total',
        help: 'Requests that were answered. The status is that of HTTP; of memcached it is ok, client_error for what was not understood or is not allowed, or server_error.',
        labels: ['door', 'operation', 'status'],
        rows: () =>
          meters.flatMap((requests) =>
            [...requests.operations()].flatMap(([operation, { counts }]) =>
              [...counts].map(([status, count]): Row => [{ door: requests.door, operation, status }, count]),
            ),
          ),
      },
      this.#total('hits', 'Gets that found an item.'),
      this.#total('misses', 'Gets that found none.'),
      this.#total('sets', 'Items to be stored, whether they were or not (add, replace, cas).'),
      this.#total('deletes', 'Items that were deleted.'),
      this.#total('evictions', 'Items that made room for others.'),
      this.#total('expirations', 'Items that were removed because their time had come.'),
      {
        name: 'refused_writes_total',
        help: 'Writes that were refused because of a limit.',
        labels: ['reason'],
        rows: () => [
          [{ reason: 'value_too_large' }, statistics.tooLarge],
          [{ reason: 'out_of_memory' }, statistics.outOfMemory],
        ],
      },
      this.#countByCache('hits', 'Gets that found an item, by cache; see ironcached_caches.'),
      this.#countByCache('misses', 'Gets that found none, by cache.'),
      this.#countByCache('sets', 'Items to be stored, by cache.'),
      this.#countByCache('deletes', 'Items that were deleted, by cache.'),
      this.#countByCache('evictions', 'Items that made room for others, by cache.'),
      this.#countByCache('expirations', 'Items that were removed because their time had come, by cache.'),
      this.#byDoor('connections_accepted_total', 'Connections that were taken.', 'connectionsAccepted'),
      this.#byDoor(
        'connections_refused_total',
        'Connections that were closed at once, being too many.',
        'connectionsRefused',
      ),
      this.#byDoor(
        'sign_in_failures_total',
        'Sign-ins by memcached, and requests by REST, without a valid token.',
        'signInFailures',
      ),
    ];
  }

  #gauges(): Family[] {
    const { version, isReady, memory } = this.#sources;
    return [
      {
        name: 'info',
        help: 'Always 1; says which version this is.',
        labels: ['version'],
        rows: () => [[{ version }, 1]],
      },
      single('ready', '1 while every door is open, else 0.', () => (isReady() ? 1 : 0)),
      this.#byDoor('connections', 'Connections that are open.', 'connectionsOpen'),
      this.#ofStore('items', 'Items that are kept.', 'items'),
      this.#ofStore('bytes', 'What the items take, with all that is kept about them.', 'bytes'),
      this.#ofStore(
        'bytes_taken',
        'What is taken of the limit, also by room between items that waits for others.',
        'bytesTaken',
      ),
      this.#ofStore('bytes_max', 'The limit: IRONCACHED_MEMORY_LIMIT.', 'bytesMax'),
      {
        name: 'memory_bytes',
        help: 'Memory of the process: what items and their index ever took (store), JavaScript objects (heap), and network and other buffers (buffers).',
        labels: ['kind'],
        rows: () => [
          [{ kind: 'store' }, this.#totals?.bytesResident ?? 0],
          ...Object.entries(memory()).map(([kind, bytes]): Row => [{ kind }, bytes]),
        ],
      },
      {
        name: 'caches',
        help: 'Caches that were asked for lately, whether they exist or not: with series of their own (own), or told together as project="other", cache="other" (other).',
        labels: ['series'],
        rows: () => [
          [{ series: 'own' }, this.#series.seated],
          [{ series: 'other' }, this.#series.waiting],
        ],
      },
      this.#byCache('cache_items', 'Items that are kept, by cache.', ({ items }) => items),
      this.#byCache('cache_bytes', 'What the items take, by cache.', ({ bytes }) => bytes),
    ];
  }

  #total(counter: Counted, help: string): Family {
    const at = COUNTERS.indexOf(counter);
    return single(`${counter}_total`, help, () => this.#counts[at]);
  }

  #ofStore(name: string, help: string, figure: keyof StoreFigures): Family {
    return single(name, help, () => this.#totals?.[figure]);
  }

  #byDoor(name: string, help: string, figure: Exclude<keyof DoorFigures, 'door'>): Family {
    const rows = () => this.#sources.doors().map((figures): Row => [{ door: figures.door }, figures[figure]]);
    return { name, help, labels: ['door'], rows };
  }

  #countByCache(counter: Counted, help: string): Family {
    const at = COUNTERS.indexOf(counter);
    return this.#byCache(`cache_${counter}_total`, help, ({ counts }) => counts[at] ?? 0);
  }

  // A thousand lines each, so others have their turn before each of them.
  #byCache(name: string, help: string, figureOf: (row: CacheRow) => number): Family {
    const rows = async () => {
      await this.#nextTurn();
      return this.#series.rows().map((row): Row => {
        const { project, cache } = row;
        return [{ project, cache: cache.replaceAll('\0', NUL_SHOWN) }, figureOf(row)];
      });
    };
    return { name, help, labels: ['project', 'cache'], rows };
  }

  #nextTurn(): Promise<void> {
    this.#turn = this.#turn.then(() => othersTurn());
    return this.#turn;
  }
}
