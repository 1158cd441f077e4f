import { expect, test } from 'vitest';
// @ts-expect-error The benchmark is no TypeScript.
import { aimsOf, sayAims } from './aims.mjs';
// @ts-expect-error The benchmark is no TypeScript.
import { takeSaid } from './report.mjs';

const run = (requestsPerSecond: number, p99 = 1, p999 = 1, unsent = 0) => ({
  requestsPerSecond,
  requests: requestsPerSecond,
  p99,
  p999,
  unsent,
  seconds: 1,
  serverCpuSeconds: 1,
});

/** The rows of the table, each with its cells. */
function said(parts: object): string[][] {
  takeSaid();
  sayAims(aimsOf(parts));
  const lines = takeSaid().split('\n').slice(7, -1);
  return lines.map((line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function memcachedPart(results: object[], paced: object[] = []) {
  return { memcached: { figures: { results, paced } } };
}

test('a rate below its aim is bold, even if it is printed as the aim', () => {
  const of = (ours: number) => [
    {
      name: 'depth 1, 9:1',
      runs: { memcached: [run(1000)], ironcached: [run(ours)], limit: [run(1300)], bare: [run(990)] },
    },
  ];
  const row = (reached: string) => [
    ['depth 1, 9:1 ÷ memcached', 'at least 0.90 ×', reached, '1.30 ×', '0.99 ×'],
  ];
  expect(said(memcachedPart(of(890)))).toEqual(row('**0.89 ×**'));
  expect(said(memcachedPart(of(896)))).toEqual(row('**0.90 ×**'));
  expect(said(memcachedPart(of(900)))).toEqual(row('0.90 ×'));
});

test('a latency above its aim is bold', () => {
  const runs = { memcached: [run(1, 1, 1)], ironcached: [run(1, 1.4, 1.6)] };
  expect(said(memcachedPart([], [{ name: 'depth 1, 9:1', runs }]))).toEqual([
    ['p99 at half rate, depth 1, 9:1', 'at most 1.50 ×', '1.40 ×', '–', '–'],
    ['p99.9 at half rate, depth 1, 9:1', 'at most 1.50 ×', '**1.60 ×**', '–', '–'],
  ]);
});

test('latencies at a rate that the peer did not keep either count neither as reached nor as missed', () => {
  const of = (memcached: object, ironcached: object) =>
    memcachedPart([], [{ name: 'depth 1, 9:1', runs: { memcached: [memcached], ironcached: [ironcached] } }]);
  const [late, kept] = [run(1000, 1, 1, 11), run(1000, 1, 1, 10)];
  expect(said(of(kept, kept)).map(([, , reached]) => reached)).toEqual(['1.00 ×', '1.00 ×']);
  expect(aimsOf(of(late, kept))).toEqual([]);
  expect(aimsOf(of(late, run(1000, 2, 2, 11)))).toEqual([]);
  // Where only ours did not keep it, that is ours to answer for.
  expect(said(of(kept, run(1000, 2, 2, 11))).map(([, , reached]) => reached)).toEqual([
    '**2.00 ×**',
    '**2.00 ×**',
  ]);
});

test('REST has its peers, growth its few and many, a start its figures', () => {
  const webdis = { shipped: [run(90)], tuned: [run(100)] };
  const runs = { fastify: [run(100)], http: [run(120)], ...webdis, ironcached: [run(110)] };
  const grown = { 'ours, few': [run(200)], 'ours, many': [run(100)] };
  expect(
    said({
      rest: { figures: { results: [{ name: 'GET, 100 B', runs }], paced: [] } },
      growth: { figures: { results: [{ name: 'items', runs: grown }] } },
      start: { figures: { ironcached: [{ readyMs: 401, residentBytes: 70e6 }] } },
    }),
  ).toEqual([
    ['REST GET, 100 B ÷ Fastify', 'at least 0.90 ×', '1.10 ×', '1.20 ×', '–'],
    ['REST GET, 100 B ÷ webdis + redis', 'at least 1.20 ×', '1.22 ×', '1.33 ×', '–'],
    ['REST GET, 100 B ÷ webdis + redis, tuned', 'at least 1.20 ×', '**1.10 ×**', '1.20 ×', '–'],
    ['cost of a get, items', 'at most 1.50 ×', '**2.00 ×**', '–', '–'],
    ['ready after', 'at most 400 ms', '**401 ms**', '–', '–'],
    ['memory when empty', 'at most 90 MB', '70 MB', '–', '–'],
  ]);
});

test('without figures, and for work without an aim, there is nothing to say', () => {
  expect(aimsOf({})).toEqual([]);
  expect(aimsOf(memcachedPart([{ name: 'depth 1, meta 9:1', runs: { ironcached: [run(1)] } }]))).toEqual([]);
  expect(aimsOf(memcachedPart([{ name: 'depth 1, 9:1', runs: { ironcached: [run(1)] } }]))).toEqual([]);
});
