import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HttpSocket } from './support/http-socket.ts';
import { PROJECT, startService, type TestService, TOKEN } from './support/service.ts';
import { signIn, textClient } from './support/text-client.ts';

// Loads are made on machines that do other things, too.
vi.setConfig({ testTimeout: 20_000 });

interface Answer {
  readonly status: number;
  readonly connection: string | undefined;
}

/** Stores one item after the other over a kept connection, until one is not answered. */
async function storeByRest(port: number, cache: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const answers: Answer[] = [];
  for (;;) {
    try {
      answers.push(await put(agent, port, cache));
    } catch (error) {
      return { answers, end: (error as { code?: string }).code };
    }
  }
}

function put(agent: Agent, port: number, cache: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const path = `/1/projects/${PROJECT}/caches/${cache}/items/k?oauth=${TOKEN}`;
    const outgoing = request({ agent, host: '127.0.0.1', port, path, method: 'PUT' }, (response) => {
      const { statusCode = 0, headers } = response;
      response.resume().on('end', () => resolve({ status: statusCode, connection: headers.connection }));
    });
    outgoing.on('error', reject).end('{"value":"v"}');
  });
}

const BURST = 'set k 0 0 5\r\nvalue\r\n'.repeat(50);

/** Stores by bursts of pipelined sets, always with more on the way, until the service closes. */
async function storeByMemcached(port: number, cache: string) {
  const { socket } = await textClient(port);
  let received = '';
  let isReset = false;
  socket.on('error', () => {
    isReset = true;
  });
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    if (socket.writable) socket.write(BURST);
  });
  socket.write(signIn(TOKEN, PROJECT, cache) + BURST + BURST);
  await ended;
  return { received, isReset };
}

function setsIn({ service }: TestService, cache: string): number {
  return service.engine.cache(PROJECT, cache).statistics.sets;
}

async function untilStored(service: TestService, cache: string, count: number): Promise<void> {
  while (setsIn(service, cache) < count) await nextTurn();
}

describe('a stop under load', () => {
  test('by REST: whatever was stored was acknowledged, every client is told to close, no request is cut off', async () => {
    const service = await startService();
    const caches = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const clients = caches.map((cache) => storeByRest(service.httpPort, cache));
    for (const cache of caches) await untilStored(service, cache, 20);
    await service.service.stop();
    for (const [i, cache] of caches.entries()) {
      const { answers, end } = (await clients[i]) ?? { answers: [], end: 'none' };
      expect(answers).toHaveLength(setsIn(service, cache));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(answers.at(-1)?.connection).toBe('close');
      expect(end).toBe('ECONNREFUSED');
    }
  });

  test('by memcached: whatever was stored was acknowledged, and nothing is cut off in the middle', async () => {
    const service = await startService();
    const caches = Array.from({ length: 20 }, (_, i) => `c${i}`);
    const clients = caches.map((cache) => storeByMemcached(service.memcachedPort, cache));
    for (const cache of caches) await untilStored(service, cache, 500);
    await service.service.stop();
    for (const [i, cache] of caches.entries()) {
      const { received, isReset } = (await clients[i]) ?? { received: '', isReset: true };
      // The sign-in has the first of them.
      expect(received).toBe('STORED\r\n'.repeat(1 + setsIn(service, cache)));
      expect(isReset).toBe(false);
    }
    await expect(textClient(service.memcachedPort)).rejects.toThrow('ECONNREFUSED');
  });
});

const file = (name: string) => fileURLToPath(new URL(`support/certificates/${name}.pem`, import.meta.url));
const tls = [
  '--tls-cert',
  file('first-cert'),
  '--tls-key',
  file('first-key'),
  '--tls-handshake-timeout',
  '600',
];

