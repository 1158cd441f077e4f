import { performance } from 'node:perf_hooks';
import type { Clock, Moment } from '../engine/clock.ts';
import { atTurnEnd } from './turn-end.ts';

/**
 * The clocks of this machine, read once per turn of the event loop, or once for as long as they are held: a chunk of
 * commands asks for the time dozens of times, and is answered at one time.
 */
export class TickClock implements Clock, Moment {
  #steady = 0;
  #unix = 0;
  /** What the steady clock said when the other was read. */
  #unixReadAt = 0;

  readonly now = (): number => {
    if (this.#steady === 0) {
      this.hold(performance.now());
      atTurnEnd(this.#forget);
    }
    return this.#steady;
  };

  readonly unixNow = (): number => {
    const now = this.now();
    if (this.#unixReadAt !== now) this.#unix = Date.now();
    this.#unixReadAt = now;
    return this.#unix;
  };

  hold(at: number): void {
    // Starts at the machine's time and goes on by a clock that nobody sets.
    this.#steady = Math.floor(STARTED_AT + at);
  }

  release(): void {
    this.#steady = 0;
  }

  readonly #forget = () => this.release();
}

const STARTED_AT = performance.timeOrigin;
