/** What the calendar needs of an entry: when it expires, in ms since the epoch (or NEVER). */
interface Expiring {
  readonly expiresAt: number;
}

/**
 * Which entries expire when, by the second, so that those whose time has come are found without
 * looking at any other. Tell it before an entry's `expiresAt` changes, and again after.
 */
export class ExpiryCalendar<E extends Expiring> {
  readonly #days = new Map<number, Set<E>>();
  #sweptSecond = 0;

  add(entry: E): void {
    if (!Number.isFinite(entry.expiresAt)) return;
    const second = secondOf(entry.expiresAt);
    const entries = this.#days.get(second);
    if (entries) entries.add(entry);
    else this.#days.set(second, new Set([entry]));
    // An entry that is due already must be found by the next look, too.
    if (second <= this.#sweptSecond) this.#sweptSecond = second - 1;
  }

  remove(entry: E): void {
    if (!Number.isFinite(entry.expiresAt)) return;
    const second = secondOf(entry.expiresAt);
    const entries = this.#days.get(second);
    if (entries?.delete(entry) && entries.size === 0) this.#days.delete(second);
  }

  /** The entries that expire at `now` or before. The caller removes each before it asks for the next. */
  *due(now: number): Generator<E> {
    const lastFullSecond = Math.floor(now / 1000);
    for (const second of this.#secondsUpTo(lastFullSecond)) {
      for (const entry of this.#days.get(second) ?? []) yield entry;
    }
    this.#sweptSecond = Math.max(this.#sweptSecond, lastFullSecond);
    for (const entry of this.#days.get(lastFullSecond + 1) ?? []) {
      if (entry.expiresAt <= now) yield entry;
    }
  }

  // Whichever is less to walk: the seconds since the last look, or those that have entries.
  #secondsUpTo(last: number): number[] {
    const span = last - this.#sweptSecond;
    if (span > this.#days.size) return [...this.#days.keys()].filter((second) => second <= last);
    return Array.from({ length: Math.max(0, span) }, (_, i) => this.#sweptSecond + 1 + i);
  }
}

function secondOf(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000);
}
