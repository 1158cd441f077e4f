// A memcached client for what the load generators do not do: fill, clear, look.
import { connect } from 'node:net';

const CHUNK_BYTES = 64 * 1024;

/** A connection that is signed in. @param {{ port: number, auth?: string | undefined }} server */
export async function openClient({ port, auth }) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  /** @type {{ end: string, resolve: (reply: string) => void, reject: (error: Error) => void } | undefined} */
  let waiting;
  let text = '';
  socket.on('error', () => socket.destroy());
  socket.on('close', () => waiting?.reject(new Error('the server closed a connection')));
  socket.on('data', (chunk) => {
    text += chunk.latin1Slice();
    if (!waiting || !text.endsWith(waiting.end)) return;
    const { resolve } = waiting;
    const reply = text;
    waiting = undefined;
    text = '';
    resolve(reply);
  });
  const client = {
    /** Sends, and resolves with what came when that ends so. @param {string | Buffer} request @param {string} end @returns {Promise<string>} */
    ask(request, end) {
      return new Promise((resolve, reject) => {
        waiting = { end, resolve, reject };
        socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
  if (auth !== undefined) await client.ask(`set oauth 0 0 ${auth.length}\r\n${auth}\r\n`, '\r\n');
  return client;
}

/**
 * Stores items by several connections, each a chunk of sets at a time. A set that the server refuses
 * ends it with an error.
 * @param {{ port: number, auth?: string | undefined }} server
 * @param {{ from: number, to: number, key?: (number: number) => string, bytes: (number: number) => number, exptime?: number, connections?: number }} items
 */
export async function fill(
  server,
  { from, to, key = (n) => `key-${n}`, bytes, exptime = 0, connections = 4 },
) {
  let next = from;
  const value = Buffer.alloc(1024 * 1024, 'v');
  const work = async () => {
    const client = await openClient(server);
    while (next < to) {
      const parts = [];
      let size = 0;
      let count = 0;
      for (; next < to && size < CHUNK_BYTES; next++, count++) {
        const length = bytes(next);
        parts.push(
          Buffer.from(`set ${key(next)} 0 ${exptime} ${length}\r\n`),
          value.subarray(0, length),
          CRLF,
        );
        size += length + 40;
      }
      const expected = STORED.repeat(count);
      const reply = await client.ask(Buffer.concat(parts), expected);
      if (reply !== expected) throw new Error(`the server answered ${JSON.stringify(reply.slice(0, 100))}`);
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, work));
}

const CRLF = Buffer.from('\r\n');
const STORED = 'STORED\r\n';

/** The rows of `stats`, numbers as numbers. @param {{ port: number, auth?: string | undefined }} server */
export async function statsOf(server) {
  const client = await openClient(server);
  const reply = await client.ask('stats\r\n', 'END\r\n');
  client.close();
  return Object.fromEntries(
    [...reply.matchAll(/^STAT (\S+) (\S+)\r$/gm)].map(([, name, value]) => [name, Number(value)]),
  );
}
