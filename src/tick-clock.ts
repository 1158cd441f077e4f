import { performance } from 'node:perf_hooks';
import type { Clock } from './engine/clock.ts';
import { atTurnEnd } from './turn-end.ts';

/**
 * The clocks of this machine, read once per turn of the event loop: a chunk of commands asks for the time
 * dozens of times, and all that happens in one turn happens at one time.
 */
export function tickClock(): Clock {
  let steady = 0;
  let unix = 0;
  const forget = () => {
    steady = 0;
    unix = 0;
  };
  return {
    now: () => {
      if (steady === 0) {
        steady = steadyNow();
        atTurnEnd(forget);
      }
      return steady;
    },
    unixNow: () => {
      if (unix === 0) {
        unix = Date.now();
        atTurnEnd(forget);
      }
      return unix;
    },
  };
}

// Begins with the machine's clock and goes on by one that nobody sets.
function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
