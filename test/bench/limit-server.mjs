// How fast could a Node server be that did nothing? It counts bytes, knows how long a request is, reads into one
// buffer, as the service does, and sends the canned reply, all of a chunk's with one write.
// Arguments: the bytes of a request (each is as long), the reply in base64, and how many items' memory the longer of
// the two is copied to or from, each time at random; none: nothing is copied.
import { createServer } from 'node:net';
import { SharedReads } from '../../dist/memcached/shared-reads.js';

const [, , requestBytesText, replyText = '', itemsText = '0'] = process.argv;
const requestBytes = Number(requestBytesText);
const reply = Buffer.from(replyText, 'base64');
const replies = Array.from({ length: 65 }, (_, count) => repliesOf(count));
const items = Number(itemsText);
const itemBytes = Math.max(requestBytes, reply.length);
const memory = Buffer.allocUnsafeSlow(items * itemBytes);
for (let item = 0; item < items; item++) reply.copy(memory, item * itemBytes);
const keepsRequests = items > 0 && requestBytes > reply.length;
const sendsCopies = items > 0 && !keepsRequests;

const reads = new SharedReads();

const server = createServer({ noDelay: true }, (socket) => {
  let carried = 0;
  let item = 0;
  socket.on('error', () => socket.destroy());
  reads.attach(socket, (chunk, length) => {
    if (keepsRequests) item = keep(chunk.subarray(0, length), carried, item);
    carried += length;
    const count = Math.floor(carried / requestBytes);
    carried -= count * requestBytes;
    if (count === 0) return;
    const answer = replies[count] ?? repliesOf(count);
    if (sendsCopies) copyItemsTo(answer);
    socket.write(answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);
});

/** @param {number} count */
function repliesOf(count) {
  return Buffer.concat(Array.from({ length: count }, () => reply));
}

/**
 * Copies requests, of the first of which some bytes had come before, into items; tells which is not full yet.
 * @param {Buffer} chunk @param {number} carried @param {number} begun
 */
function keep(chunk, carried, begun) {
  let item = begun;
  let filled = carried;
  for (let at = 0; at < chunk.length; ) {
    if (filled === 0) item = anyItem();
    const part = chunk.subarray(at, at + requestBytes - filled);
    memory.set(part, item * itemBytes + filled);
    at += part.length;
    filled = (filled + part.length) % requestBytes;
  }
  return item;
}

/** All items are the reply. @param {Buffer} answer */
function copyItemsTo(answer) {
  for (let at = 0; at < answer.length; at += itemBytes) {
    const from = anyItem() * itemBytes;
    answer.set(memory.subarray(from, from + itemBytes), at);
  }
}

function anyItem() {
  return Math.floor(Math.random() * items);
}
