/** Time, in milliseconds since the Unix epoch. */
export interface Clock {
  /**
   * For durations: it runs evenly and never back, so that nothing expires too early or comes back when the
   * machine's clock is set, or the machine sleeps.
   */
  readonly now: () => number;
  /** For times of day: the machine's clock. */
  readonly unixNow: () => number;
}

/** A clock that can be stopped while much is done at once, instead of being read again and again. */
export interface Moment {
  /** Stops it at a time of performance.now, in ms, until it is released in the same turn of the event loop. */
  hold(at: number): void;
  release(): void;
}

/**
 * How far the machine's clock was set since the start, in ms: added to a time of `now`, it gives that of `unixNow`.
 * Rounded to the second, since the two are never read at quite the same moment.
 */
export function clockSet({ now, unixNow }: Clock): number {
  return Math.round((unixNow() - now()) / 1000) * 1000;
}
