// What the Node clients' programs share: where the service is, and the lines that run.mjs reads.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const { env } = process;
export const host = env.CLIENT_HOST;
export const memcachedPort = Number(env.CLIENT_MEMCACHED_PORT);
export const boundPort = Number(env.CLIENT_BOUND_PORT);
export const httpPort = Number(env.CLIENT_HTTP_PORT);
export const project = env.CLIENT_PROJECT;
export const token = env.CLIENT_TOKEN;
export const cache = env.CLIENT_CACHE;
export const sources = env.CLIENT_SOURCES;

export const signIn = `${token} ${project} ${cache}`;
export const wrongSignIn = `wrong-token ${project} ${cache}`;
export const allBytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
export const large = Buffer.alloc(900 * 1024, allBytes);
export const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`many-${i}`, `value ${i}`]));

/** A package of this project, or of --sources; ends the program where neither has it. */
export function load(name) {
  for (const from of [import.meta.url, ...(sources ? [join(sources, 'node_modules', 'any.js')] : [])]) {
    try {
      const require = createRequire(from);
      const loaded = require(name);
      say('version', versionOf(require, name));
      return loaded;
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  say('missing', `the npm package ${name}`);
  process.exit(0);
}

function versionOf(require, name) {
  try {
    return require(join(name.replace(/^([\w-]+)\/.*/, '$1'), 'package.json')).version;
  } catch {
    return 'unknown';
  }
}

export function say(...words) {
  process.stdout.write(`${words.map((word) => String(word).replaceAll(/\s+/g, ' ')).join('\t')}\n`);
}

/** Runs a function and says how that went. */
export async function operation(name, run) {
  try {
    await run();
    say('passed', name);
  } catch (error) {
    say('failed', name, `${error?.name}: ${error?.message ?? error}`.slice(0, 300));
  }
}

export function absent(name, reason = '') {
  say('absent', name, reason);
}

export const same = assert.deepEqual;

/** Calls a method with a callback as its last argument. */
export function call(client, method, ...args) {
  return promisify(client[method]).apply(client, args);
}

/** The item's bytes, as the other door has them. */
export async function byRest(key) {
  const path = `/1/projects/${project}/caches/${encodeURIComponent(cache)}/items/${encodeURIComponent(key)}`;
  const headers = { authorization: `OAuth ${token}`, accept: 'application/octet-stream' };
  const response = await fetch(`http://${host}:${httpPort}${path}`, { headers });
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}
