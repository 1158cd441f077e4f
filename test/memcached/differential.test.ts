import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import { type Bytes, MemcachedClient } from '../support/memcached-client.ts';
import { openDoor } from '../support/memcached-door.ts';
import { memcachedVersion, startMemcached } from '../support/real-memcached.ts';
import type { Exchange } from './exchanges/exchange.ts';
import { Normaliser } from './exchanges/normaliser.ts';
import { exchanges } from './exchanges.ts';

const version = memcachedVersion();
if (version === undefined) {
  process.stdout.write(
    'SKIPPED: the comparison with memcached, because there is no memcached on this machine\n',
  );
}

/** A server to compare, and how a client of it begins. */
interface Server {
  readonly connect: () => Promise<MemcachedClient>;
  readonly stop: () => Promise<void>;
}

describe.skipIf(version === undefined)(`ironcached answers as memcached ${version} does`, () => {
  describe.each([
    ['whole', (client: MemcachedClient, bytes: Bytes) => client.send(bytes)],
    ['byte by byte', (client: MemcachedClient, bytes: Bytes) => client.sendByteByByte(bytes)],
  ])('%s', (_way, send) => {
    const servers = allServers();
    test.each(exchanges)('$name', async (exchange) => {
      const answers = await Promise.all(servers().map((server) => play(server, exchange, send)));
      expectAlike(answers);
    });
  });

  describe('pipelined', () => {
    const servers = allServers();
    test('all exchanges on one connection', { timeout: 20_000 }, async () => {
      const together = exchanges.filter((exchange) => !exchange.alone);
      expectAlike(await Promise.all(servers().map((server) => playTogether(server, together))));
    });
  });
});

test('there are hundreds of exchanges', () => {
  expect(exchanges.length).toBeGreaterThanOrEqual(250);
  expect(new Set(exchanges.map(({ name }) => name)).size).toBe(exchanges.length);
});

// The answers of memcached, and of ironcached with each of its stores.
function expectAlike([theirs, ...ours]: readonly unknown[]): void {
  expect(ours).toHaveLength(2);
  for (const answers of ours) expect(answers).toEqual(theirs);
}

// Servers of their own for each way of sending: memcached first.
function allServers(): () => Server[] {
  const servers: Server[] = [];
  beforeAll(async () => {
    const memcached = await startMemcached();
    servers.push({ connect: () => MemcachedClient.connect(memcached.port), stop: memcached.stop });
    // Absolute expiry times must mean the same to all.
    const clock = testClock(Date.now());
    for (const store of ['arena', 'lru-cache'] as const) {
      const door = await openDoor({ clock, store });
      servers.push({ connect: () => door.signedIn(), stop: door.close });
    }
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));
  return () => servers;
}

type Send = (client: MemcachedClient, bytes: Bytes) => void | Promise<void>;

async function play(server: Server, exchange: Exchange, send: Send): Promise<string[]> {
  const client = await server.connect();
  const normaliser = new Normaliser();
  const answers: string[] = [];
  for (const step of exchange.steps) {
    await send(client, normaliser.fill(step) + question(exchange));
    answers.push(normaliser.normalise(await answerTo(client, exchange)));
  }
  client.destroy();
  return answers.map(readable);
}

/** First the first steps of all exchanges in one go, then the second ones… */
async function playTogether(
  server: Server,
  together: readonly Exchange[],
): Promise<Record<string, string[]>> {
  const client = await server.connect();
  const playing = together.map((exchange) => ({
    exchange,
    normaliser: new Normaliser(),
    answers: [] as string[],
  }));
  const turns = Math.max(...together.map(({ steps }) => steps.length));
  for (let turn = 0; turn < turns; turn++) {
    const now = playing.filter(({ exchange }) => exchange.steps.length > turn);
    client.send(
      now
        .map(({ exchange, normaliser }) => normaliser.fill(exchange.steps[turn] ?? '') + question(exchange))
        .join(''),
    );
    for (const { exchange, normaliser, answers } of now) {
      answers.push(readable(normaliser.normalise(await answerTo(client, exchange))));
    }
  }
  client.destroy();
  return Object.fromEntries(playing.map(({ exchange, answers }) => [exchange.name, answers]));
}

// Asked behind each step: its answer shows that the step has been answered, and that nothing is amiss.
function question(exchange: Exchange): Bytes {
  return exchange.closes ? '' : `mg no-such-key O${exchange.name.length}end\r\n`;
}

async function answerTo(client: MemcachedClient, exchange: Exchange): Promise<Bytes> {
  return exchange.closes ? client.rest() : client.takeThrough(`EN O${exchange.name.length}end\r\n`);
}

// Different for different answers, and short enough to be looked at.
function readable(answer: Bytes): string {
  if (answer.length <= 1000) return answer;
  const hash = createHash('sha256').update(answer, 'latin1').digest('hex');
  return `${answer.slice(0, 300)} … ${answer.slice(-200)} (${answer.length} bytes, ${hash})`;
}
