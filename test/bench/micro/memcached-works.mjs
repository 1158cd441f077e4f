import assert from 'node:assert';
import { Grant } from '../../../dist/auth/grant.js';
import { KeyBytes } from '../../../dist/engine/key.js';
import { RequestRates } from '../../../dist/limits/request-rate.js';
import { CommandMeter } from '../../../dist/memcached/command-meter.js';
import { BufferPool } from '../../../dist/memcached/connections/buffer-pool.js';
import { ReplyBuffer } from '../../../dist/memcached/connections/reply-buffer.js';
import { Parser } from '../../../dist/memcached/requests/parser.js';
import { Session } from '../../../dist/memcached/session.js';
import { RequestMeter } from '../../../dist/metrics/request-meter.js';
import { keyOf } from '../load/items.mjs';
import { getReply, getRequest, setReply, setRequest } from '../load/memcached-wire.mjs';
import { clock, engineOver, forEachNumber, MIB, numbers, openStore, PROJECT_ID } from './work.mjs';

/** @typedef {import('./work.mjs').Work} Work */

const classic = { value: 100, meta: false };
const meta = { value: 100, meta: true };
const LINE_BYTES_MAX = 65_536;
const hundreds = numbers.filter((i) => i % 100 === 0).map((i) => numbers.slice(i, i + 100));

const gets = numbers.map((i) => getRequest([i], classic));
const getsOfMany = hundreds.map((hundred) => getRequest(hundred, classic));
const metaGets = numbers.map((i) => getRequest([i], meta));
const sets = numbers.map((i) => setRequest(i, classic));
const metaSets = numbers.map((i) => setRequest(i, meta));

/** @returns {Work[]} */
export function parserWorks() {
  return [
    parsing('parser, get', pipelined(gets), gets.length),
    parsing('parser, get of 100 keys', getsOfMany, getsOfMany.length),
    parsing('parser, set of 100 B', pipelined(sets), sets.length),
    parsing('parser, mg', pipelined(metaGets), metaGets.length),
    parsing('parser, ms of 100 B', pipelined(metaSets), metaSets.length),
  ];
}

/** @param {string} name @param {Buffer[]} chunks @param {number} times @returns {Work} */
function parsing(name, chunks, times) {
  const parser = new Parser({ lineBytesMax: LINE_BYTES_MAX, valueBytesMax: MIB }, new BufferPool());
  const run = () => {
    let requests = 0;
    for (const chunk of chunks) {
      parser.push(chunk);
      while (parser.next()) requests++;
    }
    return requests;
  };
  assert.equal(run(), times, name);
  return { name, times, run };
}

/** The whole way of a command but for the socket. @returns {Work[]} */
export function sessionWorks() {
  const { session, taken } = openSession();
  const talk = (
    /** @type {string} */ name,
    /** @type {Buffer[]} */ chunks,
    /** @type {Buffer[]} */ replies,
  ) => {
    const run = () => {
      for (const chunk of chunks) session.receive(chunk);
    };
    run();
    assert(taken().equals(Buffer.concat(replies)), name);
    return { name, times: numbers.length, run };
  };
  const values = numbers.map((i) => getReply([i], classic));
  const metaValues = numbers.map((i) => getReply([i], meta));
  const works = [
    talk(
      'session, set of 100 B',
      pipelined(sets),
      numbers.map(() => setReply(classic)),
    ),
    talk('session, get', pipelined(gets), values),
    talk('session, get by itself', gets, values),
    talk(
      'session, get of 100 keys, each',
      getsOfMany,
      hundreds.map((hundred) => getReply(hundred, classic)),
    ),
    talk(
      'session, ms of 100 B',
      pipelined(metaSets),
      numbers.map(() => setReply(meta)),
    ),
    talk('session, mg', pipelined(metaGets), metaValues),
  ];
  taken.stop();
  return works;
}

/** A client that has signed in and takes whatever comes. */
function openSession() {
  /** @type {Buffer[] | undefined} */
  let written = [];
  const fail = (/** @type {unknown} */ error) => assert.fail(String(error));
  const connection = {
    write: (/** @type {Buffer} */ bytes) => {
      written?.push(Buffer.from(bytes));
      return true;
    },
    waiting: () => 0,
    needsDrain: () => false,
    pause: () => {},
    resume: () => {},
    expectDrain: () => {},
    end: () => fail('the session ended'),
    abort: fail,
  };
  const engine = engineOver(openStore('arena'));
  const project = { id: PROJECT_ID, name: 'bench', suspended: false, quotas: {} };
  const parts = {
    connection,
    engine,
    bound: { cache: engine.cache(PROJECT_ID, 'bench'), grant: new Grant(project) },
    buffers: new BufferPool(),
    // A session that asks alone is answered at once, and here in one turn, however long it takes.
    batch: { crowd: { isThere: false, grow: () => {} }, isTurnOver: false },
    moment: { hold: () => {}, release: () => {} },
    rates: new RequestRates(0, clock.now),
    meter: new CommandMeter(new RequestMeter('memcached'), 0),
    lineBytesMax: LINE_BYTES_MAX,
    unansweredBytesMax: MIB,
    patience: { signInTimeoutMs: 0, requestTimeoutMs: 0 },
    onBug: fail,
    onSlow: () => {},
  };
  // What is left out is for those who have not signed in.
  const session = new Session(/** @type {any} */ (parts));
  /** What was written since this was last asked. */
  const taken = () => {
    const bytes = Buffer.concat(written ?? []);
    written = [];
    return bytes;
  };
  taken.stop = () => {
    written = undefined;
  };
  return { session, taken };
}

/** @returns {Work[]} */
export function replyWorks() {
  const output = new ReplyBuffer(new BufferPool());
  const keys = numbers.map((i) => new KeyBytes(Buffer.from(keyOf(i)), 0, keyOf(i).length));
  const value = Buffer.alloc(100, 'v');
  const copyValue = (/** @type {Buffer} */ target, /** @type {number} */ at) => target.set(value, at);
  const hit = (/** @type {number} */ number) => {
    output.hit(/** @type {KeyBytes} */ (keys[number]), { flags: number, valueLength: 100, copyValue }, '');
    if (number % 16 === 15) output.discard();
  };
  return [forEachNumber('replies, a hit of 100 B', hit)];
}

/** As chunks of a client that sends 16 at a time. @param {Buffer[]} requests */
function pipelined(requests) {
  const chunks = [];
  for (let i = 0; i < requests.length; i += 16) chunks.push(Buffer.concat(requests.slice(i, i + 16)));
  return chunks;
}
