import { LastOfKind } from '../last-of-kind.ts';

/** What is due at the end of this turn of the event loop: [done, dueCount). */
const due: (() => void)[] = [];
let dueCount = 0;
let done = 0;
let isScheduled = false;
const last = new LastOfKind<NodeJS.Immediate>();

/**
 * Runs an action at the end of this turn of the event loop, after those that were asked for before; an action may
 * ask for more. One immediate serves them all: making one costs as much as a small answer, and one that is made while
 * others run costs the next turn a poll for events that does not wait.
 */
export function atTurnEnd(action: () => void): void {
  due[dueCount++] = action;
  schedule();
}

function schedule(): void {
  if (!isScheduled) last.object = setImmediate(endTurn);
  isScheduled = true;
}

function endTurn(): void {
  try {
    while (done < dueCount) {
      const action = due[done] as () => void;
      due[done++] = NOTHING;
      action();
    }
    done = 0;
    dueCount = 0;
  } finally {
    isScheduled = false;
    // After an error, the rest is still due.
    if (dueCount > 0) schedule();
  }
}

const NOTHING = () => undefined;
