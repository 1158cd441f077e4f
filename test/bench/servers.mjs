import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pinned } from './machine.mjs';

const READY_TIMEOUT_MS = 15_000;
const MEMORY_LIMIT_MIB = 512;

/** What the Dockerfile sets; others and older C libraries take no notice of it. */
const LARGE_PAGES = 'glibc.malloc.hugetlb=1';

/**
 * @typedef {object} Server
 * @property {number} pid
 * @property {number[]} [pids] of all its processes, where there are several
 * @property {number} port by memcached's protocol, or the only one there is
 * @property {number} httpPort
 * @property {string | undefined} auth "TOKEN PROJECT CACHE", what signs a memcached client in
 * @property {string[]} [accounts] the same of many tenants, for connections to take in turn
 * @property {string} projectId
 * @property {string} token
 * @property {number} readyMs from its start until it was ready
 * @property {() => Promise<void>} stop
 */

/**
 * @typedef {object} ServiceOptions
 * @property {number} [memoryLimitMib]
 * @property {number} [tenants] how many projects there are, each with a token of its own
 * @property {string} [node] the program that runs it
 * @property {URL} [preload] a script that is loaded into it
 * @property {Record<string, string>} [environment] further settings
 */

/**
 * The service itself, as its image runs it: default settings, default logging.
 * @param {string} store
 * @param {ServiceOptions} [options]
 * @returns {Promise<Server>}
 */
export async function startIroncached(
  store,
  { memoryLimitMib = MEMORY_LIMIT_MIB, tenants = 1, node, preload, environment: extra } = {},
) {
  const accounts = Array.from({ length: tenants }, () => ({
    project: randomBytes(12).toString('hex'),
    token: randomBytes(20).toString('base64url'),
  }));
  const [{ project: projectId, token } = { project: '', token: '' }] = accounts;
  const { line, ...server } = await startNode(
    [
      ...(preload ? ['--import', preload.href] : []),
      fileURLToPath(new URL('../../dist/main.js', import.meta.url)),
    ],
    {
      ...environment(),
      ...extra,
      IRONCACHED_HTTP_PORT: '0',
      IRONCACHED_MEMCACHED_PORT: '0',
      ...(tenants === 1
        ? { IRONCACHED_PROJECT_ID: projectId, IRONCACHED_TOKEN: token }
        : { IRONCACHED_CREDENTIALS_FILE: writeCredentials(accounts) }),
      IRONCACHED_STORE: store,
      IRONCACHED_MEMORY_LIMIT: `${memoryLimitMib}mb`,
    },
    node,
  );
  const { httpPort, memcachedPort } = line;
  const claims = accounts.map(({ project, token }) => `${token} ${project} bench`);
  return { ...server, port: memcachedPort, httpPort, projectId, token, auth: claims[0], accounts: claims };
}

/** @param {{ project: string, token: string }[]} accounts @returns {string} the file */
function writeCredentials(accounts) {
  const projects = accounts.map(({ project }, i) => ({ id: project, name: `tenant ${i}` }));
  const tokens = accounts.map(({ project, token }, i) => ({
    name: `tenant ${i}`,
    token,
    projects: [project],
  }));
  return fileOf('tenants', 'credentials.json', JSON.stringify({ version: 2, projects, tokens }));
}

/** A file for a server, which is removed in the end. @param {string} what @param {string} name @param {string | Buffer} content */
function fileOf(what, name, content) {
  const directory = mkdtempSync(join(tmpdir(), `ironcached-${what}-`));
  directories.push(directory);
  const file = join(directory, name);
  writeFileSync(file, content, { mode: 0o600 });
  return file;
}

/** memcached with one worker thread and as much memory. */
export async function startMemcached({ memoryLimitMib = MEMORY_LIMIT_MIB, connections = 4096 } = {}) {
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const limits = ['-m', memoryLimitMib, '-c', connections];
  const args = ['-l', '127.0.0.1', '-p', port, '-U', 0, '-t', 1, ...limits, ...user];
  const started = performance.now();
  const server = launch(['memcached', ...args.map(String)], environment());
  await untilOpen(port);
  return { ...server, ...noAccount, port, readyMs: performance.now() - started };
}

/** It knows how long a request is, and always replies the same. @param {Buffer} request @param {Buffer} reply */
export async function startLimitServer(request, reply) {
  const file = fileOf('limit', 'reply', reply);
  return startScript('limit-server.mjs', [String(request.length), file], {});
}

