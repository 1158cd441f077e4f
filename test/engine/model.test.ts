import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Arithmetic } from '../../src/engine/arithmetic.ts';
import type { Cache } from '../../src/engine/cache.ts';
import type { StoreMode } from '../../src/engine/changes.ts';
import { Engine } from '../../src/engine/engine.ts';
import { type Cas, NEVER, type NewValue, type ValueKind } from '../../src/engine/item.ts';
import type { Store } from '../../src/engine/store.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { testClock } from '../support/clock.ts';
import { NaiveEngine } from './naive-engine.ts';

/*
 * Random operations, with jumps in time, on the engine and on a model that is too plain to be wrong.
 * What the two do not answer alike is a fault, and fast-check makes the way there as short as it can.
 */

const RUNS = 250;
const OPERATIONS_MAX = 60;
const LIMITS = { valueBytesMax: 24, defaultExpiresInSeconds: 0 };

const stores: [string, (now: () => number) => Store][] = [
  ['arena', (now) => new ArenaStore({ bytesMax: 4_000_000, cachesMax: 9, now })],
  ['lru-cache', (now) => new LruCacheStore({ bytesMax: 1_000_000_000, cachesMax: 9, now })],
];

type ItemOperation = { readonly key: string } & (
  | { readonly do: 'get' | 'delete' }
  | { readonly do: StoreMode | 'swap'; readonly value: Given }
  | { readonly do: 'touch'; readonly livesMs: number }
  | { readonly do: 'calculate'; readonly by: Arithmetic; readonly initial: boolean }
);
type CacheOperation =
  | ItemOperation
  | { readonly do: 'clear'; readonly afterMs: number | undefined }
  | { readonly do: 'drop' };
type Operation =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'sweep' | 'look' }
  | { readonly in: readonly [project: string, cache: string]; readonly do: CacheOperation };

interface Given {
  readonly text: string;
  readonly kind: ValueKind;
  readonly flags: number;
  readonly livesMs: number;
}

// Few keys, few numbers and short lives, so that operations meet.
const key = fc.constantFrom('a', 'b', '\u00ff');
const livesMs = fc.constantFrom(NEVER, NEVER, 1, 999, 1000, 1001, 2500, 0, -5);
const value: fc.Arbitrary<Given> = fc.record({
  text: fc.constantFrom('', 'v', '5', '10', '9 ', ' 7', '-3', '18446744073709551615', '9223372036854775807'),
  kind: fc.constantFrom('bytes', 'text', 'number', 'json'),
  flags: fc.constantFrom(0, 0xffffffff),
  livesMs,
});
const delta = fc.constantFrom(0n, 1n, 7n, 2n ** 63n - 1n);
const by: fc.Arbitrary<Arithmetic> = fc.oneof(
  fc.record({ rule: fc.constant('unsigned'), direction: fc.constantFrom('up', 'down'), delta }),
  fc.record({
    rule: fc.constant('signed'),
    delta: delta.chain((number) => fc.constantFrom(number, -number)),
  }),
);

const storing = fc.record({
  do: fc.constantFrom('set', 'set', 'add', 'replace', 'append', 'prepend', 'swap'),
  key,
  value,
});
const cacheOperation: fc.Arbitrary<CacheOperation> = fc.oneof(
  { weight: 6, arbitrary: storing },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('get', 'delete'), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('calculate'), key, by, initial: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch'), key, livesMs }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clear'), afterMs: fc.constantFrom(undefined, 0, 1, 1500) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop') }) },
);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      in: fc.tuple(fc.constantFrom('p', 'q'), fc.constantFrom('c', 'd')),
      do: cacheOperation,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pass'), ms: fc.constantFrom(1, 500, 999, 1000, 90_000) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('sweep', 'look') }) },
);

