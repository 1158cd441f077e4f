import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as othersTurn } from 'node:timers/promises';
import type { JournaledStore } from '../engine/journal.ts';
import type { ItemJournal } from './item-journal.ts';

/** How long the walk may hold up everyone at once, and how often it looks at the time. */
const SLICE_MS = 1;
const STEPS_BETWEEN_LOOKS = 16;

// After a slice others have so much time, and the process so many times the slice where it is busy.
const REST_MS = 1;
const BUSY_REST = 19;
const BUSY = 0.5;

/** What may wait to be written before the walk waits, too. */
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;

export interface WalkParts {
  readonly store: JournaledStore;
  readonly journal: ItemJournal;
  /** Nobody else needs the process. */
  readonly isAlone: boolean;
  /** Asked now and then; true ends the walk before its end. */
  readonly isOver: () => boolean;
}

/**
 * Tells a journal of every cache and every item, a little at a time. Since what changes meanwhile is told, too,
 * the journal holds everything at the end. Resolves with how many items it told.
 */
export async function walk({ store, journal, isAlone, isOver }: WalkParts): Promise<number> {
  let items = 0;
  const rest = new Rest(isAlone);
  for (const cache of store.journaledCaches()) {
    journal.describe(cache);
    if (rest.isDue) await rest.take(journal, isOver);
    if (isOver()) return items;
  }
  let place = 0;
  do {
    for (let i = 0; i < STEPS_BETWEEN_LOOKS; i++) {
      place = store.visit(place, (cache, key, item) => {
        items++;
        journal.itemFound(cache, key, item);
      });
      if (place === 0) return items;
    }
    if (rest.isDue) await rest.take(journal, isOver);
  } while (!isOver());
  return items;
}

/** When to let others have their turn, and for how long. */
class Rest {
  readonly #isAlone: boolean;
  #sliceStart = performance.now();
  #isBusy = false;

  constructor(isAlone: boolean) {
    this.#isAlone = isAlone;
  }

  get isDue(): boolean {
    return performance.now() - this.#sliceStart >= SLICE_MS;
  }

  async take({ writer }: ItemJournal, isOver: () => boolean): Promise<void> {
    if (this.#isAlone) await othersTurn();
    else await this.#pause();
    while (writer.unwritten > UNWRITTEN_BYTES_MAX && !writer.isIdle && !isOver()) await delay(1);
    this.#sliceStart = performance.now();
  }

  async #pause(): Promise<void> {
    const slice = performance.now() - this.#sliceStart;
    const before = performance.eventLoopUtilization();
    await delay(this.#isBusy ? Math.ceil(BUSY_REST * slice) : REST_MS);
    this.#isBusy = performance.eventLoopUtilization(before).utilization > BUSY;
  }
}
