import { expect, onTestFinished, test } from 'vitest';
import { HttpSocket } from './support/http-socket.ts';
import { projectId, startTelling, token } from './support/telling-program.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

const SOME = 1_000;
const MANY = 20_000;
/** Of 49 to 214. Where nothing is kept, 20 to 44 are thrown away of the memcached door, and 53 to 104 of the REST door. */
const MANY_FUNCTIONS = 40;
const FEW = 5;
/** With what Node and Fastify have of a request, and we have no hold on: 6 to 13. */
const FEW_WITH_OTHERS = 25;

const value = 'v'.repeat(100);

async function signedIn(port: number): Promise<TextClient> {
  const client = await textClient(port);
  expect(await client.ask(signIn(token, projectId, 'c'))).toBe('STORED\r\n');
  return client;
}

async function leave(client: TextClient): Promise<void> {
  client.socket.end();
  await client.rest();
}

test('the code of the memcached door outlasts its clients', async () => {
  const program = await startTelling();
  const first = await signedIn(program.memcachedPort);
  for (let i = 0; i < SOME; i++) await first.ask('get k\r\n', 'END\r\n');
  await leave(first);
  const client = await signedIn(program.memcachedPort);
  for (let i = 0; i < MANY; i++) {
    await client.ask(`set k 0 0 ${value.length}\r\n${value}\r\n`);
    await client.ask('get k\r\n', 'END\r\n');
  }
  // The first client is gone, to whom the first answers were written.
  await program.collect();
  await leave(client);
  // Who only looks whether the port is open.
  await leave(await textClient(program.memcachedPort));
  await program.collect();
  const { compiled, thrownAway } = await program.end();
  expect(compiled.length).toBeGreaterThan(MANY_FUNCTIONS);
  expect(thrownAway).not.toContain('onStreamRead');
  expect(thrownAway.length).toBeLessThan(FEW);
}, 60_000);

test('the code of the REST door outlasts its clients', async () => {
  const program = await startTelling();
  const client = new HttpSocket(program.httpPort);
  onTestFinished(() => client.destroy());
  const item = `/1/projects/${projectId}/caches/c/items/k`;
  const ask = (method: string, path: string, body = '') => {
    const head = `${method} ${path} HTTP/1.1\r\nhost: c\r\nauthorization: OAuth ${token}\r\n`;
    client.write(`${head}content-length: ${body.length}\r\n\r\n${body}`);
    return client.answer();
  };
  expect(await ask('PUT', item, JSON.stringify({ value }))).toMatchObject({ status: 200 });
  for (let i = 0; i < MANY; i++) await ask('GET', item);
  expect(await ask('GET', '/health/live')).toMatchObject({ status: 200 });
  client.destroy();
  await program.collect();
  const { compiled, thrownAway } = await program.end();
  expect(compiled.length).toBeGreaterThan(MANY_FUNCTIONS);
  expect(thrownAway.length).toBeLessThan(FEW_WITH_OTHERS);
}, 60_000);
