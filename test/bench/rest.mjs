import { fileURLToPath } from 'node:url';
import { cpuSeconds, has, residentBytes, runGenerator, versionOf } from './machine.mjs';
import { inTurn, median, ratio, spread } from './pairs.mjs';
import { mebibytes, milliseconds, percent, say, short, table, tell, times } from './report.mjs';
import { startHttpPeer, startIroncached } from './servers.mjs';

/** @typedef {import('./servers.mjs').Server} Server */
/**
 * @typedef {object} HttpMeasurement latencies in microseconds
 * @property {number} requests
 * @property {number} seconds
 * @property {number} requestsPerSecond
 * @property {number} wrong answers with another status than 200, and failed connections
 * @property {number} p50
 * @property {number} p90
 * @property {number} p99
 * @property {number} p999
 * @property {number} serverCpuSeconds
 * @property {number} residentBytes
 */
/** @typedef {{ name: string, method: 'GET' | 'PUT', value: number }} Workload */

const CONNECTIONS = 50;
const KEYS = 1000;

/** @type {Workload[]} */
const WORKLOADS = [
  { name: 'GET, 100 B', method: 'GET', value: 100 },
  { name: 'PUT, 100 B', method: 'PUT', value: 100 },
  { name: 'GET, 10 KB', method: 'GET', value: 10_000 },
  { name: 'PUT, 10 KB', method: 'PUT', value: 10_000 },
];

const PEERS = /** @type {const} */ (['fastify', 'http']);
const wrk = has('wrk', '-v');

/**
 * REST against the least that Fastify and node:http can do.
 * @param {{ seconds: number, pairs: number, store: string, only?: string | undefined }} options
 */
export async function benchRest({ seconds, pairs, store, only }) {
  const generator = wrk
    ? versionOf('wrk', '-v').replace(/ Copyright.*/, '')
    : 'http-load.mjs (wrk is not on this machine)';
  say(`\n## REST\n\nGenerator: ${generator}, ${CONNECTIONS} connections, ${KEYS} items.`);
  say(
    'Peers: a bare Fastify route and a bare node:http server that check one header and send the same bytes.',
  );
  const results = [];
  for (const workload of WORKLOADS.filter(({ name }) => !only || name.includes(only))) {
    tell(`REST ${workload.name}`);
    results.push({ workload, runs: await measure(workload, { seconds, pairs, store }) });
  }
  print(results);
  return { generator, results };
}

/** @param {Workload} workload @param {{ seconds: number, pairs: number, store: string }} options */
async function measure(workload, { seconds, pairs, store }) {
  const ours = await startIroncached(store);
  /** @type {Server[]} */
  const peers = [];
  try {
    const account = { path: `/1/projects/${ours.projectId}/caches/bench/items`, token: ours.token };
    await storeItems(ours, account, workload.value);
    const answer = await getItem(ours, account, 0);
    for (const kind of PEERS) peers.push(await startHttpPeer(kind, { token: ours.token, answer }));
    await checkPeers(peers, account, answer);
    const servers = [...peers, ours];
    for (const server of servers) await load(server, workload, { ...account, seconds: 2 });
    const contestants = servers.map((server, i) => [
      PEERS[i] ?? 'ironcached',
      () => load(server, workload, { ...account, seconds }),
    ]);
    const runs = await inTurn(pairs, Object.fromEntries(contestants));
    await getItem(ours, account, KEYS - 1);
    return runs;
  } finally {
    await Promise.all([...peers, ours].map((server) => server.stop()));
  }
}

/** @typedef {{ path: string, token: string }} Account */

/** @param {Server} server @param {Account} account @param {number} bytes */
async function storeItems(server, { path, token }, bytes) {
  const body = JSON.stringify({ value: 'v'.repeat(bytes) });
  for (let i = 0; i < KEYS; i++) {
    const response = await fetch(urlOf(server, path, i), {
      method: 'PUT',
      body,
      headers: { authorization: `OAuth ${token}`, 'content-type': 'application/json' },
    });
    if ((await response.text()) !== '{"msg":"Stored."}') throw new Error('ironcached did not store an item');
  }
}

