import { LastOfKind } from './last-of-kind.ts';

/** What is to be done at the end of this turn of the event loop: [0, dueCount). */
const due: (() => void)[] = [];
let dueCount = 0;
let done = 0;
let isScheduled = false;
const last = new LastOfKind<NodeJS.Immediate>();

/**
 * Has something done at the end of this turn of the event loop, after what was asked for before; also by what is
 * done there. One immediate serves all who ask: to make one costs as much as a small answer, and one that is made at
 * the end of a turn, when others are due, costs the next turn a look for events which does not wait for them.
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
