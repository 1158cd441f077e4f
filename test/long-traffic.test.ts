import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { projectId, startTelling, token } from './support/telling-program.ts';
import { signIn } from './support/text-client.ts';

const value = 'v'.repeat(60_000);
const AT_A_TIME = 40;
/** So many times `AT_A_TIME` values are more than 2³¹ bytes. */
const ROUNDS = 900;
/** There are 5 to 10, by Node's version; where each value gets memory of its own, 31 to 35. */
const COLLECTIONS_MAX = 20;

/** A client that only counts what it is sent. */
function countingClient(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  let awaited = 0;
  let resolve = () => {};
  socket.on('data', ({ length }) => {
    awaited -= length;
    if (awaited <= 0) resolve();
  });
  return {
    ask: (bytes: string, replyLength: number) =>
      new Promise<void>((done) => {
        awaited += replyLength;
        resolve = done;
        socket.write(bytes, 'latin1');
      }),
  };
}

test('what is compiled is kept when clients have sent, and were sent, two gigabytes', async () => {
  const { memcachedPort, output } = await startTelling();
  const client = countingClient(memcachedPort);
  await client.ask(signIn(token, projectId, 'c'), 'STORED\r\n'.length);
  const set = `set k 0 0 ${value.length}\r\n${value}\r\n`;
  const reply = `VALUE k 0 ${value.length}\r\n${value}\r\nEND\r\n`;
  for (const [request, answer] of [
    [set, 'STORED\r\n'],
    ['get k\r\n', reply],
  ] as const) {
    const requests = request.repeat(AT_A_TIME);
    for (let round = 0; round < ROUNDS; round++) await client.ask(requests, answer.length * AT_A_TIME);
  }
  await client.ask('version\r\n', 1);
  expect(output()).toMatch(/completed optimizing/);
  expect(output().match(/.*reason: overflow.*/g)).toBeNull();
}, 60_000);

test('large values leave little behind that V8 has to collect', async () => {
  const { memcachedPort, output } = await startTelling();
  const client = countingClient(memcachedPort);
  await client.ask(signIn(token, projectId, 'c'), 'STORED\r\n'.length);
  const large = 'v'.repeat(500_000);
  const set = `set k 0 0 ${large.length}\r\n${large}\r\n`;
  const reply = `VALUE k 0 ${large.length}\r\n${large}\r\nEND\r\n`;
  const ask = async (times: number) => {
    for (let i = 0; i < times; i++) {
      await client.ask(set, 'STORED\r\n'.length);
      await client.ask('get k\r\n', reply.length);
    }
  };
  const collections = () => output().match(/Scavenge|Mark-Compact/g)?.length ?? 0;
  await ask(10);
  const before = collections();
  await ask(1_000);
  await client.ask('version\r\n', 1);
  expect(collections() - before).toBeLessThan(COLLECTIONS_MAX);
}, 60_000);