describe.each(stores)('on %s', (_name, open) => {
  test('the engine answers as the model does, whatever is asked in whatever order', async () => {
    const alike = fc.asyncProperty(
      fc.array(operation, { maxLength: OPERATIONS_MAX, size: 'max' }),
      async (operations) => {
        const clock = testClock();
        const engine = new Engine(open(clock.now), LIMITS, clock);
        const real = new Asker(engine, clock.now);
        const model = new Asker(new NaiveEngine(LIMITS.valueBytesMax, clock.now), clock.now);
        for (const step of [...operations, { do: 'look' } as const]) {
          if ('in' in step) same(await real.ask(step.in, step.do), await model.ask(step.in, step.do));
          else if (step.do === 'pass') clock.advance(step.ms);
          else if (step.do === 'sweep') await engine.sweep();
          else same(await real.everything(), await model.everything());
        }
      },
    );
    await fc.assert(alike, { numRuns: RUNS, seed: 20_300_115 });
  });
});

// vitest's comparison is slow, and only needed to show a difference.
function same(real: unknown, model: unknown): void {
  if (!isDeepStrictEqual(real, model)) expect(real).toEqual(model);
}

type AskedCache =
  | Pick<
      Cache,
      'get' | 'store' | 'compareAndSwap' | 'calculate' | 'delete' | 'touch' | 'clear' | 'drop' | 'list'
    >
  | ReturnType<NaiveEngine['cache']>;

/** Puts operations to the engine or the model, and its answers into a form that can be compared. */
class Asker {
  readonly #engine: Engine | NaiveEngine;
  readonly #now: () => number;
  /** The version that was seen last of each item: what a swap expects. */
  readonly #seen = new Map<string, Cas>();

  constructor(engine: Engine | NaiveEngine, now: () => number) {
    this.#engine = engine;
    this.#now = now;
  }

  async ask([project, name]: readonly [string, string], operation: CacheOperation): Promise<unknown> {
    const cache = this.#engine.cache(project, name);
    if (operation.do === 'drop') return cache.drop();
    if (operation.do === 'clear') {
      return operation.afterMs === undefined ? cache.clear() : cache.clear(this.#now() + operation.afterMs);
    }
    return this.#askItem(cache, `${project}/${name}/${operation.key}`, operation);
  }

  async #askItem(cache: AskedCache, path: string, operation: ItemOperation): Promise<unknown> {
    const { key } = operation;
    switch (operation.do) {
      case 'get': {
        const item = await cache.get(key);
        if (item) this.#seen.set(path, item.cas);
        return item && plain(item);
      }
      case 'delete':
        return cache.delete(key);
      case 'touch':
        return (await cache.touch(key, this.#now() + operation.livesMs)) !== undefined;
      case 'calculate': {
        const initial = { value: 3n, expiresAt: this.#now() + 1000 };
        const answer = await cache.calculate(key, operation.by, operation.initial ? { initial } : {});
        return {
          status: answer.status,
          value: 'value' in answer && answer.value !== undefined ? BigInt(answer.value) : undefined,
        };
      }
      case 'swap':
        return cache.compareAndSwap(key, this.#newValue(operation.value), this.#seen.get(path) ?? 0);
      default:
        return cache.store(operation.do, key, this.#newValue(operation.value));
    }
  }

  /** Every cache with its items, and what is said of it in the list. */
  async everything(): Promise<unknown> {
    const all: unknown[] = [];
    for (const project of ['p', 'q']) {
      for (const { name, items } of await this.#engine.list(project, 0, 9)) {
        const listed: [string, unknown][] = [];
        for await (const entry of this.#engine.cache(project, name).list()) {
          const item = await this.#engine.cache(project, name).peek(entry.key);
          listed.push([entry.key, item && plain(item)]);
        }
        all.push({ project, name, items, listed: listed.sort(([a], [b]) => (a < b ? -1 : 1)) });
      }
    }
    return all;
  }

  #newValue({ text, kind, flags, livesMs }: Given): NewValue {
    return { value: Buffer.from(text, 'latin1'), kind, flags, expiresAt: this.#now() + livesMs };
  }
}

function plain({ value, kind, flags, expiresAt }: NewValue) {
  return { value: value.toString('latin1'), kind, flags, expiresAt };
}
