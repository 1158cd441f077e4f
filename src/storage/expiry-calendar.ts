/** What the calendar needs of an entry: when it expires, in ms since the epoch (or NEVER). */
interface Expiring {
  readonly expiresAt: number;
}

/**
 * Which entries expire when, by the second, so that those whose time has come are found without
 * looking at any other. Tell it before an entry's `expiresAt` changes, and again after.
 */
export class ExpiryCalendar<E extends Expiring> {
  readonly #seconds = new Map<number, Set<E>>();
  /** Entries that were due already when they were added. */
  readonly #overdue = new Set<E>();
  #sweptSecond = 0;

  add(entry: E, now: number): void {
    if (!Number.isFinite(entry.expiresAt)) return;
    if (entry.expiresAt <= now) {
      this.#overdue.add(entry);
      return;
    }
    const second = secondOf(entry.expiresAt);
    const entries = this.#seconds.get(second);
    if (entries) entries.add(entry);
    else this.#seconds.set(second, new Set([entry]));
  }

  remove(entry: E): void {
    if (!Number.isFinite(entry.expiresAt) || this.#overdue.delete(entry)) return;
    const second = secondOf(entry.expiresAt);
    const entries = this.#seconds.get(second);
    if (entries?.delete(entry) && entries.size === 0) this.#seconds.delete(second);
  }

  /** The entries that expire at `now` or before. The caller removes each before it asks for the next. */
  *due(now: number): Generator<E> {
    yield* this.#overdue;
    const lastFullSecond = Math.floor(now / 1000);
    for (const second of this.#secondsUpTo(lastFullSecond)) {
      for (const entry of this.#seconds.get(second) ?? []) yield entry;
    }
    this.#sweptSecond = lastFullSecond;
    for (const entry of this.#seconds.get(lastFullSecond + 1) ?? []) {
      if (entry.expiresAt <= now) yield entry;
    }
  }

  // Whichever are fewer: the seconds since the last look, or those that have entries.
  #secondsUpTo(last: number): number[] {
    const span = last - this.#sweptSecond;
    if (span > this.#seconds.size) return [...this.#seconds.keys()].filter((second) => second <= last);
    return Array.from({ length: Math.max(0, span) }, (_, i) => this.#sweptSecond + 1 + i);
  }
}

function secondOf(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000);
}
