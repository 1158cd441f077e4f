import { performance } from 'node:perf_hooks';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Answer } from '../../engine/answer.ts';

// How long it may go on at a time, in milliseconds, and how many caches it clears or items it frees between two looks at
// the clock: few, since code that V8 has not compiled yet is ten times as slow.
const TIDY_MS = 1;
const STEPS_BETWEEN_LOOKS = 25;

interface TidyingParts {
  /** Clears up to `most` caches that are to be cleared by now, and says how many more it might have. */
  readonly clearDue: (most: number) => number;
  /** Removes up to `most` items that have expired, and says how many more it might have. */
  readonly expireDue: (most: number) => number;
  /** The same with items of discarded contents. */
  readonly freeDiscarded: (most: number) => number;
}

/** Removes what nobody wants any more; however much that is, others have their turn meanwhile. */
export class Tidying {
  readonly #parts: TidyingParts;

  constructor(parts: TidyingParts) {
    this.#parts = parts;
  }

  /** Clears up to `most` caches or removes so many items, and says how many more it might have. */
  free(most: number): number {
    const { clearDue, expireDue, freeDiscarded } = this.#parts;
    return freeDiscarded(expireDue(clearDue(most)));
  }

  /** Removes items for a while. True: there are more. */
  sweep(): boolean {
    return forAWhile(() => this.free(STEPS_BETWEEN_LOOKS) === 0);
  }

  /**
   * Answers once whatever has expired or is to be cleared by now is gone. Usually that is at once, but millions may
   * expire together.
   */
  whenTidy<T>(answer: () => T): Answer<T> {
    return this.#expireForAWhile() ? answer() : this.#expireInTurns().then(answer);
  }

  async #expireInTurns(): Promise<void> {
    do await othersTurn();
    while (!this.#expireForAWhile());
  }

  // True: nothing is due any more.
  #expireForAWhile(): boolean {
    const { clearDue, expireDue } = this.#parts;
    return !forAWhile(() => expireDue(clearDue(STEPS_BETWEEN_LOOKS)) === 0);
  }
}

// Works on while there is more to do. True: there is more.
function forAWhile(work: () => boolean): boolean {
  const end = performance.now() + TIDY_MS;
  while (work()) {
    if (performance.now() > end) return true;
  }
  return false;
}
