import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { settingNames, settings } from '../src/config/settings.ts';
import { freePort } from './support/free-port.ts';
import { HttpSocket } from './support/http-socket.ts';
import { overhear, plant } from './support/overheard.ts';
import { temporaryDirectory } from './support/service.ts';
import { signIn, textClient } from './support/text-client.ts';

// Processes start on machines that do other things, too.
vi.setConfig({ testTimeout: 20_000 });

// The compiled program, as a user runs it; `npm test` has compiled it before.
const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Running {
  readonly child: ChildProcess;
  /** The line that says the service is ready. */
  readonly ready: Record<string, unknown>;
  output(): string;
  /** Resolves with the exit status. */
  readonly exited: Promise<number | null>;
}

async function run(
  dataDir: string,
  env: Record<string, string> = {},
  limit = '',
  flags: readonly string[] = [],
): Promise<Running> {
  const command = [process.execPath, program, '--http-port=0', '--memcached-port', '0', ...flags];
  const child = spawn('sh', ['-c', `${limit && `ulimit ${limit};`} exec "$@"`, 'sh', ...command], {
    env: { PATH: process.env['PATH'], IRONCACHED_DATA_DIR: dataDir, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const ready = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      overhear('standard error', chunk);
      output += chunk;
    });
    child.stdout.on('data', (chunk) => {
      overhear('standard output', chunk);
      output += chunk;
      const line = output.split('\n').find((text) => text.includes('ironcached is ready'));
      if (line) resolve(line);
    });
    child.once('exit', () => reject(new Error(output)));
  });
  return { child, ready: JSON.parse(ready), output: () => output, exited };
}

function runToEnd(args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
}

