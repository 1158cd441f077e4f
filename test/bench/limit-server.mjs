// How fast could a Node server be that did nothing? It counts bytes, knows how long a request is, and sends
// the canned reply to the one key there is (clients use keys=1), all of a chunk's with one write.
// Arguments: `get` or `set`, then name=value as in load.c.
import { createServer } from 'node:net';
import { getReply, getRequest, setReply, setRequest } from './wire.mjs';

const [kind, ...words] = process.argv.slice(2);
const given = Object.fromEntries(words.map((word) => word.split('=')));
const workload = { value: Number(given['value'] ?? 100), meta: Number(given['meta'] ?? 0) > 0 };
const numbers = Array.from({ length: Number(given['multi'] ?? 1) }, () => 0);
const requestBytes = (kind === 'set' ? setRequest(0, workload) : getRequest(numbers, workload)).length;
const reply = kind === 'set' ? setReply(workload) : getReply(numbers, workload);
const replies = Array.from({ length: Math.ceil(65_536 / requestBytes) + 1 }, (_, count) =>
  count <= 64 ? Buffer.concat(Array.from({ length: count }, () => reply)) : undefined,
);

const server = createServer({ noDelay: true }, (socket) => {
  let carried = 0;
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    carried += chunk.length;
    const count = Math.floor(carried / requestBytes);
    carried -= count * requestBytes;
    if (count > 0) socket.write(replies[count] ?? Buffer.concat(Array.from({ length: count }, () => reply)));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  process.stdout.write(`${JSON.stringify({ msg: 'ready', port })}\n`);
});
