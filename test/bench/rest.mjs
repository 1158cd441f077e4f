import { contest } from './contest.mjs';
import { buildGenerator } from './generator.mjs';
import { fromTemplate } from './load/http-wire.mjs';
import { itemValue, keyOf } from './load/items.mjs';
import { has, versionOf } from './machine.mjs';
import {
  generatorBusy,
  halfRate,
  PACED_TIMES,
  printLatencies,
  rateOf,
  ratePerCpuOf,
} from './measurements.mjs';
import { median, ratio, spread } from './pairs.mjs';
import { milliseconds, percent, say, short, table, tell, times } from './report.mjs';
import { startHttpPeer, startIroncached, startLimitServer, startWebdis } from './servers.mjs';

/** @typedef {import('./contest.mjs').Contestant} Contestant */
/** @typedef {import('./generator.mjs').Generator} Generator */
/** @typedef {import('./generator.mjs').Settings} Settings */
/** @typedef {import('./measurements.mjs').Result} Result */
/** @typedef {import('./servers.mjs').Server} Server */
/** What the generator reached. @typedef {{ name: string, run: import('./generator.mjs').Measurement }} Limit */
/** @typedef {{ name: string, mix: { gets: number, sets: number }, value: number, connections?: number, paced?: true }} Workload */
/** @typedef {{ generator: Generator, seconds: number, pairs: number, store: string }} Options */

const CONNECTIONS = 50;
const KEYS = 1000;
/** Ways of setting webdis; see startWebdis. */
const WEBDIS = ['shipped', 'tuned'];
const gets = { gets: 1, sets: 0 };
const puts = { gets: 0, sets: 1 };

/** Those that are `paced` are measured at a fixed rate, too. @type {Workload[]} */
export const WORKLOADS = [
  { name: 'GET, 100 B', mix: gets, value: 100, paced: true },
  { name: 'PUT, 100 B', mix: puts, value: 100, paced: true },
  { name: 'GET, 100 B, 5 connections', mix: gets, value: 100, connections: 5 },
  { name: 'GET, 10 KB', mix: gets, value: 10_000 },
  { name: 'PUT, 10 KB', mix: puts, value: 10_000 },
];

/** REST against the least that Fastify and node:http can do, and against webdis with redis. */
export const rest = { measure, print };

/**
 * @typedef {object} RestFigures
 * @property {string} generator
 * @property {string | undefined} webdis
 * @property {Limit[]} limits
 * @property {Result[]} results
 * @property {Result[]} paced at half rate
 */

/**
 * @param {{ seconds: number, pairs: number, store: string, only?: string | undefined }} options
 * @returns {Promise<RestFigures>}
 */
async function measure({ only, ...given }) {
  const generator = buildGenerator();
  const options = { ...given, generator };
  const webdis = webdisAndRedis();
  const limits = only ? [] : await measureLimits(options);
  /** @type {Result[]} */
  const results = [];
  /** @type {Result[]} */
  const paced = [];
  for (const workload of WORKLOADS.filter(({ name }) => !only || name.includes(only))) {
    const result = await measureWork(workload, ['fastify', 'http', ...(webdis ? WEBDIS : [])], options);
    results.push(result);
    if (!workload.paced) continue;
    const { fastify = [], ironcached = [] } = result.runs;
    const rate = halfRate({ fastify, ironcached });
    const manyPairs = { ...options, pairs: PACED_TIMES * options.pairs };
    paced.push({ ...(await measureWork(workload, ['fastify'], manyPairs, rate)), rate });
  }
  return { generator: generator.name, webdis, limits, results, paced };
}

/** @param {RestFigures} figures */
function print({ generator, webdis, limits, results, paced }) {
  say(`\n## REST\n\nGenerator: ${generator}, ${CONNECTIONS} connections, ${KEYS} items.`);
  say(
    'Peers: a bare Fastify route and a bare node:http server, which check one header and send what ours does;',
  );
  say(webdis ?? 'webdis and redis are skipped: they are not both on this machine.');
  if (limits.length > 0) printLimits(limits);
  if (results.length > 0) printRates(results);
  if (paced.length > 0) printPaced(paced);
}

