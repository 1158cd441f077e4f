import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type Leaver, LeavingTogether } from '../../src/sockets/leaving-together.ts';
import { kept } from '../support/garbage.ts';

test('who has left is kept by nobody, and leaves once', async () => {
  const leaving = new LeavingTogether();
  let left = 0;
  const references: WeakRef<object>[] = [];
  const add = () => {
    const leaver: Leaver = { leave: () => left++ };
    references.push(new WeakRef(leaver));
    leaving.add(leaver);
  };
  for (let i = 0; i < 3; i++) add();
  expect([leaving.isEmpty, left]).toEqual([false, 0]);
  leaving.leaveNow();
  leaving.leaveNow();
  expect([leaving.isEmpty, left]).toEqual([true, 3]);
  // What was looked at in a turn is kept until it is over.
  await nextTurn();
  expect(kept(references)).toBe(0);
});

test('whoever is added while others leave goes with them, behind them', () => {
  const leaving = new LeavingTogether();
  const left: string[] = [];
  leaving.add({
    leave: () => {
      left.push('first');
      leaving.add({ leave: () => left.push('third') });
    },
  });
  leaving.add({ leave: () => left.push('second') });
  leaving.leaveNow();
  expect(left).toEqual(['first', 'second', 'third']);
  expect(leaving.isEmpty).toBe(true);
});
