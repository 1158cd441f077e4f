import { Refusal } from '../../src/engine/errors.ts';
import type { Draft } from '../../src/engine/item.ts';
import type {
  CacheDescription,
  ItemMarks,
  Journal,
  JournaledCache,
  JournaledStore,
  Restoration,
} from '../../src/engine/journal.ts';
import type { Key } from '../../src/engine/key.ts';

/** Remembers what it is told, and replays it. */
export class JournalRecord implements Journal {
  isRefusing = false;
  readonly #told: ((restoration: Restoration) => void)[] = [];
  readonly #last: ((restoration: Restoration) => void)[] = [];

  get length(): number {
    return this.#told.length;
  }

  replay(restoration: Restoration): void {
    for (const tell of [...this.#told, ...this.#last]) tell(restoration);
    restoration.orderByUse();
  }

  admit(): void {
    if (this.isRefusing) throw new Refusal('store_unavailable', 'by the test');
  }

  itemPut(cache: JournaledCache, given: Key, draft: Draft, accessedAt: number): void {
    const key = String(given);
    const copy = { ...draft, value: Buffer.from(draft.value) };
    const description = describe(cache);
    this.#told.push((restoration) => {
      restoration.cache(description);
      restoration.itemPut(description.number, key, copy, accessedAt);
    });
  }

  itemAmended({ number }: JournaledCache, given: Key, marks: ItemMarks): void {
    const key = String(given);
    const { expiresAt, cas, stale, recaching, fetched, accessedAt } = marks;
    const copy = { expiresAt, cas, stale, recaching, fetched, accessedAt };
    this.#told.push((restoration) => restoration.itemAmended(number, key, copy));
  }

  itemRemoved({ number }: JournaledCache, given: Key): void {
    const key = String(given);
    this.#told.push((restoration) => restoration.itemRemoved(number, key));
  }

  cacheCleared({ number }: JournaledCache): void {
    this.#last.length = 0;
    this.#told.push((restoration) => restoration.cacheCleared(number));
  }

  clearPlanned({ number, clearAt = 0 }: JournaledCache): void {
    this.#last.push((restoration) => restoration.clearPlanned(number, clearAt));
  }

  cacheDeleted({ number }: JournaledCache): void {
    this.#told.push((restoration) => restoration.cacheDeleted(number));
  }
}

function describe({ number, id, projectId, name }: JournaledCache): CacheDescription {
  return { number, id, projectId, name };
}

/** Every cache and every live item of a store, with all that clients can learn of it, in a fixed order. */
export async function stateOf(store: JournaledStore): Promise<string[]> {
  const state: string[] = [];
  for (const { number, id, projectId, name, clearAt } of store.journaledCaches()) {
    state.push(JSON.stringify({ number, id, projectId, name, clearAt }));
  }
  let place = 0;
  do {
    place = store.visit(place, ({ number }, given, item) => {
      const key = String(given);
      const { value, kind, flags, cas, expiresAt, accessedAt, stale, recaching, fetched } = item;
      const seconds = Math.floor(accessedAt / 1000);
      const marks = { kind, flags, cas: String(cas), expiresAt, seconds, stale, recaching, fetched };
      state.push(JSON.stringify({ number, key, value: value.toString('base64'), ...marks }));
    });
  } while (place !== 0);
  return state.sort();
}
