import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as othersTurn } from 'node:timers/promises';
import type { JournaledStore } from '../engine/journal.ts';
import type { ItemJournal } from './item-journal.ts';

/** How long the walk may hold up everyone at once. */
const SLICE_MS = 1;

// How long others have their turn after a slice; where the process is busy, so many times the slice. Less for a
// snapshot: while it is made every change costs more, whereas a log is told of changes in any case.
const REST_MS = 1;
const BUSY_REST = { log: 19, snapshot: 4 };
const BUSY = 0.5;

/** What may wait to be written before the walk waits, too; what it tells in one slice comes on top. */
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;

export interface WalkParts {
  readonly store: JournaledStore;
  readonly journal: ItemJournal;
  /** What for: to write a log anew, or to make a snapshot. */
  readonly mode: keyof typeof BUSY_REST;
  /** Nobody else needs the process. */
  readonly isAlone: boolean;
  /** How many bytes of changes may come to wait to be written while the walk waits for what it told. */
  readonly changedBytesMax: number;
  /** Asked now and then; true ends the walk before its end. */
  readonly isOver: () => boolean;
}

/**
 * Tells a journal of every cache and every item, a little at a time. Since what changes meanwhile is told, too,
 * the journal holds everything at the end. Resolves with how many items it told. Rejects where changes come faster than
 * they are written.
 */
export async function walk({ store, journal, isOver, ...parts }: WalkParts): Promise<number> {
  let items = 0;
  const rest = new Rest(parts);
  for (const cache of store.journaledCaches()) {
    journal.describe(cache);
    if (rest.isDue) await rest.take(journal, isOver);
    if (isOver()) return items;
  }
  let place = 0;
  do {
    place = store.visit(place, (cache, key, item) => {
      items++;
      journal.itemFound(cache, key, item);
    });
    if (place === 0) return items;
    if (rest.isDue) await rest.take(journal, isOver);
  } while (!isOver());
  return items;
}

type RestParts = Pick<WalkParts, 'mode' | 'isAlone' | 'changedBytesMax'>;

/** When to let others have their turn, and for how long. */
class Rest {
  readonly #parts: RestParts;
  #sliceStart = performance.now();
  #isBusy = false;

  constructor(parts: RestParts) {
    this.#parts = parts;
  }

  get isDue(): boolean {
    return performance.now() - this.#sliceStart >= SLICE_MS;
  }

  async take({ writer }: ItemJournal, isOver: () => boolean): Promise<void> {
    if (this.#parts.isAlone) await othersTurn();
    else await this.#pause();
    const enough = writer.unwritten + this.#parts.changedBytesMax;
    while (writer.unwritten > UNWRITTEN_BYTES_MAX && !writer.isIdle && !isOver()) {
      await delay(1);
      if (writer.unwritten > enough) throw new Error('the disk is too slow');
    }
    this.#sliceStart = performance.now();
  }

  async #pause(): Promise<void> {
    const slice = performance.now() - this.#sliceStart;
    const before = performance.eventLoopUtilization();
    await delay(this.#isBusy ? Math.ceil(BUSY_REST[this.#parts.mode] * slice) : REST_MS);
    this.#isBusy = performance.eventLoopUtilization(before).utilization > BUSY;
  }
}