/** Their versions, if both are here. */
function webdisAndRedis() {
  if (!has('webdis') || !has('redis-server')) return undefined;
  const redis = /v=(\S+)/.exec(versionOf('redis-server', '--version'))?.[1];
  return `webdis before redis ${redis}, by their own requests (/GET/key), both on the servers' core: as webdis
ships, with five threads, and tuned for one core, with one.`;
}

/** @param {Options} options */
async function measureLimits(options) {
  const { getRequest, getReply, setRequest, setReply, ...rest } = itemRequests(100, {
    token: 'T'.repeat(27),
    project: '0'.repeat(24),
  });
  const limits = [];
  for (const { name, request, reply, mix } of [
    { name: 'limit: GET', request: getRequest, reply: getReply, mix: gets },
    { name: 'limit: PUT', request: setRequest, reply: setReply, mix: puts },
  ]) {
    const body = fromTemplate(reply, 0, 100).replace('%n', '1');
    const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
    const wire = {
      request: Buffer.from(fromTemplate(request, 0, 100)),
      reply: Buffer.from(`${head}\r\n\r\n${body}`),
      settings: { ...rest, getRequest, getReply, setRequest, setReply, ...mix },
    };
    limits.push(await measureLimit(name, wire, options));
  }
  return limits;
}

/**
 * How fast the generator is where the server does nothing.
 * @param {string} name
 * @param {{ request: Buffer, reply: Buffer, settings: Settings }} wire what is sent, and what always comes back
 * @param {{ generator: Generator, seconds: number }} options
 * @returns {Promise<Limit>}
 */
async function measureLimit(name, { request, reply, settings }, { generator, seconds }) {
  tell(name);
  const server = await startLimitServer(request, reply);
  const oneKey = { connections: 50, keys: 1, warmup: 1 };
  const run = await generator.run(server, { ...oneKey, ...settings, seconds }).finally(server.stop);
  return { name, run };
}

/**
 * @param {Workload} workload @param {string[]} peers @param {Options} options @param {number} [rate]
 * @returns {Promise<Result>}
 */
async function measureWork({ name, value, ...load }, peers, { store, ...options }, rate = 0) {
  tell(`REST ${name}${rate > 0 ? ` at ${short(rate)}/s` : ''}`);
  const work = { ...settingsOf({ value, ...load }), rate };
  const ours = await startIroncached(store);
  const answer = await firstAnswer(ours, value);
  /** @type {Record<string, Contestant>} */
  const contestants = {};
  for (const peer of peers) {
    if (WEBDIS.includes(peer)) {
      contestants[peer] = {
        server: await startWebdis(peer),
        settings: { ...work, ...webdisRequests(value) },
      };
    } else {
      const server = await startHttpPeer(peer, { token: ours.token, answer });
      await expectRefusal(server);
      const settings = { ...work, getReply: answer };
      contestants[peer] = { server: { ...server, auth: ours.auth }, settings };
    }
  }
  contestants['ironcached'] = { server: ours, settings: work };
  return { name, runs: await contest(contestants, options) };
}

/** For the generator. @param {Omit<Workload, 'name'>} workload */
export function settingsOf({ mix, value, connections = CONNECTIONS }) {
  return { ...mix, connections, keys: KEYS, value, ...itemRequests(value) };
}

/** What is sent and must come back; see load/http.c. */
export function itemRequests(/** @type {number} */ bytes, { token = '%t', project = '%p' } = {}) {
  const path = `/1/projects/${project}/caches/bench/items/%k`;
  const headers = `Host: 127.0.0.1\r\nAuthorization: OAuth ${token}`;
  const body = '{"value":"%v"}';
  const length = bytes + body.length - '%v'.length;
  return {
    getRequest: `GET ${path} HTTP/1.1\r\n${headers}\r\n\r\n`,
    getReply:
      '{"cache":"bench","key":"%k","value":"%v","cas":"%n","flags":0,"expires":"9999-01-01T00:00:00Z"}',
    setRequest: `PUT ${path} HTTP/1.1\r\n${headers}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`,
    setReply: '{"msg":"Stored."}',
  };
}

