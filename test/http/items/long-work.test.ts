import { once } from 'node:events';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import fastify, { type FastifyRequest } from 'fastify';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Grant } from '../../../src/auth/grant.ts';
import { excused } from '../../../src/http/connections/silent-connections.ts';
import { LongWork } from '../../../src/http/items/long-work.ts';
import { RequestRates } from '../../../src/limits/request-rate.ts';
import { testClock } from '../../support/clock.ts';
import { PROJECT, project, token } from '../../support/credentials.ts';

/** A request that has just come, as Fastify gives it, with a right to the project. */
async function someRequest(grant: Grant): Promise<FastifyRequest> {
  const app = fastify();
  onTestFinished(() => app.close());
  app.decorateRequest('grant', null);
  const coming = new Promise<FastifyRequest>((resolve) => {
    app.get('/', (asked) => resolve(asked));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const asking = request(app.listeningOrigin).end();
  onTestFinished(() => void asking.destroy());
  asking.on('error', () => {});
  const [came] = await Promise.all([coming, once(asking, 'socket')]);
  came.grant = grant;
  return came;
}

test('waits for room in the rate, while the connection may be silent for as long as that takes', async () => {
  const clock = testClock();
  const grant = new Grant(project(PROJECT), token('t', [PROJECT]));
  const rates = new RequestRates(1_000, clock.now);
  const asked = await someRequest(grant);
  const work = new LongWork(asked, { rates, unixNow: clock.unixNow });
  for (let i = 0; i < 511; i++) work.count();
  const rest = work.rest();
  expect(excused.has(asked.raw.socket)).toBe(true);
  // Others go on meanwhile.
  expect(rates.of(grant)?.take(500)).toBeUndefined();
  clock.advance(511);
  expect(await rest).toBe(true);
  expect(excused.has(asked.raw.socket)).toBe(false);
});

test('ends when its right does', async () => {
  const clock = testClock();
  const grant = new Grant(project(PROJECT), token('t', [PROJECT], { expiresAt: clock.now() + 1_000 }));
  const work = new LongWork(await someRequest(grant), {
    rates: new RequestRates(0, clock.now),
    unixNow: clock.unixNow,
  });
  expect(await work.rest()).toBe(true);
  clock.advance(1_000);
  expect(await work.rest()).toBe(false);
});

test('has others go on between its slices, each of which begins when it does', async () => {
  const now = vi.spyOn(performance, 'now');
  onTestFinished(() => now.mockRestore());
  const clock = testClock();
  const grant = new Grant(project(PROJECT), token('t', [PROJECT]));
  const asked = await someRequest(grant);
  const at = (ms: number) => now.mockReturnValue(ms);
  at(1_000);
  const work = new LongWork(asked, { rates: new RequestRates(0, clock.now), unixNow: clock.unixNow });
  const isLong = (ms: number) => at(ms) && work.isLong;
  expect([isLong(1_001), isLong(1_001.1)]).toEqual([false, true]);
  let isTurnOver = false;
  setImmediate(() => {
    isTurnOver = true;
  });
  at(2_000);
  expect(await work.rest()).toBe(true);
  expect(isTurnOver).toBe(true);
  expect([isLong(2_001), isLong(2_001.1)]).toEqual([false, true]);
});

test('waits no longer for room in the rate once its right has ended', async () => {
  const clock = testClock();
  const grant = new Grant(project(PROJECT), token('t', [PROJECT], { expiresAt: clock.now() + 1_000 }));
  const rates = new RequestRates(1, clock.now);
  const work = new LongWork(await someRequest(grant), { rates, unixNow: clock.unixNow });
  for (let i = 0; i < 1_000_000; i++) work.count();
  const rest = work.rest();
  clock.advance(1_000);
  expect(await rest).toBe(false);
});
