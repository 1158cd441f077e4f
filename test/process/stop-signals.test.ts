import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { temporaryDirectory } from '../support/service.ts';

vi.setConfig({ testTimeout: 20_000 });

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const FIRST_LINE = '{"format":"ironcached items","version":1}\n';
const LAST_LINE = '{"end":true,"items":0}\n';

/** A dump whose server has sent some of it, and what the program says about it. */
async function startDump() {
  let answer: ServerResponse | undefined;
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/jsonl' });
    response.write(FIRST_LINE);
    answer = response;
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = temporaryDirectory();
  const where = ['--server', address, '--token', 'some-token', '--project', 'a'.repeat(24), '--cache', 'c'];
  const child = spawn(process.execPath, [program, 'dump', join(directory, 'out.jsonl'), ...where], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const closed = once(child, 'close');
  await once(server, 'request');
  return { child, directory, said: () => said, closed, finish: () => answer?.end(LAST_LINE) };
}

// That of the service is told in main.test.ts.
describe.skipIf(process.platform === 'win32')('a dump', () => {
  test('is interrupted once by a signal that is passed on at once', async () => {
    const { child, directory, said, closed } = await startDump();
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 2);
    const [status] = await closed;
    expect({ status, said: said() }).toEqual({ status: 143, said: 'ironcached: interrupted\n' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('is interrupted by the end of its terminal, and leaves nothing, either', async () => {
    const { child, directory, closed } = await startDump();
    child.stderr.destroy();
    child.kill('SIGHUP');
    child.kill('SIGHUP');
    expect(await closed).toEqual([129, null]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('goes on without whoever read what it says', async () => {
    const { child, directory, closed, finish } = await startDump();
    child.stderr.destroy();
    finish();
    expect(await closed).toEqual([0, null]);
    expect(readFileSync(join(directory, 'out.jsonl'), 'utf8')).toBe(FIRST_LINE + LAST_LINE);
  });
});
