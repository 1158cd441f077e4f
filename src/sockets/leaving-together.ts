/** How many leave together at most: the first of them should not wait long. */
const TOGETHER_MAX = 16;

/** Something that is to be sent. */
export interface Leaver {
  /** Sends it; it must not throw. */
  leave(): void;
}

/**
 * Keeps answers of one turn of the event loop until `leaveNow` is called at its end, or there are many: a write that
 * has to wake the reader costs several times one that finds it awake, and of many in a row only the first has to.
 */
export class LeavingTogether {
  readonly #leavers: Leaver[] = [];
  #count = 0;
  #left = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  add(leaver: Leaver): void {
    this.#leavers[this.#count++] = leaver;
    if (this.#count >= TOGETHER_MAX) this.leaveNow();
  }

  /** Sends all that is kept. */
  leaveNow(): void {
    while (this.#left < this.#count) {
      const leaver = this.#leavers[this.#left] as Leaver;
      this.#leavers[this.#left++] = GONE;
      leaver.leave();
    }
    this.#left = 0;
    this.#count = 0;
  }
}

// Takes the place of who has left, so that nobody is kept.
const GONE: Leaver = { leave: () => undefined };
