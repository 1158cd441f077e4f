import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { temporaryDirectory } from './support/service.ts';

vi.setConfig({ testTimeout: 20_000 });

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

// That of the service is told in main.test.ts.
test.skipIf(process.platform === 'win32')(
  'a signal that is passed on at once interrupts a dump once',
  async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/jsonl' });
      response.write('{"format":"ironcached items","version":1}\n');
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
    await once(server, 'request');
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 2);
    const [status] = await once(child, 'close');
    expect({ status, said }).toEqual({ status: 143, said: 'ironcached: interrupted\n' });
    expect(readdirSync(directory)).toEqual([]);
  },
);
