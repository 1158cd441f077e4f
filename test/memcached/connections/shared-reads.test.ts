import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SharedReads } from '../../../src/memcached/connections/shared-reads.ts';

const server = createServer({ allowHalfOpen: true });

afterEach(() => {
  server.removeAllListeners('connection');
  server.close();
});

interface Reader {
  readonly socket: Socket;
  readonly chunks: { readonly text: string; readonly memory: ArrayBufferLike }[];
}

/** A client, and what the server reads from it. */
async function open(reads: SharedReads): Promise<{ client: Socket; reader: Reader }> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await accepted) as [Socket];
  const reader: Reader = { socket, chunks: [] };
  reads.attach(socket, (buffer, length) => {
    reader.chunks.push({ text: buffer.toString('latin1', 0, length), memory: buffer.buffer });
    socket.emit('read');
  });
  return { client, reader };
}

async function say(client: Socket, { socket }: Reader, text: string): Promise<void> {
  const read = once(socket, 'read');
  client.write(text);
  await read;
}

test('all clients are read into the same memory, and each gets its own bytes', async () => {
  const reads = new SharedReads();
  const one = await open(reads);
  const two = await open(reads);
  await say(one.client, one.reader, 'from one');
  await say(two.client, two.reader, 'from the other');
  await say(one.client, one.reader, 'again');
  expect(one.reader.chunks.map(({ text }) => text)).toEqual(['from one', 'again']);
  expect(two.reader.chunks.map(({ text }) => text)).toEqual(['from the other']);
  const memories = [...one.reader.chunks, ...two.reader.chunks].map(({ memory }) => memory);
  expect(new Set(memories).size).toBe(1);
  for (const { client } of [one, two]) client.end();
  await Promise.all([one, two].map(({ reader }) => once(reader.socket, 'end')));
  for (const { reader } of [one, two]) reader.socket.destroy();
});

test('a paused client is not read until it is resumed', async () => {
  const { client, reader } = await open(new SharedReads());
  reader.socket.pause();
  client.write('x'.repeat(200_000));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(reader.chunks).toEqual([]);
  reader.socket.resume();
  client.end();
  await once(reader.socket, 'end');
  expect(reader.chunks.map(({ text }) => text).join('')).toBe('x'.repeat(200_000));
  reader.socket.destroy();
});
