import type { Arithmetic, ArithmeticOptions } from '../../src/engine/arithmetic.ts';
import type { StoreMode, StoreOutcome } from '../../src/engine/changes.ts';
import type { Item, NewValue } from '../../src/engine/item.ts';

export type NaiveItem = Pick<Item, 'value' | 'kind' | 'flags' | 'expiresAt' | 'cas'>;

interface Counted {
  readonly status: 'done' | 'not_found' | 'not_numeric' | 'out_of_range' | 'exists';
  readonly value?: bigint;
}

/**
 * The engine's promises as plainly as they can be put: a Map per cache, and before every question a walk
 * over everything, to remove what is due.
 */
export class NaiveEngine {
  readonly caches = new Map<string, NaiveItems>();
  readonly #valueBytesMax: number;
  readonly #now: () => number;
  #cas = 0;

  constructor(valueBytesMax: number, now: () => number) {
    this.#valueBytesMax = valueBytesMax;
    this.#now = now;
  }

  cache(projectId: string, name: string): NaiveCache {
    return new NaiveCache(this, `${projectId}/${name}`, this.#valueBytesMax);
  }

  list(projectId: string, skip: number, limit: number): { name: string; items: number }[] {
    this.removeDue();
    return [...this.caches]
      .filter(([path]) => path.startsWith(`${projectId}/`))
      .map(([path, { items }]) => ({ name: path.slice(projectId.length + 1), items: items.size }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(skip, skip + limit);
  }

  nextCas(): number {
    return ++this.#cas;
  }

  removeDue(): void {
    const now = this.#now();
    for (const cache of this.caches.values()) {
      if (cache.clearAt <= now) {
        cache.items.clear();
        cache.clearAt = Number.POSITIVE_INFINITY;
      }
      for (const [key, item] of cache.items) {
        if (item.expiresAt <= now) cache.items.delete(key);
      }
    }
  }
}

class NaiveItems {
  readonly items = new Map<string, NaiveItem>();
  clearAt = Number.POSITIVE_INFINITY;
}

class NaiveCache {
  readonly #engine: NaiveEngine;
  readonly #path: string;
  readonly #valueBytesMax: number;

  constructor(engine: NaiveEngine, path: string, valueBytesMax: number) {
    this.#engine = engine;
    this.#path = path;
    this.#valueBytesMax = valueBytesMax;
  }

  get(key: string): NaiveItem | undefined {
    return this.#cache?.items.get(key);
  }

  peek(key: string): NaiveItem | undefined {
    return this.get(key);
  }

  store(mode: StoreMode, key: string, given: NewValue): StoreOutcome {
    const there = this.get(key);
    if (mode === 'add' && there) return 'not_stored';
    if (mode === 'set' || mode === 'add') return this.#write(key, given);
    if (!there) return 'not_stored';
    if (mode === 'replace') return this.#write(key, given);
    const pieces = mode === 'append' ? [there.value, given.value] : [given.value, there.value];
    const value = Buffer.concat(pieces);
    return value.length > this.#valueBytesMax
      ? 'not_stored'
      : this.#write(key, { ...there, value, kind: 'bytes' });
  }

  compareAndSwap(key: string, given: NewValue, expected: Item['cas']): StoreOutcome {
    const there = this.get(key);
    if (!there) return 'not_found';
    return there.cas === expected ? this.#write(key, given) : 'exists';
  }

  calculate(key: string, by: Arithmetic, { initial }: ArithmeticOptions = {}): Counted {
    const there = this.get(key);
    if (!there && !initial) return { status: 'not_found' };
    if (!there && initial) {
      this.#write(key, { ...initial, value: Buffer.from(String(initial.value)), kind: 'number', flags: 0 });
      return { status: 'done', value: BigInt(initial.value) };
    }
    const before = there && numberIn(there, by.rule);
    if (!there || before === undefined) return { status: 'not_numeric' };
    const value = sum(before, by);
    if (value === undefined) return { status: 'out_of_range' };
    const width = by.rule === 'unsigned' ? there.value.length : 0;
    this.#write(key, { ...there, value: Buffer.from(String(value).padEnd(width, ' ')), kind: 'number' });
    return { status: 'done', value };
  }

  delete(key: string): boolean {
    return this.#cache?.items.delete(key) ?? false;
  }

  touch(key: string, expiresAt: number): NaiveItem | undefined {
    const there = this.get(key);
    if (there) this.#cache?.items.set(key, { ...there, expiresAt });
    return there;
  }

  clear(at = Number.NEGATIVE_INFINITY): boolean {
    const cache = this.#cache;
    if (cache) cache.clearAt = at;
    return cache !== undefined;
  }

  drop(): boolean {
    return this.#engine.caches.delete(this.#path);
  }

  list(): { key: string; item: NaiveItem }[] {
    return [...(this.#cache?.items ?? [])].map(([key, item]) => ({ key, item }));
  }

  get #cache(): NaiveItems | undefined {
    this.#engine.removeDue();
    return this.#engine.caches.get(this.#path);
  }

  #write(key: string, { value, kind, flags, expiresAt }: NewValue): 'stored' {
    const cache = this.#cache ?? new NaiveItems();
    const cas = this.#engine.nextCas();
    cache.items.set(key, { value: Buffer.from(value), kind, flags, expiresAt, cas });
    this.#engine.caches.set(this.#path, cache);
    return 'stored';
  }
}

function numberIn({ value, kind }: NaiveItem, rule: Arithmetic['rule']): bigint | undefined {
  if (kind === 'json') return undefined;
  const text = value.toString('latin1');
  const [word = ''] = rule === 'signed' ? [text.replace(/ +$/, '')] : text.trimStart().split(' ');
  if (!(rule === 'signed' ? /^-?\d+$/ : /^\d+$/).test(word)) return undefined;
  return fits(BigInt(word), rule) ? BigInt(word) : undefined;
}

function sum(before: bigint, by: Arithmetic): bigint | undefined {
  const delta = BigInt(by.delta);
  if (by.rule === 'signed') return fits(before + delta, 'signed') ? before + delta : undefined;
  if (by.direction === 'up') return (before + delta) % 2n ** 64n;
  return before < delta ? 0n : before - delta;
}

function fits(value: bigint, rule: Arithmetic['rule']): boolean {
  return rule === 'signed' ? value >= -(2n ** 63n) && value < 2n ** 63n : value >= 0n && value < 2n ** 64n;
}
