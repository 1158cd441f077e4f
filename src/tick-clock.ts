import type { Clock } from './engine/clock.ts';

/**
 * The clocks of this machine, read once per turn of the event loop: a chunk of commands asks for the time
 * dozens of times, and all that happens in one turn happens at one time.
 */
export function tickClock(): Clock {
  return { now: oncePerTurn(steadyNow), unixNow: oncePerTurn(() => Date.now()) };
}

// Begins with the machine's clock and goes on by one that nobody sets.
function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

function oncePerTurn(read: () => number): () => number {
  let time = 0;
  const forget = () => {
    time = 0;
  };
  return () => {
    if (time === 0) {
      time = read();
      setImmediate(forget);
    }
    return time;
  };
}
