/** Time, in milliseconds since the Unix epoch. */
export interface Clock {
  /**
   * For all that lasts: it goes on evenly and never back. When the machine's clock is set, or the machine
   * sleeps, nothing expires too early or comes back.
   */
  readonly now: () => number;
  /** For all that happens at a named time: what the machine's clock says. */
  readonly unixNow: () => number;
}

/** A clock that whoever does much at once may have stand still, instead of asking it again and again. */
export interface Moment {
  /** It is the time that performance.now told, in ms, until it is released within the same turn of the event loop. */
  hold(at: number): void;
  release(): void;
}

/**
 * How far the machine's clock was set since the start, in ms: a time of one clock and this are the time of
 * the other. To the second, since the two are never read at quite the same moment.
 */
export function clockSet({ now, unixNow }: Clock): number {
  return Math.round((unixNow() - now()) / 1000) * 1000;
}
