import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { atTurnEnd } from '../../src/event-loop/turn-end.ts';

test('does what is due at the end of the turn, in order, also what becomes due meanwhile', async () => {
  const done: string[] = [];
  atTurnEnd(() => {
    done.push('first');
    atTurnEnd(() => done.push('third'));
  });
  atTurnEnd(() => done.push('second'));
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual(['first', 'second', 'third']);
  atTurnEnd(() => done.push('fourth'));
  await nextTurn();
  expect(done.at(-1)).toBe('fourth');
});

test('an error keeps nothing else from being done', async () => {
  const errors: unknown[] = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => errors.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const other of others) process.on('uncaughtException', other);
  });
  let isDone = false;
  const bug = new Error('a bug');
  atTurnEnd(() => {
    throw bug;
  });
  atTurnEnd(() => {
    isDone = true;
  });
  await nextTurn();
  await nextTurn();
  expect(isDone).toBe(true);
  expect(errors).toEqual([bug]);
});
