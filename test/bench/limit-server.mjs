// How fast could a Node server be that did nothing? It counts bytes, knows how long a request is, reads into one
// buffer, as the service does, and sends the canned reply, all of a chunk's with one write.
// Arguments: the bytes of a request (each is as long), and the file with the reply.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { SharedReads } from '../../dist/memcached/connections/shared-reads.js';

const [, , requestBytesText, replyFile = ''] = process.argv;
const requestBytes = Number(requestBytesText);
const reply = readFileSync(replyFile);
/** Of one request, two and more, each made when it is needed first. @type {Buffer[]} */
const replies = [];

const reads = new SharedReads();

const server = createServer({ noDelay: true }, (socket) => {
  let carried = 0;
  socket.on('error', () => socket.destroy());
  reads.attach(socket, (_chunk, length) => {
    carried += length;
    const count = Math.floor(carried / requestBytes);
    carried -= count * requestBytes;
    if (count === 0) return;
    replies[count] ??= Buffer.concat(Array.from({ length: count }, () => reply));
    socket.write(replies[count]);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);
});
