import { performance } from 'node:perf_hooks';

/** For how long what clients sent ahead is worked off in one turn of the event loop, all clients' together. */
const TURN_MS = 4;

const NOT_BEGUN = Number.POSITIVE_INFINITY;
const OVER = Number.NEGATIVE_INFINITY;
let endsAt = NOT_BEGUN;
/** Who goes on later, in the order in which they came. */
const waiting: (() => void)[] = [];
let isScheduled = false;

/** Is the time over that a turn has for what clients sent ahead? To be asked by who works it off. */
export function isTurnOver(): boolean {
  const now = performance.now();
  if (endsAt === NOT_BEGUN) {
    endsAt = now + TURN_MS;
    schedule();
  }
  return now > endsAt;
}

/** Has one go on in a later turn, behind all that wait already: else who comes first every time would starve others. */
export function afterOthers(action: () => void): void {
  waiting.push(action);
  schedule();
}

/** The same for a part of long work, which has a turn to itself. */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => {
    afterOthers(() => {
      endsAt = OVER;
      resolve();
    });
  });
}

function schedule(): void {
  if (!isScheduled) setImmediate(nextTurn);
  isScheduled = true;
}

function nextTurn(): void {
  isScheduled = false;
  endsAt = NOT_BEGUN;
  try {
    for (let left = waiting.length; left > 0 && !isTurnOver(); left--) waiting.shift()?.();
  } finally {
    if (waiting.length > 0) schedule();
  }
}