test('--help names every setting, --version the version', () => {
  const help = runToEnd(['--help']);
  expect(help.status).toBe(0);
  for (const name of settingNames()) expect(help.stdout).toContain(settings[name].variable);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(runToEnd(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n` });
});

test.skipIf(!existsSync('/dev/full'))('output that cannot be written is one line, and exit status 1', () => {
  const full = openSync('/dev/full', 'w');
  for (const args of [['--help'], ['project', 'create', 'x', '--data-dir', temporaryDirectory()]]) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /ironcached: the output cannot be written, but what was asked for is done: ENOSPC.*\n$/,
    );
    expect(stderr).not.toContain(' at ');
  }
  const help = spawnSync(process.execPath, [program, 'dump', '--help'], { stdio: ['ignore', full, 'pipe'] });
  expect(help.status).toBe(1);
  expect(help.stderr.toString()).toMatch(/^ironcached: standard output cannot be written: ENOSPC.*\n$/);
  closeSync(full);
});

test.each(['--help', 'load --help'])('whoever reads no further ends a command quietly: %s', async (line) => {
  const child = spawn(process.execPath, [program, ...line.split(' ')], { stdio: ['ignore', 'pipe', 'pipe'] });
  // It has not begun yet.
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const [status] = await once(child, 'close');
  expect({ status, said }).toEqual({ status: 1, said: '' });
});

test('standard input that is nothing to read is told as such', () => {
  const directory = openSync(temporaryDirectory(), 'r');
  const { status, stderr } = spawnSync(process.execPath, [program, 'load', '--cache', 'c'], {
    stdio: [directory, 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  closeSync(directory);
  expect([status, stderr]).toEqual([
    1,
    'ironcached: there is no dump in it: it is empty, as a dump of no caches is\n',
  ]);
});

test('all mistakes at once, and exit status 2', () => {
  const { status, stderr, stdout } = runToEnd(['--http-port', 'x'], { IRONCACHED_MEMORY_LIMIT: 'much' });
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toBe(
    [
      'ironcached cannot start:',
      '  --http-port: "x" is not accepted; expected a port from 0 to 65535 (0: any free one)',
      '  IRONCACHED_MEMORY_LIMIT: "much" is not accepted; expected auto, or a size from 1mb to 32gb, like 64kb, 512mb or 2gb',
      '',
    ].join('\n'),
  );
});

test('a taken port is one line and exit status 1', async () => {
  const dataDir = temporaryDirectory();
  const { ready } = await run(dataDir);
  const env = { IRONCACHED_DATA_DIR: dataDir, IRONCACHED_HTTP_PORT: '0' };
  const second = runToEnd(['--memcached-port', String(ready['memcachedPort'])], env);
  expect(second.status).toBe(1);
  expect(second.stderr).toMatch(/^ironcached: the memcached listener cannot start: .*\n$/);
});

test.skipIf(process.platform !== 'linux')('a data directory that cannot be made is one line, too', () => {
  // Where it would be was removed.
  const command = `cd "${temporaryDirectory()}" && rmdir "$PWD" && exec "${process.execPath}" "${program}"`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', timeout: 10_000 });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/^ironcached: no credentials: ENOENT: .*, mkdir '.\/data' .*\n$/),
  ]);
});

test.skipIf(totalmem() >= 32 * 2 ** 30)('more memory than the machine has is one line, too', () => {
  const { status, stderr } = runToEnd(['--memory-limit', `${Math.ceil(totalmem() / 2 ** 20) + 1}mb`]);
  expect(stderr).toMatch(/^ironcached: IRONCACHED_MEMORY_LIMIT: \d+ MiB are more than this .*\n$/);
  expect(status).toBe(1);
});

test.skipIf(process.platform !== 'linux')('memory that the machine cannot promise is one line, too', () => {
  // Unconstrained, that is far more than there is.
  const allowed = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const limit = `${Math.floor(Math.min(totalmem(), allowed, 32 * 2 ** 30) / 2 ** 20)}mb`;
  const command = `ulimit -v 3000000; exec "${process.execPath}" "${program}" --memory-limit ${limit} --data-dir "${temporaryDirectory()}"`;
  const { status, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  // Node 24 and later know of such a limit beforehand, and Node 22 complains of it, too.
  expect(stderr).toMatch(
    /^ironcached: IRONCACHED_MEMORY_LIMIT: (this machine cannot promise so much memory: |\d+ MiB are more than this ).*\n/,
  );
  expect(status).not.toBe(0);
});

test('the first start keeps its token in a file for its owner alone, and prints it nowhere', async () => {
  const dataDir = temporaryDirectory();
  const { ready, child, output, exited } = await run(dataDir);
  const path = join(dataDir, 'iron.json');
  const { project_id: project, token } = JSON.parse(readFileSync(path, 'utf8'));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(ready['project']).toBe(project);
  const client = await textClient(Number(ready['memcachedPort']));
  expect(await client.ask(signIn(token, project, 'c'))).toBe('STORED\r\n');
  const url = `http://127.0.0.1:${ready['httpPort']}/1/projects/${project}/caches?oauth=${token}`;
  expect((await fetch(url)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(output()).not.toContain(token);
  expect(readFileSync(join(dataDir, 'credentials.json'), 'utf8')).not.toContain(token);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops in order, with exit status 0', async (signal) => {
  const { ready, child, output, exited } = await run(temporaryDirectory());
  const idle = await textClient(Number(ready['memcachedPort']));
  child.kill(signal);
  expect(await exited).toBe(0);
  expect(await idle.rest()).toBe('');
  expect(output()).toContain('"msg":"stopped"');
});

/** A service that was told to stop, and waits for a request whose body never comes. */
async function runUntilItStops() {
  const service = await run(temporaryDirectory(), { IRONCACHED_STOP_TIMEOUT: '600' });
  const stuck = new HttpSocket(Number(service.ready['httpPort']));
  stuck.write('PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf');
  expect((await stuck.answer()).status).toBe(404);
  service.child.kill('SIGTERM');
  while (!service.output().includes('"msg":"stopping;')) await delay(5);
  return service;
}

test('a second signal ends it at once', async () => {
  const { child, output, exited } = await runUntilItStops();
  child.kill('SIGINT');
  expect(await exited).toBe(1);
  expect(output()).toContain('stopping at once');
});

test('a signal that is passed on at once is the same, and a later one ends it', async () => {
  const { child, output, exited } = await runUntilItStops();
  child.kill('SIGTERM');
  await delay(600);
  expect(output()).not.toContain('stopping at once');
  child.kill('SIGTERM');
  expect(await exited).toBe(1);
  expect(output()).toContain('stopping at once');
});

test.each([
  ['an error', 'throw new TypeError("a bug in a timer")', 'uncaughtException'],
  ['a rejection', 'Promise.reject(new TypeError("a bug in a timer"))', 'unhandledRejection'],
])('%s that nothing catches ends it, with a last line that says where', async (_what, bug, origin) => {
  const faulty = join(temporaryDirectory(), 'faulty.mjs');
  writeFileSync(faulty, `process.on('SIGWINCH', function faultyTimer() { ${bug}; });`);
  const { child, output, exited } = await run(temporaryDirectory(), { NODE_OPTIONS: `--import=${faulty}` });
  child.kill('SIGWINCH');
  expect(await exited).toBe(70);
  const last = JSON.parse(output().trim().split('\n').at(-1) ?? '');
  expect(last).toMatchObject({ level: 60, origin, err: { type: 'TypeError', message: 'a bug in a timer' } });
  expect(last.err.stack).toContain(`at process.faultyTimer (file://${faulty}:1`);
});

test.skipIf(process.platform === 'win32')(
  'without file descriptors for more connections it serves the open ones',
  async () => {
    const { ready, child, output } = await run(temporaryDirectory(), {}, '-n 160');
    const [httpPort, memcachedPort] = [Number(ready['httpPort']), Number(ready['memcachedPort'])];
    const rest = new HttpSocket(httpPort);
    rest.write('GET /version HTTP/1.1\r\n\r\n');
    expect((await rest.answer()).status).toBe(200);
    const member = await textClient(memcachedPort);
    const others = await Promise.all(
      Array.from({ length: 200 }, (_, i) => textClient(i % 2 ? httpPort : memcachedPort)),
    );
    expect(output()).toContain('only 160 files may be open (ulimit -n)');
    // Some are closed as soon as they are made.
    await Promise.race(others.map((client) => client.rest()));
    rest.write('GET /version HTTP/1.1\r\n\r\n');
    expect((await rest.answer()).status).toBe(200);
    expect(await member.ask('mn\r\n')).toBe('MN\r\n');
    for (const { socket } of others) socket.destroy();
    // The service hears of that only later.
    for (let answer = ''; answer !== 'MN\r\n'; )
      answer = await (await textClient(memcachedPort)).ask('mn\r\n');
    expect(child.exitCode).toBe(null);
  },
);

test.skipIf(process.platform === 'win32')(
  'connections leave the file descriptors that the service itself needs, and those beyond are counted',
  async () => {
    const admin = 'an-admin-token-that-none-guesses';
    const { ready, output } = await run(temporaryDirectory(), { IRONCACHED_ADMIN_TOKEN: admin }, '-n 320');
    const [httpPort, memcachedPort] = [Number(ready['httpPort']), Number(ready['memcachedPort'])];
    const rest = new HttpSocket(httpPort);
    const ask = async (request: string, body = '') => {
      const headers = `Host: x\r\nAuthorization: OAuth ${admin}\r\nContent-Length: ${body.length}\r\n`;
      rest.write(`${request} HTTP/1.1\r\n${headers}\r\n${body}`);
      return rest.answer();
    };
    expect((await ask('GET /version')).status).toBe(200);
    const others = await Promise.all(
      Array.from({ length: 400 }, (_, i) => textClient(i % 2 ? httpPort : memcachedPort)),
    );
    await expect.poll(output).toContain('"refusal":"no_file"');
    expect((await ask('GET /docs/json')).status).toBe(200);
    expect((await ask('POST /1/projects', '{"name":"made when it is crowded"}')).status).toBe(200);
    const figures = (await ask('GET /metrics')).body;
    expect(figures).toMatch(/^ironcached_connections_refused_total{door="memcached"} [1-9]/m);
    expect(Number(/^process_open_fds (\d+)/m.exec(figures)?.[1])).toBeLessThan(320);
    for (const { socket } of others) socket.destroy();
    rest.destroy();
  },
);

test('all that it says is lines of its log: this Node knows the flags that it is given', async () => {
  const { ready, child, output, exited } = await run(temporaryDirectory());
  const client = await textClient(Number(ready['memcachedPort']));
  expect(await client.ask('mn\r\n')).toBe('MN\r\n');
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  const others = output()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{"level":'));
  expect(others).toEqual([]);
});

test('SIGHUP is no end', async () => {
  const { ready, child } = await run(temporaryDirectory());
  child.kill('SIGHUP');
  const client = await textClient(Number(ready['memcachedPort']));
  expect(await client.ask('mn\r\n')).toBe('MN\r\n');
});

test.skipIf(process.platform === 'win32')('SIGUSR2 has each request logged, until the next', async () => {
  const { ready, child, output } = await run(temporaryDirectory());
  const ask = (id: string) =>
    fetch(`http://127.0.0.1:${ready['httpPort']}/version`, { headers: { 'x-request-id': id } });
  await ask('before');
  child.kill('SIGUSR2');
  await expect.poll(output).toContain('the log level is debug now');
  await ask('meanwhile');
  child.kill('SIGUSR2');
  await expect.poll(output).toContain('the log level is info now');
  await ask('after');
  expect(output()).toContain('"requestId":"meanwhile"');
  expect(output()).not.toContain('"requestId":"before"');
  expect(output()).not.toContain('"requestId":"after"');
});

const GIVEN = {
  IRONCACHED_PROJECT_ID: '4e71843298b1db3f0d00a001',
  IRONCACHED_TOKEN: plant('planted-token-of-the-project'),
  IRONCACHED_ADMIN_TOKEN: plant('planted-token-of-the-admin'),
  IRONCACHED_METRICS_TOKEN: plant('planted-token-of-the-metrics'),
};

test.skipIf(process.platform === 'win32')('a crash tells what is known of it, but no token', async () => {
  const dataDir = temporaryDirectory();
  const culprit = join(dataDir, 'culprit.mjs');
  writeFileSync(
    culprit,
    `process.on('SIGWINCH', () => {
       throw Object.assign(new Error('GET /1/x?oauth=${GIVEN.IRONCACHED_TOKEN}&a=1 of ${GIVEN.IRONCACHED_ADMIN_TOKEN}'), {
         headers: { authorization: 'OAuth ${GIVEN.IRONCACHED_TOKEN}' },
         metrics: '${GIVEN.IRONCACHED_METRICS_TOKEN}',
       });
     });`,
  );
  const { child, output, exited } = await run(dataDir, { ...GIVEN, NODE_OPTIONS: `--import=${culprit}` });
  child.kill('SIGWINCH');
  expect(await exited).toBe(70);
  expect(output()).toContain('GET /1/x?oauth=***&a=1 of ***');
  expect(output()).toContain('culprit.mjs');
  expect(output()).not.toContain('planted-token');
});

test.skipIf(process.platform === 'win32')(
  'a diagnostic report holds no token that came as a variable',
  async () => {
    const dataDir = temporaryDirectory();
    const report = join(dataDir, 'report.json');
    const options = `--report-on-signal --report-signal=SIGWINCH --report-directory=${dataDir} --report-filename=report.json`;
    const { child } = await run(dataDir, { ...GIVEN, NODE_OPTIONS: options });
    child.kill('SIGWINCH');
    await expect.poll(() => existsSync(report) && readFileSync(report, 'utf8').endsWith('}\n')).toBe(true);
    const text = readFileSync(report, 'utf8');
    expect(text).toContain('IRONCACHED_PROJECT_ID');
    expect(text).not.toContain('planted-token');
  },
);

test.skipIf(process.platform !== 'linux')('a token in a flag is not shown by ps, and warned of', async () => {
  const { child, output } = await run(temporaryDirectory(), {}, '', [
    `--project-id=${GIVEN.IRONCACHED_PROJECT_ID}`,
    `--token=${GIVEN.IRONCACHED_TOKEN}`,
  ]);
  const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
  expect(commandLine).toContain('--token=***');
  expect(commandLine).not.toContain('planted-token');
  expect(output()).toContain('a token was given as a flag');
  expect(output()).not.toContain('planted-token');
});

test.skipIf(process.platform !== 'linux').each([
  ['dump', '--project', GIVEN.IRONCACHED_PROJECT_ID, '--token', GIVEN.IRONCACHED_TOKEN],
  ['token', 'list', `--admin-token=${GIVEN.IRONCACHED_ADMIN_TOKEN}`],
])('nor is one in a flag of a command: %s', async (...command) => {
  // It takes connections, and answers nothing.
  const silent = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void silent.close());
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const env = { PATH: process.env['PATH'], IRONCACHED_DATA_DIR: temporaryDirectory() };
  const child = spawn(process.execPath, [program, ...command, '--server', `http://127.0.0.1:${port}`], {
    env,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(silent, 'connection');
  const commandLine = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
  expect(commandLine).toContain('token');
  expect(commandLine).not.toContain('planted-token');
});

test('projects and tokens are made on the command line, and a signal has the service read them', async () => {
  const dataDir = temporaryDirectory();
  const { ready, child, output } = await run(dataDir);
  const made = runToEnd(['project', 'create', 'web', '--data-dir', dataDir]);
  expect(made.status).toBe(0);
  const { project_id: project, token, port } = JSON.parse(made.stdout);
  expect(port).toBe(ready['httpPort']);
  child.kill('SIGHUP');
  const client = await textClient(Number(ready['memcachedPort']));
  await vi.waitFor(() => expect(output()).toContain('projects and tokens were read anew'), 5_000);
  expect(await client.ask(signIn(token, project, 'c'))).toBe('STORED\r\n');
  expect(runToEnd(['token', 'create']).status).toBe(2);
  expect(output()).not.toContain(token);
});

// Such as one that was closed, which alone does not end the service.
const AS_AT_A_TERMINAL = ['--import', 'data:text/javascript,process.stdout.isTTY = true'];

test.skipIf(!existsSync('/dev/full')).each([
  ['a log', []],
  ['one for people at a terminal', AS_AT_A_TERMINAL],
])('%s that cannot be written stops nobody', async (_log, nodeFlags) => {
  const port = await freePort();
  const full = openSync('/dev/full', 'w');
  const flags = [`--http-port=${port}`, '--memcached-port=0'];
  const child = spawn(process.execPath, [...nodeFlags, program, ...flags], {
    env: {
      PATH: process.env['PATH'],
      IRONCACHED_DATA_DIR: temporaryDirectory(),
      IRONCACHED_LOG_LEVEL: 'debug',
    },
    stdio: ['ignore', full, 'ignore'],
  });
  closeSync(full);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const isLive = async () => (await fetch(`http://127.0.0.1:${port}/health/live`)).status;
  await vi.waitFor(async () => expect(await isLive()).toBe(200), { timeout: 10_000 });
  // Some lines are written by a thread of their own, which tells what failed when the next comes.
  for (let i = 0; i < 20; i++) expect(await isLive()).toBe(200);
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test.skipIf(process.platform === 'win32')(
  'a stop that cannot keep the last changes says so, with status 1',
  async () => {
    const env = { ...GIVEN, IRONCACHED_DURABILITY: 'log' };
    // No file may be larger than a megabyte: half of one where the unit is half as large.
    const { ready, child, output, exited } = await run(temporaryDirectory(), env, '-f 1024');
    const client = await textClient(Number(ready['memcachedPort']));
    await client.ask(signIn(GIVEN.IRONCACHED_TOKEN, GIVEN.IRONCACHED_PROJECT_ID, 'c'));
    const set = `set k 0 0 100000\r\n${'v'.repeat(100_000)}\r\n`;
    while ((await client.ask(set)) === 'STORED\r\n');
    child.kill('SIGTERM');
    expect(await exited).toBe(1);
    expect(output()).toContain('the last changes could not be kept');
  },
);
