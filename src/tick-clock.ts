import type { Clock } from './engine/clock.ts';

/**
 * The clocks of this machine, read once per turn of the event loop: a chunk of commands asks for the time
 * dozens of times, and all that happens in one turn happens at one time.
 */
export function tickClock(): Clock {
  let steady = 0;
  let unix = 0;
  let isToForget = false;
  const forget = () => {
    steady = 0;
    unix = 0;
    isToForget = false;
  };
  // One for both clocks, since it is made in every turn.
  const forgetAfterTurn = () => {
    if (!isToForget) setImmediate(forget);
    isToForget = true;
  };
  return {
    now: () => {
      if (steady === 0) {
        steady = steadyNow();
        forgetAfterTurn();
      }
      return steady;
    },
    unixNow: () => {
      if (unix === 0) {
        unix = Date.now();
        forgetAfterTurn();
      }
      return unix;
    },
  };
}

// Begins with the machine's clock and goes on by one that nobody sets.
function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
