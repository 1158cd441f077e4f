// Stands in for load.c where there is no C compiler: the same settings (name=value), the same checks, the
// same line of JSON. Slower than a fast server, so read the "server busy" column with care.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { answerLength, fromTemplate } from './http-wire.mjs';
import {
  getReply,
  getRequest,
  incrRequest,
  isSum,
  missReply,
  SUM,
  setReply,
  setRequest,
} from './memcached-wire.mjs';

const given = Object.fromEntries(process.argv.slice(2).map((word) => splitOnce(word)));
const setting = (/** @type {string} */ name, /** @type {number} */ fallback) =>
  Number(given[name] ?? fallback);
const workload = {
  value: setting('value', 100),
  meta: setting('meta', 0) > 0,
  exptime: setting('exptime', 0),
  incr: setting('incr', 0) > 0,
};
const keys = setting('keys', 100_000);
const multi = setting('multi', 1);
const depth = setting('depth', 1);
const gets = setting('gets', 9);
const sets = setting('sets', 1);
const rate = setting('rate', 0);
const preload = setting('preload', 0);
const connections = setting('connections', 50);
const perConnection = setting('perConnection', 0);
const pids = (given['pids'] ?? '').split(',').filter(Boolean).map(Number);
const { getRequest: httpGet, getReply: httpGot, setRequest: httpSet, setReply: httpStored } = given;
const accounts = readAccounts();
const LATE_MS = 1;
/** For any number that was counted up. */
const ANY_SUM = Symbol('sum');

/** @typedef {{ line: string, token: string, project: string }} Account */
/** What a request must be answered with: the bytes by memcached's protocol (a sum: any), the body by HTTP. */
/** @typedef {{ reply: Buffer | string | typeof ANY_SUM, isGet: boolean, keys: number, since: number }} Expected */

/** @type {'preloading' | 'loading' | 'draining'} */
let phase = 'preloading';
let toStore = 0;
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
  #input = Buffer.alloc(0);
  #storeNext;
  #storeEnd;
  #served = 0;

  /** @param {import('node:net').Socket} socket @param {number} place @param {Account | undefined} account */
  constructor(socket, place, account) {
    this.socket = socket;
    this.account = account;
    this.#storeNext = preload === 2 ? 0 : Math.floor((place * keys) / connections);
    this.#storeEnd = preload === 2 ? keys : Math.floor(((place + 1) * keys) / connections);
    toStore += this.#storeEnd - this.#storeNext;
    socket.on('data', (chunk) => this.#receive(chunk));
  }

  /** Goes on with another connection. @param {number} since */
  async #reopen(since) {
    this.#served = 0;
    this.socket.removeAllListeners('close').end();
    this.socket = await openSocket(this.account);
    this.socket.on('data', (chunk) => this.#receive(chunk));
    if (phase === 'draining') this.socket.end();
    else this.refill(since);
  }

  get waiting() {
    return this.#waiting.length;
  }

  refill(now = performance.now()) {
    if (phase === 'draining' || (phase === 'loading' && rate > 0)) return;
    if (phase === 'loading' && perConnection > 0 && this.#served >= perConnection) {
      if (this.waiting === 0) this.#reopen(now);
      return;
    }
    const requests = [];
    while (this.waiting < depth && this.#hasMore()) requests.push(this.#next(now));
    if (requests.length > 0) this.socket.write(Buffer.concat(requests));
  }

  #hasMore() {
    if (phase === 'preloading') return this.#storeNext < this.#storeEnd;
    return perConnection === 0 || this.#served + this.waiting < perConnection;
  }

  /** @param {number} since */
  send(since) {
    this.socket.write(this.#next(since));
  }

  /** @param {number} since */
  #next(since) {
    if (phase === 'preloading') return this.#set(this.#storeNext++, since);
    if (Math.random() * (gets + sets) >= gets) return this.#set(randomKey(), since);
    return this.#get(Array.from({ length: multi }, randomKey), since);
  }

  /** @param {number} number @param {number} since */
  #set(number, since) {
    const reply = httpStored ?? setReply(workload);
    this.#waiting.push({ reply, isGet: false, keys: 1, since });
    return httpSet ? this.#fromTemplate(httpSet, number) : setRequest(number, workload);
  }

  /** @param {number[]} numbers @param {number} since */
  #get(numbers, since) {
    const [number = 0] = numbers;
    if (workload.incr) {
      this.#waiting.push({ reply: ANY_SUM, isGet: false, keys: 1, since });
      return incrRequest(number);
    }
    const reply = httpGot ? fromTemplate(httpGot, number, workload.value) : getReply(numbers, workload);
    this.#waiting.push({ reply, isGet: true, keys: multi, since });
    return httpGet ? this.#fromTemplate(httpGet, number) : getRequest(numbers, workload);
  }

  /** @param {string} template @param {number} number */
  #fromTemplate(template, number) {
    return Buffer.from(fromTemplate(template, number, workload.value, this.account));
  }

  /** @param {Buffer} chunk */
  #receive(chunk) {
    const now = performance.now();
    const input = this.#input.length > 0 ? Buffer.concat([this.#input, chunk]) : chunk;
    let at = 0;
    while (at < input.length) {
      const expected = this.#waiting[0];
      if (!expected) return wrong('a request that was not made', input.subarray(at));
      const taken = replyLength(input, at, expected);
      if (taken === 0) break;
      at += taken;
      this.#finish(expected, now);
    }
    this.#input = input.subarray(at);
    this.refill(now);
  }

  /** @param {Expected} expected @param {number} now */
  #finish(expected, now) {
    this.#waiting.shift();
    latencies.push(now - expected.since);
    keysDone += expected.keys;
    this.#served++;
    if (phase === 'preloading' && --toStore === 0) preloaded();
  }
}

