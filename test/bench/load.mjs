// Stands in for load.c where there is no C compiler: the same settings (name=value), the same checks, the
// same line of JSON. Slower than a fast server, so read the "server busy" column with care.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { getReply, getRequest, setReply, setRequest } from './wire.mjs';

const given = Object.fromEntries(process.argv.slice(2).map((word) => splitOnce(word)));
const setting = (/** @type {string} */ name, /** @type {number} */ fallback) =>
  Number(given[name] ?? fallback);
const workload = { value: setting('value', 100), meta: setting('meta', 0) > 0 };
const keys = setting('keys', 100_000);
const multi = setting('multi', 1);
const depth = setting('depth', 1);
const gets = setting('gets', 9);
const sets = setting('sets', 1);
const rate = setting('rate', 0);
const pid = setting('pid', 0);
const missReply = Buffer.from(workload.meta ? 'EN\r\n' : 'END\r\n');

/** @typedef {{ reply: Buffer, keys: number, since: number }} Expected */

/** @type {'preloading' | 'loading' | 'draining'} */
let phase = 'preloading';
let preloadSent = 0;
let preloadDone = 0;
let rateStart = 0;
let rateSent = 0;
let preloaded = () => {};
/** @type {number[]} */
let latencies = [];
let keysDone = 0;
let missing = 0;

class Client {
  /** @type {Expected[]} */
  #waiting = [];
  #position = 0;

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on('data', (chunk) => this.#check(chunk));
  }

  get waiting() {
    return this.#waiting.length;
  }

  refill(now = performance.now()) {
    if (phase === 'draining' || (phase === 'loading' && rate > 0)) return;
    const requests = [];
    while (this.waiting < depth && (phase === 'loading' || preloadSent < keys))
      requests.push(this.#next(now));
    if (requests.length > 0) this.socket.write(Buffer.concat(requests));
  }

  /** @param {number} since */
  send(since) {
    this.socket.write(this.#next(since));
  }

  /** @param {number} since */
  #next(since) {
    if (phase === 'preloading' || Math.random() * (gets + sets) >= gets) {
      const number = phase === 'preloading' ? preloadSent++ : randomKey();
      this.#waiting.push({ reply: setReply(workload), keys: 1, since });
      return setRequest(number, workload);
    }
    const numbers = Array.from({ length: multi }, randomKey);
    this.#waiting.push({ reply: getReply(numbers, workload), keys: multi, since });
    return getRequest(numbers, workload);
  }

  /** @param {Buffer} chunk */
  #check(chunk) {
    const now = performance.now();
    let at = 0;
    while (at < chunk.length) {
      const expected = this.#waiting[0];
      if (!expected) return wrong('a request that was not made', chunk.subarray(at));
      if (this.#position === 0 && isMiss(chunk, at, expected)) {
        missing += expected.keys;
        at += missReply.length;
        this.#finish(expected, now);
        continue;
      }
      const { reply } = expected;
      const length = Math.min(chunk.length - at, reply.length - this.#position);
      if (chunk.compare(reply, this.#position, this.#position + length, at, at + length) !== 0) {
        return wrong('a request', chunk.subarray(at));
      }
      at += length;
      this.#position += length;
      if (this.#position === reply.length) this.#finish(expected, now);
    }
    this.refill(now);
  }

  /** @param {Expected} expected @param {number} now */
  #finish(expected, now) {
    this.#waiting.shift();
    this.#position = 0;
    latencies.push(now - expected.since);
    keysDone += expected.keys;
    if (phase === 'preloading' && ++preloadDone === keys) preloaded();
  }
}

const clients = await Promise.all(Array.from({ length: setting('connections', 50) }, openClient));
if (setting('preload', 0) > 0) {
  await new Promise((resolve) => {
    preloaded = () => resolve(undefined);
    for (const client of clients) client.refill();
  });
}
phase = 'loading';
rateStart = performance.now();
const start = rateStart + setting('warmup', 0.3) * 1000;
if (rate > 0) sendWhatIsDue();
else for (const client of clients) client.refill();
await delay(start - performance.now());
latencies = [];
keysDone = missing = 0;
const cpuBefore = { server: serverCpuSeconds(), own: process.cpuUsage() };
const began = performance.now();
await delay(setting('seconds', 3) * 1000);
report();
phase = 'draining';
for (const client of clients) client.socket.end();

function sendWhatIsDue() {
  if (phase === 'draining') return;
  const due = dueBy(performance.now());
  for (const client of clients) {
    while (rateSent < due && client.waiting < depth) client.send(rateStart + (++rateSent * 1000) / rate);
  }
  setImmediate(sendWhatIsDue);
}

function report() {
  const seconds = (performance.now() - began) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  const percentile = (/** @type {number} */ share) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0) * 10_000) / 10;
  const own = process.cpuUsage(cpuBefore.own);
  const result = {
    requests: sorted.length,
    seconds,
    requestsPerSecond: sorted.length / seconds,
    keysPerSecond: keysDone / seconds,
    missing,
    p50: percentile(0.5),
    p90: percentile(0.9),
    p99: percentile(0.99),
    p999: percentile(0.999),
    max: percentile(1),
    unsent: rate > 0 ? Math.max(0, dueBy(performance.now()) - rateSent) : 0,
    serverCpuSeconds: serverCpuSeconds() - cpuBefore.server,
    generatorCpuSeconds: (own.user + own.system) / 1e6,
    residentBytes: pid ? Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096 : 0,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** @param {number} now */
function dueBy(now) {
  return Math.floor(((now - rateStart) / 1000) * rate);
}

/** @param {Buffer} chunk @param {number} at @param {Expected} expected */
function isMiss(chunk, at, { reply }) {
  const isGet = reply.length > 8;
  return (
    isGet &&
    chunk.length - at >= missReply.length &&
    missReply.compare(chunk, at, at + missReply.length) === 0
  );
}

/** @returns {Promise<Client>} */
function openClient() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: setting('port', 11211), host: '127.0.0.1', noDelay: true });
    socket.on('error', reject);
    socket.on('close', () => phase !== 'draining' && fail(1, 'the server closed a connection'));
    socket.on('connect', () => {
      const { auth } = given;
      if (auth === undefined) return resolve(new Client(socket));
      socket.write(`set oauth 0 0 ${auth.length}\r\n${auth}\r\n`);
      socket.once('data', (reply) =>
        reply.toString() === 'STORED\r\n' ? resolve(new Client(socket)) : wrong('the sign-in', reply),
      );
    });
  });
}

function serverCpuSeconds() {
  if (!pid) return 0;
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function randomKey() {
  return Math.floor(Math.random() * keys);
}

/** @param {number} ms */
function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @param {string} word @returns {[string, string]} */
function splitOnce(word) {
  const at = word.indexOf('=');
  return [word.slice(0, at), word.slice(at + 1)];
}

/** @param {string} what @param {Buffer} bytes */
function wrong(what, bytes) {
  fail(2, `wrong reply to ${what}: ${JSON.stringify(bytes.toString('latin1', 0, 100))}`);
}

/** @param {number} status @param {string} text */
function fail(status, text) {
  process.stderr.write(`${text}\n`);
  process.exit(status);
}
