import { expect, test } from 'vitest';
import { projectId, startTelling, token } from './support/telling-program.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

const SOME = 1_000;
const MANY = 20_000;
const MANY_FUNCTIONS = 40;

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
  const { compiled, thrownAway } = await program.end();
  expect(compiled.length).toBeGreaterThan(MANY_FUNCTIONS);
  expect(thrownAway).not.toContain('onStreamRead');
}, 60_000);
