import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turnEnd } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { JoinedResponse, leaveNow } from '../../../src/http/connections/joined-response.ts';
import { CROWD_MIN, UNCOUNTED_REQUESTS } from '../../../src/sockets/crowd.ts';

/** A connection that keeps what is written to it, each piece by itself. */
class Recorder extends Duplex {
  readonly pieces: string[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(chunk.toString('latin1'));
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) if (chunk.length > 0) this.pieces.push(chunk.toString('latin1'));
    done();
  }

  /** What begins each piece, without what differs from one run to another. */
  get beginnings(): string[] {
    return this.pieces.map((piece) => piece.split('\r\n', 1)[0] ?? '');
  }
}

async function connectedTo(
  listener: (request: IncomingMessage, response: JoinedResponse) => void,
): Promise<Recorder> {
  const server = createServer({ ServerResponse: JoinedResponse } as object, listener as RequestListener);
  const connection = new Recorder();
  server.emit('connection', connection);
  // It is read from then on.
  await turnEnd();
  return connection;
}

const GET = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n';

function answer(response: JoinedResponse, body: string | Buffer, status = 200): void {
  response.writeHead(status, ['content-length', body.length]).end(body, 'latin1');
}

/** So many that they are noticed after a turn whoever asked before. */
const CROWD = UNCOUNTED_REQUESTS + CROWD_MIN;

/** A turn of the event loop in which so many ask, for what the next one is to be like. */
async function turnWith(clients: number): Promise<void> {
  const connections = await Promise.all(
    Array.from({ length: clients }, () => connectedTo((_request, response) => answer(response, 'ok'))),
  );
  for (const connection of connections) connection.push(GET);
  await turnEnd();
}

test('a text leaves in one piece with its head: at once where few ask, at the end of the turn where many do', async () => {
  const connection = await connectedTo((_request, response) => answer(response, 'gr\xfc\xdfe'));
  const whole = expect.stringMatching(/^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\ngr\xfc\xdfe$/);
  connection.push(GET);
  expect(connection.pieces).toEqual([whole]);
  await turnWith(CROWD);
  connection.push(GET);
  expect(connection.pieces).toEqual([whole]);
  await turnEnd();
  expect(connection.pieces).toEqual([whole, whole]);
  await turnWith(CROWD_MIN - 1);
  connection.push(GET);
  expect(connection.pieces).toEqual([whole, whole, whole]);
});

test('a text of other characters leaves as Node writes it', async () => {
  const connection = await connectedTo((_request, response) => response.writeHead(200).end('größe €'));
  connection.push(GET);
  expect(Buffer.from(connection.pieces.join(''), 'latin1').toString()).toMatch(/größe €/);
});

test('an error does not wait for the end of the turn', async () => {
  await turnWith(CROWD);
  const connection = await connectedTo((_request, response) => answer(response, 'no', 413));
  connection.push(GET);
  expect(connection.beginnings).toEqual(['HTTP/1.1 413 Payload Too Large']);
});

test('what is no text is written as Node does', async () => {
  const connection = await connectedTo((_request, response) => answer(response, Buffer.from('bytes')));
  connection.push(GET);
  await turnEnd();
  expect(connection.pieces.at(-1)).toBe('bytes');
});

test('answers on one connection leave in the order of their requests, whenever they were made', async () => {
  const responses: JoinedResponse[] = [];
  const connection = await connectedTo((_request, response) => responses.push(response));
  connection.push(GET.repeat(3));
  for (const [i, response] of [...responses.entries()].reverse()) answer(response, `${i}`);
  await turnEnd();
  await turnEnd();
  expect(connection.pieces.map((piece) => piece.at(-1))).toEqual(['0', '1', '2']);
});

test('however many there are, each leaves, and the first of them before the turn is over', async () => {
  await turnWith(CROWD);
  const connections = await Promise.all(
    Array.from({ length: 100 }, () => connectedTo((_request, response) => answer(response, 'ok'))),
  );
  for (const connection of connections) connection.push(GET);
  expect(connections[0]?.pieces).toHaveLength(1);
  await turnEnd();
  for (const { pieces } of connections) expect(pieces).toEqual([expect.stringMatching(/\r\n\r\nok$/)]);
});

test('whoever writes past the responses can have them leave before', async () => {
  const connection = await connectedTo((_request, response) => answer(response, 'ok'));
  await turnWith(CROWD);
  connection.push(GET);
  expect(connection.pieces).toEqual([]);
  leaveNow();
  expect(connection.beginnings).toEqual(['HTTP/1.1 200 OK']);
});

test('a response whose connection is gone by then is no trouble to the others', async () => {
  const gone = await connectedTo((_request, response) => answer(response, 'ok'));
  const other = await connectedTo((_request, response) => answer(response, 'ok'));
  await turnWith(CROWD);
  gone.push(GET);
  other.push(GET);
  gone.destroy();
  await turnEnd();
  expect(gone.pieces).toEqual([]);
  expect(other.pieces).toHaveLength(1);
});
