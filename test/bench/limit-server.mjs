// How fast could a Node server be that did nothing? It counts bytes, knows how long a request is, reads into one
// buffer, as the service does, and sends the canned reply, all of a chunk's with one write.
// Arguments: the bytes of a request (each is as long), and the reply in base64.
import { createServer } from 'node:net';
import { SharedReads } from '../../dist/memcached/shared-reads.js';

const [, , requestBytesText, replyText = ''] = process.argv;
const requestBytes = Number(requestBytesText);
const reply = Buffer.from(replyText, 'base64');
const replies = Array.from({ length: 65 }, (_, count) => repliesOf(count));

const reads = new SharedReads();

const server = createServer({ noDelay: true }, (socket) => {
  let carried = 0;
  socket.on('error', () => socket.destroy());
  reads.attach(socket, (_chunk, length) => {
    carried += length;
    const count = Math.floor(carried / requestBytes);
    carried -= count * requestBytes;
    if (count > 0) socket.write(replies[count] ?? repliesOf(count));
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
