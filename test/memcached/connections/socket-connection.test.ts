import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { SocketConnection } from '../../../src/memcached/connections/socket-connection.ts';
import { DirectWrites } from '../../../src/sockets/direct-writes.ts';

// More than the system takes for a client that does not read.
const MUCH = 32 * 1024 * 1024;

const server = createServer({ noDelay: true, allowHalfOpen: true });
const writes = new DirectWrites();

afterEach(() => {
  server.removeAllListeners('connection');
  server.close();
});

/** A client that does not read until it is told to, and the server's side of its socket. */
async function open() {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.pause();
  const [socket] = (await accepted) as [Socket];
  const told = { drained: 0, ended: 0, taken: 0 };
  const counted = { written: 0 };
  const connection = new SocketConnection({
    socket,
    writes,
    counted,
    stallTimeoutMs: 60_000,
    idleTimeoutMs: 30_000,
    drained: () => told.drained++,
    ended: () => told.ended++,
    abort: () => socket.destroy(),
  });
  socket.on('drain', () => told.drained++);
  const write = (bytes: Buffer) => connection.write(bytes, () => told.taken++);
  return { client, socket, connection, write, told, counted };
}

async function readAll(client: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  client.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(client, 'end');
  return Buffer.concat(chunks);
}

/** Every fourth byte says which piece it is of, and the others where in it. */
function piece(number: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i += 4) bytes.writeUInt32LE(((number << 26) | (i >>> 2)) >>> 0, i);
  return bytes;
}

test('what the system takes at once is done with, by the first write and by later ones', async () => {
  const { client, connection, write, counted, told } = await open();
  const bytes = Buffer.from('one');
  expect(write(bytes)).toBe(true);
  bytes.write('two');
  expect(write(bytes)).toBe(true);
  bytes.write('end');
  expect(write(bytes)).toBe(true);
  expect([connection.waiting(), connection.needsDrain(), counted.written]).toEqual([0, false, 9]);
  connection.end();
  expect((await readAll(client)).toString()).toBe('onetwoend');
  expect(told).toEqual({ drained: 0, ended: 1, taken: 0 });
});

test('what the system does not take waits, in order, and is told when it has gone', async () => {
  const { client, connection, write, told } = await open();
  const pieces = [piece(1, 8), piece(2, MUCH), piece(3, 8), piece(4, MUCH), piece(5, 8)];
  expect(pieces.map(write)).toEqual([true, false, false, false, false]);
  expect([connection.waiting(), connection.needsDrain()]).toEqual([2 * MUCH + 16, true]);
  const read = readAll(client);
  while (connection.waiting() > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(connection.needsDrain()).toBe(false);
  expect(told.drained).toBeGreaterThan(0);
  const last = piece(6, 8);
  expect(write(last)).toBe(true);
  connection.end();
  expect((await read).equals(Buffer.concat([...pieces, last]))).toBe(true);
  expect(told.taken).toBe(4);
});

test('one large write alone is told when it has gone', async () => {
  const { client, connection, write, told } = await open();
  write(piece(1, 8));
  const large = piece(2, MUCH);
  expect(write(large)).toBe(false);
  expect([connection.waiting(), connection.needsDrain(), told.drained, told.taken]).toEqual([
    MUCH,
    true,
    0,
    0,
  ]);
  const read = readAll(client);
  while (told.drained === 0) await new Promise((resolve) => setImmediate(resolve));
  expect([connection.waiting(), connection.needsDrain(), told.drained, told.taken]).toEqual([0, false, 1, 1]);
  connection.end();
  expect((await read).length).toBe(MUCH + 8);
});

test.each<[string, (bytes: Buffer, opened: Awaited<ReturnType<typeof open>>) => void]>([
  ['by one write', (bytes, { write }) => write(bytes)],
  ['by two writes', (bytes, { write }) => [bytes.subarray(0, MUCH / 2), bytes.subarray(MUCH / 2)].map(write)],
  ['by others, who know nothing of it', (bytes, { socket }) => socket.write(bytes)],
])('a client that ended its side, and reads late, has all that was sent %s', async (_, send) => {
  const opened = await open();
  const { client, socket, connection, write, told } = opened;
  write(piece(1, 8));
  socket.resume();
  client.end();
  await once(socket, 'end');
  const bytes = piece(2, MUCH);
  send(bytes, opened);
  connection.end();
  const read = await readAll(client);
  expect(read.equals(Buffer.concat([piece(1, 8), bytes]))).toBe(true);
  expect(told.ended).toBe(1);
});

test('a client that ended its side, and was sent everything, is closed at once', async () => {
  const { client, socket, connection, write } = await open();
  write(piece(1, 8));
  socket.resume();
  client.end();
  await once(socket, 'end');
  write(piece(2, 8));
  connection.end();
  expect(socket.destroyed).toBe(true);
  expect((await readAll(client)).equals(Buffer.concat([piece(1, 8), piece(2, 8)]))).toBe(true);
});

test('a client that is gone ends the connection, whatever waits for it', async () => {
  const { client, write, socket } = await open();
  socket.on('error', () => socket.destroy());
  write(piece(1, 8));
  write(piece(2, MUCH));
  client.resetAndDestroy();
  await new Promise((resolve) => socket.once('close', resolve));
  write(Buffer.from('nobody hears it'));
  expect(socket.destroyed).toBe(true);
});

test('a client has the time to read while something waits for it, and the time to be silent when it is its turn', async () => {
  const { connection, socket } = await open();
  connection.pause();
  connection.expectDrain();
  expect(socket.timeout).toBe(60_000);
  connection.resume();
  expect(socket.timeout).toBe(30_000);
  connection.end();
  connection.resume();
  expect(socket.timeout).toBe(60_000);
});
