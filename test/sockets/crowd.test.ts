import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { CROWD_MIN, Crowd, UNCOUNTED_REQUESTS } from '../../src/sockets/crowd.ts';

async function turnWith(crowd: Crowd, clients: number): Promise<boolean> {
  for (let i = 0; i < clients; i++) crowd.grow();
  await nextTurn();
  return crowd.isThere;
}

test('there is a crowd after a turn in which as many asked, and none after one in which fewer did', async () => {
  const crowd = new Crowd();
  expect(crowd.isThere).toBe(false);
  expect(await turnWith(crowd, CROWD_MIN)).toBe(true);
  expect(await turnWith(crowd, CROWD_MIN)).toBe(true);
  expect(await turnWith(crowd, CROWD_MIN - 1)).toBe(false);
});

test('few are counted now and then, which is soon enough when they become many', async () => {
  const crowd = new Crowd();
  expect(await turnWith(crowd, 1)).toBe(false);
  for (let i = 0; i < UNCOUNTED_REQUESTS; i++) expect(await turnWith(crowd, 1)).toBe(false);
  expect(await turnWith(crowd, CROWD_MIN)).toBe(true);
  expect(await turnWith(crowd, CROWD_MIN - 1)).toBe(false);
  // As many as are not counted, and then a crowd, in one turn.
  expect(await turnWith(crowd, UNCOUNTED_REQUESTS + CROWD_MIN - 1)).toBe(false);
  expect(await turnWith(crowd, UNCOUNTED_REQUESTS + CROWD_MIN)).toBe(true);
});

test('who asks in this turn is known after it only, and a turn in which nobody asks tells nothing', async () => {
  const crowd = new Crowd();
  for (let i = 0; i < 2 * CROWD_MIN; i++) crowd.grow();
  expect(crowd.isThere).toBe(false);
  await nextTurn();
  expect(crowd.isThere).toBe(true);
  expect(await turnWith(crowd, 0)).toBe(true);
});