/** @type {Client[]} */
const clients = [];
while (clients.length < connections) clients.push(await openClient(clients.length));
if (preload > 0) {
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
    late: sorted.filter((ms) => ms > LATE_MS).length / Math.max(1, sorted.length),
    unsent: rate > 0 ? Math.max(0, dueBy(performance.now()) - rateSent) : 0,
    serverCpuSeconds: serverCpuSeconds() - cpuBefore.server,
    generatorCpuSeconds: (own.user + own.system) / 1e6,
    residentBytes: sumOver((pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** @param {number} now */
function dueBy(now) {
  return Math.floor(((now - rateStart) / 1000) * rate);
}

/** @param {Buffer} input @param {number} at @param {Expected} expected @returns {number} 0: more is needed */
function replyLength(input, at, { reply, isGet }) {
  if (reply === ANY_SUM) return sumLength(input, at);
  if (reply instanceof Buffer) return exactLength(input, at, reply, isGet);
  try {
    return answerLength(input, at, reply);
  } catch {
    return wrong('a request', input.subarray(at));
  }
}

/** @param {Buffer} input @param {number} at @returns {number} */
function sumLength(input, at) {
  if (input.length - at < SUM.length) return 0;
  const sum = input.subarray(at, at + SUM.length);
  return isSum(sum) ? SUM.length : wrong('an increment', sum);
}

/** @param {Buffer} input @param {number} at @param {Buffer} reply @param {boolean} mayMiss @returns {number} */
function exactLength(input, at, reply, mayMiss) {
  const compared = Math.min(reply.length, input.length - at);
  if (input.compare(reply, 0, compared, at, at + compared) === 0) {
    return compared === reply.length ? compared : 0;
  }
  if (!mayMiss) return wrong('a request', input.subarray(at));
  const length = exactLength(input, at, missReply(workload), false);
  if (length > 0) missing += multi;
  return length;
}

/** @param {number} place @returns {Promise<Client>} */
async function openClient(place) {
  const account = accounts[place % accounts.length];
  return new Client(await openSocket(account), place, account);
}

/** Signed in, where there is an account. @param {Account | undefined} account @returns {Promise<import('node:net').Socket>} */
function openSocket(account) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: setting('port', 11211), host: '127.0.0.1', noDelay: true });
    socket.on('error', reject);
    socket.on('close', () => phase !== 'draining' && fail(1, 'the server closed a connection'));
    socket.on('connect', () => {
      if (!account || httpGet) return resolve(socket);
      socket.write(`set oauth 0 0 ${account.line.length}\r\n${account.line}\r\n`);
      socket.once('data', (reply) =>
        reply.toString() === 'STORED\r\n' ? resolve(socket) : wrong('the sign-in', reply),
      );
    });
  });
}

/** @returns {Account[]} */
function readAccounts() {
  if (!given['accounts']) return [];
  return readFileSync(given['accounts'], 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [token = '', project = ''] = line.split(' ');
      return { line, token, project };
    });
}

function serverCpuSeconds() {
  return sumOver((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
}

/** @param {(pid: number) => number} figure */
function sumOver(figure) {
  return pids.reduce((sum, pid) => sum + figure(pid), 0);
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

/** @param {string} what @param {Buffer} bytes @returns {never} */
function wrong(what, bytes) {
  return fail(2, `wrong reply to ${what}: ${JSON.stringify(bytes.toString('latin1', 0, 200))}`);
}

/** @param {number} status @param {string} text @returns {never} */
function fail(status, text) {
  process.stderr.write(`${text}\n`);
  process.exit(status);
}