/** It keeps so many items at most, with values of at most so many bytes. @param {number} items @param {number} valueBytes */
export async function startBareCache(items, valueBytes) {
  return startScript('bare-cache.mjs', [String(items), String(valueBytes)], {});
}

/** How webdis may be set. @type {Record<string, Record<string, number>>} */
const WEBDIS_SETTINGS = {
  // As in the configuration that comes with it.
  shipped: { threads: 5, pool_size: 20 },
  // For one core: one thread, with the two connections to redis that it takes by itself; nothing quicker was found.
  tuned: { threads: 1 },
};

/**
 * webdis, which speaks HTTP, before redis, which keeps the items: the other cache with a REST interface. Both on
 * the server's core.
 * @param {string} settings shipped or tuned
 * @returns {Promise<Server>}
 */
export async function startWebdis(settings) {
  const started = performance.now();
  const [redisPort, port] = [await freePort(), await freePort()];
  const directory = mkdtempSync(join(tmpdir(), 'ironcached-webdis-'));
  const redisOptions = ['--port', redisPort, '--bind', '127.0.0.1', '--dir', directory, '--save', ''];
  const redis = launch(['redis-server', ...redisOptions.map(String), '--loglevel', 'warning'], environment());
  await untilOpen(redisPort);
  const file = join(directory, 'webdis.json');
  const listening = {
    redis_host: '127.0.0.1',
    redis_port: redisPort,
    http_host: '127.0.0.1',
    http_port: port,
  };
  writeFileSync(
    file,
    JSON.stringify({ ...listening, ...WEBDIS_SETTINGS[settings], logfile: '/dev/null', acl: [] }),
  );
  const webdis = launch(['webdis', file], environment());
  await untilOpen(port);
  const stop = async () => {
    await webdis.stop();
    await redis.stop();
    rmSync(directory, { recursive: true });
  };
  const pids = [webdis.pid, redis.pid];
  const readyMs = performance.now() - started;
  return { ...noAccount, pid: webdis.pid, pids, port, httpPort: port, readyMs, stop };
}

/** @param {string} kind fastify or http @param {{ token: string, answer: string }} like */
export async function startHttpPeer(kind, { token, answer }) {
  return startScript('http-peers.mjs', [kind], { TOKEN: token, ANSWER: answer });
}

const noAccount = { httpPort: 0, auth: undefined, projectId: '', token: '' };

/** @param {string} file @param {string[]} args @param {Record<string, string>} extra @returns {Promise<Server>} */
async function startScript(file, args, extra) {
  const script = fileURLToPath(new URL(file, import.meta.url));
  const { line, ...server } = await startNode([script, ...args], { ...environment(), ...extra });
  return { ...server, ...noAccount, port: line.port, httpPort: line.port };
}

/** @param {string[]} args @param {NodeJS.ProcessEnv} env */
async function startNode(args, env, node = process.execPath) {
  const started = performance.now();
  const { child, ...server } = launch([node, ...args], env);
  const line = await readyLine(child);
  return { ...server, line, readyMs: performance.now() - started };
}

/** @param {string[]} command @param {NodeJS.ProcessEnv} env */
function launch(command, env) {
  const [program, args] = pinned('server', command);
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  running.add(child);
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(timer);
    running.delete(child);
  };
  return { child, pid: child.pid ?? 0, stop };
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** What was made for servers. @type {string[]} */
const directories = [];
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
  process.once(signal, () => process.exit(1));

/**
 * Waits for the JSON line that says where a server listens; what comes after it is read and dropped.
 * @param {import('node:child_process').ChildProcess} child @returns {Promise<any>}
 */
function readyLine(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error('a server did not get ready')), READY_TIMEOUT_MS);
    child.once('exit', (status) => reject(new Error(`a server ended with status ${status}`)));
    child.stdout?.on('data', (chunk) => {
      text = (text + chunk).slice(-65_536);
      const line = text.split('\n').find((candidate) => /"msg":"(ironcached is )?ready"/.test(candidate));
      if (!line) return;
      clearTimeout(timer);
      child.stdout?.removeAllListeners('data').resume();
      resolve(JSON.parse(line));
    });
  });
}

// Settings of this shell must not change what is measured; all servers have large pages, as our image has them.
function environment() {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('IRONCACHED_'));
  return { ...Object.fromEntries(own), GLIBC_TUNABLES: LARGE_PAGES };
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/** @param {number} port */
async function untilOpen(port) {
  for (const end = performance.now() + READY_TIMEOUT_MS; performance.now() < end; ) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`nothing listens on port ${port}`);
}
