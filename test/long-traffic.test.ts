import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from './support/service.ts';
import { signIn } from './support/text-client.ts';

// The compiled program; `npm test` has compiled it before.
const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const projectId = '0123456789abcdef01234567';
const token = 'a-token-for-two-gigabytes';

const value = 'v'.repeat(60_000);
const AT_A_TIME = 40;
/** So many times `AT_A_TIME` values are more than 2³¹ bytes. */
const ROUNDS = 900;

/** The service, with V8 telling what it compiles and which compiled code it throws away. */
async function startTelling() {
  const flags = ['--trace-opt', '--trace-deopt'];
  const child = spawn(process.execPath, [...flags, program, '--http-port=0', '--memcached-port=0'], {
    env: {
      PATH: process.env['PATH'],
      IRONCACHED_DATA_DIR: temporaryDirectory(),
      IRONCACHED_PROJECT_ID: projectId,
      IRONCACHED_TOKEN: token,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    let port: string | undefined;
    child.stdout.on('data', (chunk) => {
      output += chunk;
      port ??= /^\{.*"memcachedPort":(\d+).*ironcached is ready/m.exec(output)?.[1];
      if (port) resolve(Number(port));
    });
    child.once('exit', () => reject(new Error(output)));
  });
  return { port, output: () => output };
}

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
  const { port, output } = await startTelling();
  const client = countingClient(port);
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
