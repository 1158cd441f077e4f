import { Agent, request } from 'node:http';
import { expect, test } from 'vitest';
import { PROJECT, startService, type TestService, TOKEN } from './support/service.ts';
import { signIn, textClient } from './support/text-client.ts';

const CLIENTS_PER_DOOR = 50;
const INCREMENTS = 20;
const TOTAL = BigInt(2 * CLIENTS_PER_DOOR * INCREMENTS);

test.each(['arena', 'lru-cache'])(
  'a hundred clients of both doors count at once, and lose nothing: %s',
  { timeout: 30_000 },
  async (store) => {
    const service = await startService(['--store', store]);
    // Beyond what a double could count.
    const start = 2n ** 53n - 1n;
    await service.rest('PUT', '/c/items/n', { value: String(start) });
    const seen = (
      await Promise.all([
        ...Array.from({ length: CLIENTS_PER_DOOR }, () => countByMemcached(service)),
        ...Array.from({ length: CLIENTS_PER_DOOR }, () => countByRest(service)),
      ])
    ).flat();
    expect(new Set(seen).size).toBe(Number(TOTAL));
    const sorted = seen.toSorted((a, b) => (a < b ? -1 : 1));
    expect([sorted[0], sorted.at(-1)]).toEqual([start + 1n, start + TOTAL]);
    const client = await textClient(service.memcachedPort);
    await client.ask(signIn(TOKEN, PROJECT, 'c'));
    expect(await client.ask('get n\r\n', 'END\r\n')).toContain(`\r\n${start + TOTAL}\r\n`);
  },
);

/** What the counter was after each increment of one client. */
async function countByMemcached({ memcachedPort }: TestService): Promise<bigint[]> {
  const client = await textClient(memcachedPort);
  await client.ask(signIn(TOKEN, PROJECT, 'c'));
  const seen: bigint[] = [];
  for (let i = 0; i < INCREMENTS; i++) seen.push(BigInt((await client.ask('incr n 1\r\n')).trim()));
  return seen;
}

async function countByRest({ httpPort }: TestService): Promise<bigint[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const seen: bigint[] = [];
  for (let i = 0; i < INCREMENTS; i++) {
    const answer = await post(
      agent,
      httpPort,
      `/1/projects/${PROJECT}/caches/c/items/n/increment`,
      '{"amount":1}',
    );
    seen.push(BigInt(/"value":(\d+)/.exec(answer)?.[1] ?? '0'));
  }
  agent.destroy();
  return seen;
}

function post(agent: Agent, port: number, path: string, body: string): Promise<string> {
  const headers = { authorization: `OAuth ${TOKEN}` };
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, path, method: 'POST', headers, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject).end(body);
  });
}