function webdisRequests(/** @type {number} */ bytes) {
  return {
    getRequest: 'GET /GET/%k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    getReply: '{"GET":"%v"}',
    setRequest: `PUT /SET/%k HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes}\r\n\r\n%v`,
    setReply: '{"SET":[true,"OK"]}',
  };
}

/** Ours to a GET of the first key, which the bare peers then always give. @param {Server} server @param {number} bytes */
async function firstAnswer({ httpPort, projectId, token }, bytes) {
  const url = `http://127.0.0.1:${httpPort}/1/projects/${projectId}/caches/bench/items/${keyOf(0)}`;
  const headers = { authorization: `OAuth ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ value: itemValue(0, bytes, true).toString() });
  await fetch(url, { method: 'PUT', headers, body });
  return (await fetch(url, { headers })).text();
}

/** A peer that lets everybody in would have less to do. @param {Server} peer */
async function expectRefusal({ httpPort }) {
  const { status } = await fetch(`http://127.0.0.1:${httpPort}/1/projects/p/caches/bench/items/k`);
  if (status !== 401) throw new Error('a peer does not check the header');
}

const NAMES = {
  fastify: 'Fastify',
  http: 'node:http',
  shipped: 'webdis + redis',
  tuned: 'webdis + redis, tuned',
};

/** @param {Limit[]} limits */
function printLimits(limits) {
  say('\nThe generator against a bare node:net server that sends canned replies and looks at nothing.\n');
  table(
    ['canned replies', 'requests/s', 'p99 ms', 'server busy', 'generator busy'],
    limits.map(({ name, run }) => [
      name,
      short(run.requestsPerSecond),
      milliseconds(run.p99),
      percent(run.serverCpuSeconds / run.seconds),
      percent(run.generatorCpuSeconds / run.seconds),
    ]),
  );
}

/** @param {Result[]} results */
function printRates(results) {
  say('\nEvery answer was checked; a wrong one would have ended the run.');
  say('Rates. Ratios are ironcached / peer, medians over the rounds; more is better.\n');
  const peers = Object.entries(NAMES).filter(([peer]) => results.some(({ runs }) => runs[peer]));
  table(
    [
      'work',
      ...peers.map(([, name]) => `${name}/s`),
      'ironcached/s',
      ...peers.map(([, name]) => `÷ ${name}`),
      'per CPU s',
      ...peers.map(([, name]) => `÷ ${name}`),
      'noise',
      'server busy',
      'generator busy',
    ],
    results.map((result) => {
      const { ironcached = [], ...others } = result.runs;
      const rate = rateOf(result);
      const perCpu = ratePerCpuOf(result);
      return [
        result.name,
        ...peers.map(([peer]) => short(median((others[peer] ?? []).map(rate)))),
        short(median(ironcached.map(rate))),
        ...peers.map(([peer]) => times(ratio(ironcached, others[peer], rate))),
        short(median(ironcached.map(perCpu))),
        ...peers.map(([peer]) => times(ratio(ironcached, others[peer], perCpu))),
        percent(spread((others['fastify'] ?? []).map(rate))),
        percent(median(ironcached.map((run) => run.serverCpuSeconds / run.seconds))),
        generatorBusy(Object.values(result.runs).flat()),
      ];
    }),
  );
  say('\nLatencies at those rates, in ms (Fastify | ironcached).\n');
  printLatencies(results, 'fastify');
}

/** @param {Result[]} results */
function printPaced(results) {
  say(
    '\nAt a fixed rate, half of what the slower one reached: latencies in ms (Fastify | ironcached) since a',
  );
  say('request was due. Ratios: less is better.\n');
  printLatencies(results, 'fastify');
}
