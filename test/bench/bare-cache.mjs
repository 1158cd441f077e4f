// How fast could a Node server be that does nothing but keep items? It reads, gathers replies and writes by the
// service's own classes; between them is the least that finds an item and copies its value. It knows gets and sets,
// classic and meta, as the generator sends them, and takes every client for a friend: no sign-in, limits, expiry,
// eviction, statistics.
// Arguments: how many items there will be, and how long values are, at most.
import { createServer } from 'node:net';
import { KeyBytes } from '../../dist/engine/key.js';
import { BufferPool } from '../../dist/memcached/connections/buffer-pool.js';
import { ReplyBuffer } from '../../dist/memcached/connections/reply-buffer.js';
import { SharedReads } from '../../dist/memcached/connections/shared-reads.js';
import { SocketConnection } from '../../dist/memcached/connections/socket-connection.js';
import { DirectWrites } from '../../dist/sockets/direct-writes.js';
import { BareItems, KEY_BYTES } from './bare-items.mjs';

// As in the service: larger replies leave before all requests of a chunk are answered.
const REPLY_BYTES_MAX = 192 * 1024;
/** What a request has besides its value: a get of many keys is the longest. */
const REQUEST_LINE_BYTES_MAX = 4096;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const DIGIT_0 = 0x30;
const LETTER_M = 0x6d;
const LETTER_S = 0x73;

const [, , countText, valueBytesText] = process.argv;
const items = new BareItems(Number(countText), Number(valueBytesText));
const requestBytesMax = Number(valueBytesText) + REQUEST_LINE_BYTES_MAX;
const replies = new ReplyBuffer(new BufferPool());
const reads = new SharedReads();
const writes = new DirectWrites();

const server = createServer({ noDelay: true }, (socket) => {
  const client = new Client(connectionOf(socket));
  socket.on('error', () => socket.destroy());
  reads.attach(socket, (chunk, length) => client.receive(chunk, length));
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);
});

class Client {
  #write;
  /** The beginning of a request whose end has not come. */
  #begun = Buffer.allocUnsafeSlow(requestBytesMax);
  #begunBytes = 0;

  /** @param {SocketConnection} connection */
  constructor(connection) {
    this.#write = (/** @type {Buffer} */ bytes, /** @type {() => void} */ taken) =>
      connection.write(bytes, taken);
  }

  /** @param {Buffer} chunk @param {number} length */
  receive(chunk, length) {
    let start = this.#begunBytes > 0 ? this.#finish(chunk, length) : 0;
    while (start < length) {
      const end = answer(chunk, start, length);
      if (end === start) break;
      start = end;
      if (replies.length >= REPLY_BYTES_MAX) replies.flush(this.#write);
    }
    replies.flush(this.#write);
    if (start < length) this.#begunBytes = chunk.copy(this.#begun, 0, start, length);
  }

  /** Answers the request that was begun, if it ends in this chunk; tells up to where it has the chunk. @param {Buffer} chunk @param {number} length */
  #finish(chunk, length) {
    const before = this.#begunBytes;
    const bytes = before + chunk.copy(this.#begun, before, 0, length);
    const end = answer(this.#begun, 0, bytes);
    this.#begunBytes = end === 0 ? bytes : 0;
    return end === 0 ? length : end - before;
  }
}

/**
 * Answers the request that begins at `start`, and tells where it ends; `start`: its end is not before `chunkEnd`.
 * @param {Buffer} bytes @param {number} start @param {number} chunkEnd
 */
function answer(bytes, start, chunkEnd) {
  const lineEnd = endOf(bytes, start, NEWLINE, chunkEnd);
  if (lineEnd === chunkEnd) return start;
  const isMeta = bytes[start] === LETTER_M;
  const key = start + (isMeta ? 'mg ' : 'get ').length;
  if (bytes[isMeta ? start + 1 : start] === LETTER_S)
    return set(bytes, start, { isMeta, key, lineEnd, chunkEnd });
  if (isMeta) metaGet(bytes, key);
  else get(bytes, key, lineEnd);
  return lineEnd + 1;
}

/** @param {Buffer} bytes @param {number} firstKey @param {number} lineEnd */
function get(bytes, firstKey, lineEnd) {
  for (let key = firstKey; key < lineEnd; key += KEY_BYTES + 1) {
    if (items.find(bytes, key)) replies.hit(new KeyBytes(bytes, key, KEY_BYTES), items, '');
  }
  replies.text('END\r\n');
}

/** With the flags that the generator asks for: f, k and v. @param {Buffer} bytes @param {number} key */
function metaGet(bytes, key) {
  if (!items.find(bytes, key)) {
    replies.text('EN\r\n');
    return;
  }
  replies.text('VA ');
  replies.number(items.valueLength);
  replies.text(' f');
  replies.number(items.flags);
  replies.text(' k');
  replies.key(new KeyBytes(bytes, key, KEY_BYTES));
  replies.text('\r\n');
  replies.value(items);
  replies.text('\r\n');
}

/** `set KEY FLAGS 0 LENGTH` or `ms KEY LENGTH FFLAGS`. @param {Buffer} bytes @param {number} start @param {{ isMeta: boolean, key: number, lineEnd: number, chunkEnd: number }} at */
function set(bytes, start, { isMeta, key, lineEnd, chunkEnd }) {
  const second = key + KEY_BYTES + 1;
  const third = endOf(bytes, second, SPACE, lineEnd) + 1;
  const flags = numberAt(bytes, isMeta ? third + 'F'.length : second);
  const length = numberAt(bytes, isMeta ? second : third + '0 '.length);
  const value = lineEnd + 1;
  const end = value + length + '\r\n'.length;
  if (end > chunkEnd) return start;
  items.put(bytes, key, { flags, start: value, length });
  replies.text(isMeta ? 'HD\r\n' : 'STORED\r\n');
  return end;
}

/** Where a byte is; `before`: not before it. @param {Buffer} bytes @param {number} start @param {number} byte @param {number} before */
function endOf(bytes, start, byte, before) {
  let at = start;
  while (at < before && bytes[at] !== byte) at++;
  return at;
}

/** The digits up to the next space or line end. @param {Buffer} bytes @param {number} start */
function numberAt(bytes, start) {
  let number = 0;
  for (let at = start; bytes[at] !== SPACE && bytes[at] !== RETURN; at++) {
    number = number * 10 + (bytes[at] ?? DIGIT_0) - DIGIT_0;
  }
  return number;
}

/** @param {import('node:net').Socket} socket */
function connectionOf(socket) {
  const nothing = () => {};
  const abort = (/** @type {unknown} */ error) => {
    throw error;
  };
  return new SocketConnection({
    socket,
    writes,
    counted: { written: 0 },
    stallTimeoutMs: 0,
    idleTimeoutMs: 0,
    drained: nothing,
    ended: nothing,
    abort,
  });
}
