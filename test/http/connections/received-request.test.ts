import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type BodyTaker, ReceivedRequest } from '../../../src/http/connections/received-request.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A connection to a server that does this with each request. */
async function connectedTo(
  listener: (request: ReceivedRequest, ...rest: [Parameters<RequestListener>[1]]) => void,
): Promise<{ client: Socket; text: () => string; server: () => Socket | undefined }> {
  let serverSide: Socket | undefined;
  const server = createServer({ IncomingMessage: ReceivedRequest }, listener);
  server.on('connection', (socket) => {
    serverSide = socket;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  client.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  closers.push(() => {
    client.destroy();
    server.close();
  });
  return { client, text: () => text, server: () => serverSide };
}

class Collector implements BodyTaker {
  readonly events: string[] = [];
  readonly #atEnd: (body: string) => void;

  constructor(atEnd: (body: string) => void = () => {}) {
    this.#atEnd = atEnd;
  }

  take(chunk: Buffer): void {
    this.events.push(chunk.toString());
  }

  end(): void {
    this.#atEnd(this.events.join(''));
    this.events.push('end');
  }

  fail(): void {
    this.events.push('fail');
  }
}

const HOST = 'Host: h\r\n';
const put = (body: string) => `PUT / HTTP/1.1\r\n${HOST}Content-Length: ${body.length}\r\n\r\n${body}`;
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

test('a body goes to who takes it, in one piece or many, request after request', async () => {
  const { client, text } = await connectedTo((request, response) => {
    expect(request.giveBodyTo(new Collector((body) => response.end(`<${body}>`)))).toBe(true);
  });
  client.write(put('one') + put('') + put('three'));
  for (const byte of put('four')) {
    client.write(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => text().match(/<.*?>/g)).toEqual(['<one>', '<>', '<three>', '<four>']);
});

test('some of a body that came before anyone took it is read as a stream', async () => {
  let isGiven: boolean | undefined;
  const { client, text } = await connectedTo((request, response) => {
    setTimeout(async () => {
      isGiven = request.giveBodyTo(new Collector());
      let body = '';
      for await (const chunk of request) body += chunk;
      response.end(`<${body}>`);
    }, 50);
  });
  client.write(put('there already'));
  await expect.poll(text).toContain('<there already>');
  expect(isGiven).toBe(false);
});

test.each(['', 'abc'])('who reads %j as a stream gets all of it, and its end', async (sent) => {
  const { client, text } = await connectedTo((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.end(`<${body}>`));
  });
  client.write(put(sent) + GET + put(sent));
  await expect.poll(() => text().match(/<.*?>/g)).toEqual([`<${sent}>`, '<>', `<${sent}>`]);
});

test('a body that nobody wants does not stand in the way of the next request', async () => {
  const { client, text } = await connectedTo((_request, response) => response.end('<ok>'));
  client.write(put('x'.repeat(500_000)) + GET + put('y') + GET);
  await expect.poll(() => text().match(/<ok>/g)?.length).toBe(4);
});

test('who answers before the body has come, hears no more of it', async () => {
  const collector = new Collector();
  const { client, text } = await connectedTo((request, response) => {
    if (request.method === 'PUT') request.giveBodyTo(collector);
    response.end('<ok>');
  });
  client.write(put('12345').slice(0, -2));
  await expect.poll(text).toContain('<ok>');
  client.write(`45${GET}`);
  await expect.poll(() => text().match(/<ok>/g)?.length).toBe(2);
  expect(collector.events).not.toContain('end');
});

test('a connection that ends before the body is a failure, once', async () => {
  const collector = new Collector();
  const { client } = await connectedTo((request) => request.giveBodyTo(collector));
  client.write(put('12345').slice(0, -2));
  await expect.poll(() => collector.events).toEqual(['123']);
  client.destroy();
  await expect.poll(() => collector.events).toEqual(['123', 'fail']);
});

test.each([
  ['GET', GET],
  ['PUT', put('value')],
])('a %s that is answered is not kept by its connection', async (method, request) => {
  const { client, text, server } = await connectedTo((received, response) => {
    if (method === 'GET') response.end('<ok>');
    else received.giveBodyTo(new Collector(() => response.end('<ok>')));
  });
  client.write(request);
  await expect.poll(text).toContain('<ok>');
  const { parser } = server() as { parser?: { incoming?: unknown } };
  expect(parser).toHaveProperty('incoming', null);
});
