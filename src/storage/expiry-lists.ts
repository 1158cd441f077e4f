import { NO_SLOT, type SlotTable } from './slot-table.ts';

/** What expires when, by the second: lists of slots, which the slots themselves link. */
export class ExpiryLists {
  /** The first slot of each second's list. */
  readonly #firsts = new Map<number, number>();
  readonly #slots: SlotTable;
  #sweptSecond = 0;

  constructor(slots: SlotTable) {
    this.#slots = slots;
  }

  add(slot: number, expiresAt: number): void {
    const second = secondOf(expiresAt);
    const first = this.#firsts.get(second) ?? NO_SLOT;
    this.#slots.setNextExpiring(slot, first);
    this.#slots.setPreviousExpiring(slot, NO_SLOT);
    if (first !== NO_SLOT) this.#slots.setPreviousExpiring(first, slot);
    this.#firsts.set(second, slot);
    // What is due already must be found by the next look, too.
    if (second <= this.#sweptSecond) this.#sweptSecond = second - 1;
  }

  /** `expiresAt` as it was when the slot was added. */
  remove(slot: number, expiresAt: number): void {
    const next = this.#slots.nextExpiring(slot);
    const previous = this.#slots.previousExpiring(slot);
    if (next !== NO_SLOT) this.#slots.setPreviousExpiring(next, previous);
    if (previous !== NO_SLOT) this.#slots.setNextExpiring(previous, next);
    else if (next !== NO_SLOT) this.#firsts.set(secondOf(expiresAt), next);
    else this.#firsts.delete(secondOf(expiresAt));
  }

  /**
   * Has up to `most` slots removed (by `expire`, which calls `remove`) that expired before the second of
   * `now` began, and says how many more it might have had.
   */
  expireFullSeconds(now: number, most: number, expire: (slot: number) => void): number {
    const last = Math.floor(now / 1000);
    for (let left = most; left > 0; left--) {
      const slot = this.#firstInFullSecond(last);
      if (slot === NO_SLOT) return left;
      expire(slot);
    }
    return 0;
  }

  /** Has the slots of the second of `now` removed for which `isDue` holds. */
  expireWithinSecond(now: number, isDue: (slot: number) => boolean, expire: (slot: number) => void): void {
    let slot = this.#firsts.get(Math.floor(now / 1000) + 1) ?? NO_SLOT;
    while (slot !== NO_SLOT) {
      const next = this.#slots.nextExpiring(slot);
      if (isDue(slot)) expire(slot);
      slot = next;
    }
  }

  #firstInFullSecond(last: number): number {
    // Whichever is less to walk: the seconds since the last look, or those that have slots.
    if (last - this.#sweptSecond > this.#firsts.size) {
      for (const [second, slot] of this.#firsts) if (second <= last) return slot;
      this.#sweptSecond = last;
    }
    for (; this.#sweptSecond < last; this.#sweptSecond++) {
      const slot = this.#firsts.get(this.#sweptSecond + 1);
      if (slot !== undefined) return slot;
    }
    return NO_SLOT;
  }
}

function secondOf(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000);
}
