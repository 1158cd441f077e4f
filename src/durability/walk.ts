import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as othersTurn } from 'node:timers/promises';
import type { JournaledStore } from '../engine/journal.ts';
import type { ItemJournal } from './item-journal.ts';

/** How long the walk may hold up everyone at once. */
const SLICE_MS = 1;

// How long others have their turn after a slice; where the process is busy, so many times the slice. Less for a
// snapshot: while it is made every change costs more, whereas a log is told of changes in any case.
const REST_MS = 1;
const BUSY_REST = { log: 19, snapshot: 4, behind: 4 };
const BUSY = 0.5;
// However long a slice seems to have taken: the machine may have slept, or the process been stopped.
const REST_MS_MAX = 100;

/** What may wait to be written before the walk waits, too; what it tells in one slice comes on top. */
const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;

interface WalkParts {
  readonly store: JournaledStore;
  readonly journal: ItemJournal;
  /** What for: to write a log anew, or to make a snapshot. */
  readonly mode: 'log' | 'snapshot';
  /** Nobody else needs the process. */
  readonly isAlone: boolean;
  /**
   * How many bytes of changes may wait to be written: beyond, those who change wait where a log is written anew, and a
   * snapshot is given up.
   */
  readonly unwrittenBytesMax: number;
  /** Asked now and then; true ends the walk before its end. */
  readonly isOver: () => boolean;
}

/**
 * Tells a journal of every cache and every item, a little at a time. Since what changes meanwhile is told, too,
 * the journal holds everything at the end. Resolves with how many items it told. Rejects where changes come faster than
 * they are written.
 */
export async function walk(parts: WalkParts): Promise<number> {
  const { store, journal, isOver } = parts;
  let items = 0;
  const rest = new Rest(parts);
  for (const cache of store.journaledCaches()) {
    journal.describe(cache);
    if (rest.isDue) await rest.take();
    if (isOver()) return items;
  }
  let place = 0;
  do {
    place = store.visit(place, (cache, key, item) => {
      items++;
      journal.itemFound(cache, key, item);
    });
    if (place === 0) return items;
    if (rest.isDue) await rest.take();
  } while (!isOver());
  return items;
}

/** When to let others have their turn, and for how long. */
class Rest {
  readonly #parts: WalkParts;
  #sliceStart = performance.now();
  #isBusy = false;
  /** Up to where the journal was told at the start, and when the slice began; and how much of it the walk told. */
  readonly #start: number;
  #sliceFrom: number;
  #told = 0;

  constructor(parts: WalkParts) {
    this.#parts = parts;
    this.#start = parts.journal.position;
    this.#sliceFrom = parts.journal.position;
  }

  get isDue(): boolean {
    return performance.now() - this.#sliceStart >= SLICE_MS;
  }

  async take(): Promise<void> {
    const { journal, isAlone } = this.#parts;
    this.#told += journal.position - this.#sliceFrom;
    if (isAlone) await othersTurn();
    else await this.#pause();
    await this.#waitForDisk();
    this.#sliceFrom = journal.position;
    this.#sliceStart = performance.now();
  }

  // Do others tell a log more than the walk does? Then the file would grow and grow, and the walk not end.
  get #isBehind(): boolean {
    const { mode, journal } = this.#parts;
    return mode === 'log' && journal.position - this.#start > 2 * this.#told;
  }

  async #pause(): Promise<void> {
    const slice = performance.now() - this.#sliceStart;
    const before = performance.eventLoopUtilization();
    const rest = BUSY_REST[this.#isBehind ? 'behind' : this.#parts.mode];
    await delay(this.#isBusy ? Math.min(Math.ceil(rest * slice), REST_MS_MAX) : REST_MS);
    this.#isBusy = performance.eventLoopUtilization(before).utilization > BUSY;
  }

  async #waitForDisk(): Promise<void> {
    const { journal, mode, unwrittenBytesMax, isOver } = this.#parts;
    const { writer } = journal;
    const enough = writer.unwritten + unwrittenBytesMax;
    while (writer.unwritten > this.#unwrittenBytesMax && !writer.isIdle && !isOver()) {
      await delay(1);
      if (mode === 'snapshot' && writer.unwritten > enough) throw new Error('the disk is too slow');
    }
  }

  // Where the walk is behind, it has its turn and others wait: for less than they may fill.
  get #unwrittenBytesMax(): number {
    return UNWRITTEN_BYTES_MAX + (this.#isBehind ? this.#parts.unwrittenBytesMax : 0);
  }
}
