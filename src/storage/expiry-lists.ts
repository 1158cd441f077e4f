import { NO_SLOT, type SlotTable } from './slot-table.ts';

/** In place of a second: the list of what was due already when it was added. */
const OVERDUE = -1;

/** What expires when, by the second: lists of slots, which the slots themselves link. */
export class ExpiryLists {
  /** The first slot of each second's list. */
  readonly #firsts = new Map<number, number>();
  readonly #slots: SlotTable;
  /** Up to here every second has been looked at. */
  #sweptSecond: number;

  constructor(slots: SlotTable, now: number) {
    this.#slots = slots;
    this.#sweptSecond = Math.floor(now / 1000);
  }

  add(slot: number, expiresAt: number, now: number): void {
    const second = expiresAt <= now ? OVERDUE : secondOf(expiresAt);
    const first = this.#firsts.get(second) ?? NO_SLOT;
    this.#slots.setNextExpiring(slot, first);
    this.#slots.setPreviousExpiring(slot, NO_SLOT);
    if (first !== NO_SLOT) this.#slots.setPreviousExpiring(first, slot);
    this.#firsts.set(second, slot);
    // A clock that was set back comes to this second again.
    if (second !== OVERDUE && second <= this.#sweptSecond) this.#sweptSecond = second - 1;
  }

  /** `expiresAt` as it was when the slot was added. */
  remove(slot: number, expiresAt: number): void {
    const next = this.#slots.nextExpiring(slot);
    const previous = this.#slots.previousExpiring(slot);
    if (next !== NO_SLOT) this.#slots.setPreviousExpiring(next, previous);
    if (previous !== NO_SLOT) {
      this.#slots.setNextExpiring(previous, next);
      return;
    }
    const second = this.#firsts.get(OVERDUE) === slot ? OVERDUE : secondOf(expiresAt);
    if (next !== NO_SLOT) this.#firsts.set(second, next);
    else this.#firsts.delete(second);
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
    const overdue = this.#firsts.get(OVERDUE);
    if (overdue !== undefined) return overdue;
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