/** @param {Server} server @param {Account} account @param {number} number */
async function getItem(server, { path, token }, number) {
  const response = await fetch(urlOf(server, path, number), { headers: { authorization: `OAuth ${token}` } });
  const text = await response.text();
  if (response.status !== 200 || !/^v+$/.test(JSON.parse(text).value))
    throw new Error(`wrong answer: ${text.slice(0, 200)}`);
  return text;
}

/** @param {Server[]} peers @param {Account} account @param {string} answer */
async function checkPeers(peers, account, answer) {
  for (const peer of peers) {
    if ((await getItem(peer, account, 0)) !== answer) throw new Error('a peer does not send the same bytes');
    const refused = await fetch(urlOf(peer, account.path, 0));
    if (refused.status !== 401) throw new Error('a peer does not check the header');
  }
}

/** @param {Server} server @param {string} path @param {number} number */
function urlOf(server, path, number) {
  return `http://127.0.0.1:${server.httpPort}${path}/key-${String(number).padStart(8, '0')}`;
}

/**
 * @param {Server} server @param {Workload} workload @param {Account & { seconds: number }} options
 * @returns {Promise<HttpMeasurement>}
 */
async function load({ httpPort, pid }, { method, value }, { path, token, seconds }) {
  const words = [method, path, token, String(KEYS), String(value)];
  const script = (/** @type {string} */ file) => fileURLToPath(new URL(file, import.meta.url));
  const url = `http://127.0.0.1:${httpPort}`;
  const options = ['-t1', `-c${CONNECTIONS}`, `-d${Math.ceil(seconds)}s`, '-s', script('wrk.lua')];
  const command = wrk
    ? ['wrk', ...options, url, '--', ...words]
    : [process.execPath, script('http-load.mjs'), ...words, String(httpPort), String(seconds)];
  const before = cpuSeconds(pid);
  const output = await runGenerator(command, (seconds + 30) * 1000);
  const run = JSON.parse(output.trim().split('\n').at(-1) ?? '');
  if (run.wrong > 0) throw new Error(`${run.wrong} of ${run.requests} answers were no 200`);
  return { ...run, serverCpuSeconds: cpuSeconds(pid) - before, residentBytes: residentBytes(pid) };
}

/** @param {{ workload: Workload, runs: Record<string, HttpMeasurement[]> }[]} results */
function print(results) {
  const rate = (/** @type {HttpMeasurement} */ run) => run.requestsPerSecond;
  const perCpu = (/** @type {HttpMeasurement} */ run) => run.requests / run.serverCpuSeconds;
  say('\nRates. Ratios are ironcached / peer, medians over the rounds; more is better.\n');
  table(
    [
      'work',
      'Fastify/s',
      'node:http/s',
      'ironcached/s',
      '÷ Fastify',
      '÷ node:http',
      'per CPU s',
      '÷ Fastify',
      'noise',
      'server busy',
    ],
    results.map(({ workload, runs: { fastify = [], http = [], ironcached = [] } }) => [
      workload.name,
      short(median(fastify.map(rate))),
      short(median(http.map(rate))),
      short(median(ironcached.map(rate))),
      times(ratio(ironcached, fastify, rate)),
      times(ratio(ironcached, http, rate)),
      short(median(ironcached.map(perCpu))),
      times(ratio(ironcached, fastify, perCpu)),
      percent(spread(fastify.map(rate))),
      percent(median(ironcached.map((run) => run.serverCpuSeconds / run.seconds))),
    ]),
  );
  say('\nLatencies at those rates, in ms (Fastify | ironcached).\n');
  const figures = /** @type {const} */ (['p50', 'p90', 'p99', 'p999']);
  table(
    ['work', 'p50', 'p90', 'p99', 'p99.9', 'RSS'],
    results.map(({ workload, runs: { fastify = [], ironcached = [] } }) => [
      workload.name,
      ...figures.map((figure) =>
        [fastify, ironcached]
          .map((runs) => milliseconds(median(runs.map((run) => run[figure]))))
          .join(' \\| '),
      ),
      [fastify, ironcached].map((runs) => mebibytes(runs.at(-1)?.residentBytes ?? 0)).join(' \\| '),
    ]),
  );
}
