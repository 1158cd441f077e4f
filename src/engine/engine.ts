import { LRUCache } from 'lru-cache';
import type { Answer } from './answer.ts';
import { Cache } from './cache.ts';
import type { CacheSettings, Quota } from './cache-settings.ts';
import type { Clock } from './clock.ts';
import { Refusal } from './errors.ts';
import { CACHE_NAME_LENGTH_MAX, type EngineLimits } from './limits.ts';
import { Statistics } from './statistics.ts';
import type { CacheInfo, Store, StoreTotals } from './store.ts';

/** How many caches are kept ready with their statistics, besides those held; others begin to count anew. */
const READY_CACHES_MAX = 20_000;

/** The cache service itself, below both doors: projects hold caches, caches hold items. */
export class Engine {
  readonly limits: EngineLimits;
  readonly clock: Clock;
  /** What was done to all caches since the start; it never goes down. */
  readonly statistics = new Statistics();
  readonly #store: Store;
  readonly #ready = new LRUCache<string, Cache>({ max: READY_CACHES_MAX });
  /** Those that somebody uses without asking for them again. */
  readonly #held = new Map<string, Cache>();
  /** The one that was asked for last. */
  #last: Cache | undefined;

  constructor(store: Store, limits: EngineLimits, clock: Clock) {
    this.#store = store;
    this.limits = limits;
    this.clock = clock;
  }

  /** A cache by name, whether it exists yet or not: the first write makes it. */
  cache(projectId: string, name: string): Cache {
    // Most requests are for the same cache as the one before, and joining its names would take longer.
    const last = this.#last;
    if (last?.name === name && last.projectId === projectId) return last;
    this.#last = this.#cache(projectId, name);
    return this.#last;
  }

  /** The same for somebody who goes on using it without asking for it again. Release it, once. */
  hold(projectId: string, name: string): Cache {
    const cache = this.cache(projectId, name);
    cache.holders++;
    this.#held.set(idOf(cache), cache);
    return cache;
  }

  release(cache: Cache): void {
    if (--cache.holders === 0) this.#held.delete(idOf(cache));
  }

  /** The caches that are ready, most recently used first, then others that are held. Looking does not count as a use. */
  *readyCaches(): Iterable<Cache> {
    yield* this.#ready.values();
    for (const [id, cache] of this.#held) if (!this.#ready.has(id)) yield cache;
  }

  /** One page of a project's caches, by name: of all, or of those behind the name that a page ended with. */
  list(projectId: string, skip: number, limit: number, previous?: string): Answer<CacheInfo[]> {
    return this.#store.list(projectId, skip, limit, previous);
  }

  /** What an operator said of a cache, or what is usual; whether the cache exists or not. */
  settings(projectId: string, name: string): CacheSettings {
    return this.#store.settings(projectId, name);
  }

  /** From now on; undefined: back to what is usual. */
  configure(projectId: string, name: string, settings: CacheSettings | undefined): void {
    this.#store.configure(projectId, name, settings);
  }

  /** How much all caches of a project may hold together. What is more already goes as others are written. */
  setProjectQuota(projectId: string, quota: Quota): void {
    this.#store.setQuota(projectId, quota);
  }

  totals(): Answer<StoreTotals> {
    return this.#store.totals();
  }

  /** Frees some of what expired or was cleared, in bounded time. True: there is more to do. */
  sweep(): Answer<boolean> {
    return this.#store.sweep();
  }

  #cache(projectId: string, name: string): Cache {
    const id = idOf({ projectId, name });
    const ready = this.#ready.get(id);
    if (ready) return ready;
    const cache = this.#held.get(id) ?? this.#make(copyOf(projectId), copyOf(name));
    this.#ready.set(idOf(cache), cache);
    return cache;
  }

  // Throws Refusal `cache_name_too_long`.
  #make(projectId: string, name: string): Cache {
    if (name.length > CACHE_NAME_LENGTH_MAX && [...name].length > CACHE_NAME_LENGTH_MAX) {
      throw new Refusal(
        'cache_name_too_long',
        `a cache name may have at most ${CACHE_NAME_LENGTH_MAX} characters`,
      );
    }
    const stored = this.#store.cache(projectId, name);
    return new Cache(projectId, name, {
      stored,
      totals: this.statistics,
      settings: () => this.settings(projectId, name),
      limits: this.limits,
      now: this.clock.now,
    });
  }
}

function idOf({ projectId, name }: Pick<Cache, 'projectId' | 'name'>): string {
  return `${projectId}/${name}`;
}

// To V8, a part of a text is a view of the whole: a name out of a request would keep all of its URL in memory, or of its
// sign-in, as long as there is the cache, and a token with it.
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