describe('a stop', () => {
  test('is not held up by clients that send nothing', async () => {
    const service = await startService(['--stop-timeout', '600']);
    const idle = new HttpSocket(service.httpPort);
    idle.write('GET /version HTTP/1.1\r\n\r\n');
    expect((await idle.answer()).status).toBe(200);
    const silent = await textClient(service.memcachedPort);
    // Clients' pools connect ahead.
    const unused = new HttpSocket(service.httpPort);
    await once(unused.socket, 'connect');
    await service.service.stop();
    await idle.closed();
    await unused.closed();
    expect(await silent.rest()).toBe('');
  });

  test.each(['before', 'after'])('nor by those that send nothing %s their TLS handshake', async (when) => {
    const service = await startService([...tls, '--stop-timeout', '600']);
    const port = service.httpPort;
    const silent = when === 'after' ? connectTls({ port, rejectUnauthorized: false }) : connect(port);
    await once(silent.resume(), when === 'after' ? 'secureConnect' : 'connect');
    await service.service.stop();
    if (!silent.closed) await once(silent, 'close');
  });

  test.each([
    ['made in one piece', '', 1],
    ['written by a stream', 'Accept: application/octet-stream\r\n', 1],
    ['behind another', '', 2],
  ])('waits for a client that has yet to take an answer %s, and no longer', async (_, headers, count) => {
    const service = await startService(['--stop-timeout', '600', '--max-item-size', '16mb']);
    // More than the system takes for a client that does not read.
    const value = 'v'.repeat(12 * 1024 * 1024);
    await service.rest('PUT', '/c/items/k', { value });
    const slow = new HttpSocket(service.httpPort);
    onTestFinished(() => slow.destroy());
    slow.socket.pause();
    const item = `/1/projects/${PROJECT}/caches/c/items/k`;
    slow.write(`GET ${item}?oauth=${TOKEN} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`.repeat(count));
    const { statistics } = service.service.engine.cache(PROJECT, 'c');
    while (statistics.getHits === 0) await nextTurn();
    const stopped = service.service.stop();
    await vi.waitFor(() => expect(fetch(`http://127.0.0.1:${service.httpPort}/version`)).rejects.toThrow());
    await delay(300);
    slow.socket.resume();
    for (let i = 0; i < count; i++) {
      const { status, body } = await slow.answer();
      if (i === 0 || status !== 503) expect(body.length).toBeGreaterThanOrEqual(value.length);
    }
    await slow.closed();
    await stopped;
  });

  test('waits only so long for a request that never ends', async () => {
    const service = await startService(['--stop-timeout', '1']);
    const stuck = new HttpSocket(service.httpPort);
    const head = `PUT /1/projects/${PROJECT}/caches/c/items/k?oauth=${TOKEN} HTTP/1.1\r\nHost: x\r\n`;
    stuck.write(`${head}Content-Length: 100\r\n\r\n{"va`);
    const probe = new HttpSocket(service.httpPort);
    probe.write('GET /version HTTP/1.1\r\n\r\n');
    await probe.answer();
    await service.service.stop();
    await stuck.closed();
  });

  test('waits no longer for a client that asked for a tunnel behind an answer that it does not take', async () => {
    const service = await startService(['--stop-timeout', '1', '--max-item-size', '16mb']);
    await service.rest('PUT', '/c/items/k', { value: 'v'.repeat(12 * 1024 * 1024) });
    const stuck = new HttpSocket(service.httpPort);
    onTestFinished(() => stuck.destroy());
    stuck.socket.pause();
    const item = `/1/projects/${PROJECT}/caches/c/items/k?oauth=${TOKEN}`;
    stuck.write(`GET ${item} HTTP/1.1\r\n\r\nCONNECT example.org:443 HTTP/1.1\r\n\r\n`);
    const { statistics } = service.service.engine.cache(PROJECT, 'c');
    while (statistics.getHits === 0) await nextTurn();
    await service.service.stop();
  });

  test('waits no longer for clients that do not go on with their TLS handshake', async () => {
    const service = await startService([...tls, '--memcached-tls-port', '0', '--stop-timeout', '1']);
    const silent = [service.httpPort, service.memcachedTlsPort ?? 0].map((port) => new HttpSocket(port));
    for (const { socket } of silent) await once(socket, 'connect');
    // How a handshake begins.
    for (const socket of silent) socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    await service.service.stop();
    for (const socket of silent) await socket.closed();
  });

  test('with a delay goes on serving both doors first, and says to REST clients that each answer is the last', async () => {
    const service = await startService(['--stop-delay', '1']);
    const member = await textClient(service.memcachedPort);
    const stopped = service.service.stop();
    const late = await textClient(service.memcachedPort);
    for (const client of [member, late]) {
      expect(await client.ask(signIn(TOKEN, PROJECT, 'c'))).toBe('STORED\r\n');
    }
    // A load balancer sees at once that it is to send its clients elsewhere.
    expect((await fetch(`http://127.0.0.1:${service.httpPort}/health/ready`)).status).toBe(503);
    expect((await fetch(`http://127.0.0.1:${service.httpPort}/health/live`)).status).toBe(200);
    const answer = await service.rest('PUT', '/c/items/k', { value: 'v' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('connection')).toBe('close');
    await stopped;
    expect(await late.rest()).toBe('');
    await expect(textClient(service.memcachedPort)).rejects.toThrow('ECONNREFUSED');
  });

  test('with a delay goes on freeing what expires meanwhile', async () => {
    const { service } = await startService(['--stop-delay', '2']);
    const stopped = service.stop();
    const sweep = vi.spyOn(service.engine, 'sweep');
    await vi.waitFor(() => expect(sweep.mock.calls.length).toBeGreaterThan(1), { timeout: 1_800 });
    await stopped;
  });
});
