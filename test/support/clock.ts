import { performance } from 'node:perf_hooks';
import type { Clock, Moment } from '../../src/engine/clock.ts';

export interface TestClock extends Clock, Moment {
  advance(ms: number): void;
  set(ms: number): void;
  /** Sets the machine's clock forward, or back, as time servers and people do. */
  step(ms: number): void;
}

/** Noon of some day, in ms since the epoch: whole seconds, so that fractions in a test are its own. */
const SOME_NOON = Date.UTC(2030, 0, 15, 12, 0, 0);

/** Time that passes only when a test says so. `now` may be passed on by itself. */
export function testClock(start = SOME_NOON): TestClock {
  let time = start;
  let stepped = 0;
  return {
    now: () => time,
    unixNow: () => time + stepped,
    hold: () => undefined,
    release: () => undefined,
    advance: (ms) => {
      time += ms;
    },
    set: (ms) => {
      time = ms;
    },
    step: (ms) => {
      stepped += ms;
    },
  };
}

/** One that stands still where it is held, as that of the service does. */
export function heldClock(clock = testClock()): TestClock {
  let held: number | undefined;
  return {
    ...clock,
    now: () => held ?? clock.now(),
    hold: (at) => {
      held = Math.floor(performance.timeOrigin + at);
    },
    release: () => {
      held = undefined;
    },
  };
}
