import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from './support/free-port.ts';
import { PROJECT, startService, TOKEN, temporaryDirectory } from './support/service.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

const RESTARTS = 3;

// How many writes of each client are to be acknowledged between two restarts.
const WRITES = 50;

/** Writes one number after the other under a key, again until each is acknowledged, and reads it back. */
class Writer {
  acknowledged = 0;
  readonly #store: (value: number) => Promise<boolean>;
  readonly #load: () => Promise<number | undefined>;

  /** `store`: was it acknowledged? `load`: what is there; undefined: no answer. */
  constructor(store: (value: number) => Promise<boolean>, load: () => Promise<number | undefined>) {
    this.#store = store;
    this.#load = load;
  }

  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const next = this.acknowledged + 1;
      while (!(await this.#store(next))) await delay(5);
      this.acknowledged = next;
      const found = await this.#load();
      if (found !== undefined) expect(found).toBe(next);
    }
  }
}

function restWriter(port: number, key: string): Writer {
  const url = `http://127.0.0.1:${port}/1/projects/${PROJECT}/caches/c/items/${key}`;
  const headers = { authorization: `OAuth ${TOKEN}` };
  const ask = async (method: string, body?: string) => {
    const answer = await fetch(url, { method, headers, ...(body ? { body } : {}) }).catch(() => undefined);
    // A service that stops or restores its items says so.
    if (answer?.status === 503) return undefined;
    if (answer) expect(answer.status).toBe(200);
    return answer?.json().catch(() => undefined) as Promise<{ value?: number } | undefined>;
  };
  return new Writer(
    async (value) => (await ask('PUT', JSON.stringify({ value }))) !== undefined,
    async () => (await ask('GET'))?.value,
  );
}

function memcachedWriter(port: number, key: string): Writer {
  let client: TextClient | undefined;
  const ask = async (command: string, end: string) => {
    client ??= await signedIn(port);
    const answer = (await client?.ask(command, end)) ?? '';
    if (answer.endsWith(end)) return answer;
    // The connection ended within the answer, or before it.
    client?.socket.destroy();
    client = undefined;
    return undefined;
  };
  return new Writer(
    async (value) => {
      const answer = await ask(`set ${key} 0 0 ${`${value}`.length}\r\n${value}\r\n`, '\r\n');
      if (answer !== undefined) expect(answer).toBe('STORED\r\n');
      return answer !== undefined;
    },
    async () => {
      const answer = await ask(`get ${key}\r\n`, 'END\r\n');
      return answer === undefined ? undefined : Number(/\r\n(\d+)\r\n/.exec(answer)?.[1]);
    },
  );
}

async function signedIn(port: number): Promise<TextClient | undefined> {
  try {
    const client = await textClient(port);
    return (await client.ask(signIn(TOKEN, PROJECT, 'c'))) === 'STORED\r\n' ? client : undefined;
  } catch {
    return undefined;
  }
}

test.each([
  ['log', 'everysec'],
  ['log', 'no'],
  ['snapshot', 'everysec'],
])(
  'a restart under load with %s (%s) loses nothing, and no client that tries again sees anything wrong',
  async (durability, fsync) => {
    const dataDir = temporaryDirectory();
    const [httpPort, memcachedPort] = [await freePort(), await freePort()];
    const ports = ['--http-port', `${httpPort}`, '--memcached-port', `${memcachedPort}`];
    const flags = [...ports, '--durability', durability, '--fsync', fsync];
    let running = await startService(flags, { dataDir });
    const writers = [0, 1, 2].flatMap((i) => [
      restWriter(httpPort, `rest-${i}`),
      memcachedWriter(memcachedPort, `memcached-${i}`),
    ]);
    let isOver = false;
    onTestFinished(() => {
      isOver = true;
    });
    const writing = Promise.all(writers.map((writer) => writer.run(() => isOver)));
    const written = async (count: number) => {
      while (writers.some(({ acknowledged }) => acknowledged < count))
        await Promise.race([delay(5), writing]);
    };
    for (let restart = 1; restart <= RESTARTS; restart++) {
      await written(restart * WRITES);
      await running.service.stop();
      running = await startService(flags, { dataDir });
    }
    await written((RESTARTS + 1) * WRITES);
    isOver = true;
    await writing;
    expect(await running.service.engine.totals()).toMatchObject({ items: writers.length });
  },
);
