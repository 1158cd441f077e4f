// Runs every real client that this machine has against a freshly started ironcached, through every
// operation that the client offers, and prints one table. Installs nothing: what is missing is skipped.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clientsOfThisMachine } from './clients.mjs';

const HELP = `npm run clients -- [options]

Runs every real client that this machine has through every operation that it offers, and prints one table.

options
  --main FILE    the program to try, dist/main.js by default
  --sources DIR  where further clients lie: checkouts under their repository's name, a Python
                 environment 'venv', and 'node_modules'
  --only TEXT    only the clients with TEXT in their name
  --verbose      every operation on a line of its own, also what passed
  --help
`;

const PROJECT = '4e71843298b1db3f0d00c11e';
const TOKEN = 'token-of-the-real-clients';
const CLIENT_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 20_000;

const { values: options } = parseArgs({
  options: {
    main: { type: 'string', default: fileURLToPath(new URL('../../dist/main.js', import.meta.url)) },
    sources: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (options.help) {
  process.stdout.write(HELP);
  process.exit();
}

const workDir = mkdtempSync(join(tmpdir(), 'ironcached-clients-'));
try {
  process.exitCode = (await runAll()) ? 0 : 1;
} finally {
  rmSync(workDir, { recursive: true, force: true });
}

async function runAll() {
  const sources = options.sources && resolve(options.sources);
  const clients = clientsOfThisMachine(sources, workDir).filter(({ name }) => name.includes(options.only));
  // Every client has a cache of its own, and a listener that is bound to it.
  const caches = clients.map(({ name }) => `${name} cache`);
  const service = await startService(caches.map((cache) => `127.0.0.1:0=${PROJECT}/${cache}`));
  try {
    const results = [];
    for (const [i, client] of clients.entries()) {
      results.push(
        await runClient(client, { service, cache: caches[i], boundPort: service.boundPorts[i], sources }),
      );
    }
    process.stdout.write(table(results));
    return results.every(({ failed }) => failed.length === 0);
  } finally {
    service.process.kill('SIGTERM');
    await service.exited;
  }
}

async function startService(bindings) {
  const flags = ['--project-id', PROJECT, '--token', TOKEN, '--http-port', '0', '--memcached-port', '0'];
  const bind = ['--memcached-bind', bindings.join(',')];
  const child = spawn(process.execPath, [options.main, ...flags, ...bind], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  // The output is read to the end: a pipe that nobody reads would stop the service.
  const ready = new Promise((resolveReady, reject) => {
    createInterface(child.stdout)
      .on('line', (line) => {
        const entry = JSON.parse(line);
        if (entry.httpPort) resolveReady(entry);
        if (entry.level >= 50) process.stderr.write(`ironcached logged: ${line}\n`);
      })
      .on('close', () => reject(new Error(`${options.main} did not start`)));
  });
  const { httpPort, memcachedPort, bound } = await ready.finally(() => clearTimeout(timer));
  return { process: child, exited, httpPort, memcachedPort, boundPorts: bound.map(({ port }) => port) };
}

/**
 * A client's program says what it did in lines of words between tabs: `version V`, `passed OPERATION`,
 * `failed OPERATION REASON`, `absent OPERATION REASON` (the client has no such operation), `missing
 * REASON` (the client itself is not there); and ends with status 0, whatever it found.
 */
async function runClient(client, { service, cache, boundPort, sources }) {
  const { name, command, version = '', missing } = client;
  const result = { name, version, passed: [], failed: [], absent: [], missing };
  if (missing) return result;
  process.stderr.write(`${name} …\n`);
  const [file, ...args] = command;
  const child = spawn(file, args, {
    cwd: workDir,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: CLIENT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    env: {
      ...process.env,
      CLIENT_HOST: '127.0.0.1',
      CLIENT_MEMCACHED_PORT: String(service.memcachedPort),
      CLIENT_BOUND_PORT: String(boundPort),
      CLIENT_HTTP_PORT: String(service.httpPort),
      CLIENT_PROJECT: PROJECT,
      CLIENT_TOKEN: TOKEN,
      CLIENT_CACHE: cache,
      CLIENT_SOURCES: sources,
    },
  });
  const errors = [];
  child.stderr.on('data', (chunk) => errors.push(chunk));
  child.on('error', (error) => errors.push(Buffer.from(error.message)));
  for await (const line of createInterface(child.stdout)) readLine(line, result);
  const [status, signal] = child.exitCode === null ? await once(child, 'close') : [child.exitCode, null];
  if (status !== 0) {
    const errorText = Buffer.concat(errors).toString().trim().slice(-600);
    result.failed.push({
      operation: 'the program itself',
      reason: `${signal ?? `status ${status}`}: ${errorText}`,
    });
  }
  return result;
}

function readLine(line, result) {
  const [kind, first = '', ...rest] = line.split('\t');
  if (options.verbose) process.stderr.write(`  ${line}\n`);
  if (kind === 'version') result.version = first;
  else if (kind === 'missing') result.missing = first;
  else if (kind === 'passed') result.passed.push(first);
  else if (kind === 'failed') result.failed.push({ operation: first, reason: rest.join(' ') });
  else if (kind === 'absent') result.absent.push({ operation: first, reason: rest.join(' ') });
}

function table(results) {
  const tried = results.filter(({ missing }) => !missing);
  const rows = [
    ['client', 'version', 'passed', 'failed', 'not offered'],
    ...tried.map(({ name, version, passed, failed, absent }) => [
      name,
      version,
      String(passed.length),
      String(failed.length),
      String(absent.length),
    ]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  const lacking = tried.filter(({ absent }) => absent.length > 0);
  if (lacking.length > 0) lines.push('', 'Operations that a client does not offer:');
  for (const { name, absent } of lacking) {
    lines.push(`  ${name}: ${absent.map(({ operation }) => operation).join(', ')}`);
  }
  for (const { name, failed } of tried) {
    for (const { operation, reason } of failed) lines.push('', `FAILED: ${name}, ${operation}: ${reason}`);
  }
  const skipped = results.filter(({ missing }) => missing);
  if (skipped.length > 0) lines.push('', 'Not on this machine:');
  for (const { name, missing } of skipped) lines.push(`  ${name}: ${missing}`);
  return `${lines.join('\n')}\n`;
}
