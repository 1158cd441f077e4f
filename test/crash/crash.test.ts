import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { randomNumbers } from '../support/random.ts';
import { temporaryDirectory } from '../support/service.ts';
import { Gone, type LineClient } from './line-client.ts';
import { type GivenVersions, MemcachedWriter, readCache, signedIn } from './memcached-writer.ts';
import { RestWriter } from './rest-writer.ts';
import { ServerProcess } from './server-process.ts';

// `npm run crash` has more of them.
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 4);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);

// What a process that is killed may lose by `everysec` and `no`, and what a busy machine adds.
const LOST_MS_MAX = 1_000;

const modes = {
  'log, always': { durability: 'log', fsync: 'always' },
  'log, everysec': { durability: 'log', fsync: 'everysec' },
  'log, no': { durability: 'log', fsync: 'no' },
  snapshot: { durability: 'snapshot', fsync: 'everysec' },
} as const;

type Mode = (typeof modes)[keyof typeof modes];

/** Four clients of memcached, one of REST, one that only looks; and a server that is killed again and again. */
class CrashTest {
  readonly #mode: Mode;
  readonly #random: (below: number) => number;
  readonly #dataDir = temporaryDirectory();
  readonly #given: GivenVersions = new Set();
  readonly #writers: MemcachedWriter[];
  readonly #rest: RestWriter;
  #server: ServerProcess | undefined;

  constructor(mode: Mode, seed: number) {
    this.#mode = mode;
    this.#random = randomNumbers(seed);
    const names = ['c0', 'c1', 'c2', 'c3'];
    this.#writers = names.map((name) => new MemcachedWriter(name, this.#random, this.#given));
    this.#rest = new RestWriter('rest', this.#random);
  }

  /** Answers how many operations were acknowledged in each round. */
  async run(rounds: number): Promise<number[]> {
    const acknowledged: number[] = [];
    try {
      for (let round = 0; round < rounds; round++) acknowledged.push(await this.#round());
      await this.#start();
      await this.#server?.end('SIGTERM');
    } finally {
      await this.#server?.end('SIGKILL');
    }
    rmSync(this.#dataDir, { recursive: true });
    return acknowledged;
  }

  async #round(): Promise<number> {
    const ports = await this.#start();
    const clients = [
      ...this.#writers.map((writer) => writer.run(ports.memcachedPort)),
      this.#rest.run(ports.httpPort),
      this.#look(ports.memcachedPort),
    ].map(untilGone);
    await delay(30 + this.#random(1_200));
    const signal = this.#random(6) === 0 ? 'SIGTERM' : 'SIGKILL';
    const killedAt = Date.now();
    await this.#server?.end(signal);
    await Promise.all(clients);
    const keptBefore = this.#keptBefore(signal, killedAt);
    const acknowledged = this.#ledgers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    await this.#killWhileItStarts();
    await this.#check(keptBefore);
    return acknowledged;
  }

  get #ledgers() {
    return [...this.#writers, this.#rest].map(({ ledger }) => ledger);
  }

  async #start() {
    const { durability, fsync } = this.#mode;
    this.#server = new ServerProcess(this.#dataDir, {
      IRONCACHED_DURABILITY: durability,
      IRONCACHED_FSYNC: fsync,
      IRONCACHED_SNAPSHOT_INTERVAL: '1',
      // As small as may be, so that the files are written anew all the time.
      IRONCACHED_LOG_COMPACTION_MIN: '64kb',
    });
    return this.#server.ready();
  }

  // What was acknowledged before must be there.
  #keptBefore(signal: string, killedAt: number): number {
    const { durability, fsync } = this.#mode;
    if (signal === 'SIGTERM' || (durability === 'log' && fsync === 'always')) return Number.POSITIVE_INFINITY;
    if (durability === 'log') return killedAt - LOST_MS_MAX;
    const [saved] = this.#server?.logged('all items are saved').slice(-1) ?? [];
    return saved ? Number(saved['time']) - Number(saved['seconds']) * 1000 : 0;
  }

  async #killWhileItStarts(): Promise<void> {
    while (this.#random(4) === 0) {
      const server = new ServerProcess(this.#dataDir, {
        IRONCACHED_DURABILITY: this.#mode.durability,
        IRONCACHED_FSYNC: this.#mode.fsync,
      });
      await delay(this.#random(900));
      await server.end('SIGKILL');
    }
  }

  async #check(keptBefore: number): Promise<void> {
    const { memcachedPort } = await this.#start();
    const warnings = this.#server?.output.match(/.*"level":[45]0.*/g) ?? [];
    expect(warnings.filter((line) => !/a crash/.test(line))).toEqual([]);
    for (const { cache, ledger } of [...this.#writers, this.#rest]) {
      const client = await signedIn(memcachedPort, cache);
      const now = Date.now();
      const found = await readCache(client, ledger.keys);
      expect(await strangers(client, ledger.keys)).toEqual([]);
      client.close();
      try {
        ledger.settle(found, { keptBefore, now });
      } catch (error) {
        throw new Error(`${cache}: ${error instanceof Error ? error.message : error}`);
      }
    }
    await this.#server?.end('SIGKILL');
  }

  // No answer, of a read either, may tell what is lost afterwards.
  async #look(port: number): Promise<never> {
    const writer = this.#writers[0] as MemcachedWriter;
    const client = await signedIn(port, writer.cache);
    const isTold = this.#mode.durability === 'log' && this.#mode.fsync === 'always';
    for (;;) {
      const key = writer.ledger.keys[this.#random(writer.ledger.keys.length)] as string;
      const [, cas] = /^HD c(\d+)/.exec(await client.ask(`mg ${key} c\r\n`)) ?? [];
      if (cas !== undefined && isTold) writer.ledger.seen(key, cas);
    }
  }
}

async function untilGone(client: Promise<never>): Promise<void> {
  try {
    await client;
  } catch (error) {
    if (!(error instanceof Gone)) throw error;
  }
}

async function strangers(client: LineClient, keys: readonly string[]): Promise<string[]> {
  const dump = await client.ask('lru_crawler metadump all\r\n');
  const lines = dump.split('\n').filter((line) => line !== 'END');
  const known = keys.map((key) => `key=${encodeURIComponent(Buffer.from(key, 'latin1').toString())} `);
  return lines.filter((line) => !known.some((start) => line.startsWith(start)));
}

test.each(Object.entries(modes))(
  `a server that is killed at any moment keeps what it promised: %s (seed ${SEED})`,
  { timeout: 60_000 + ROUNDS * 20_000 },
  async (_name, mode) => {
    const acknowledged = await new CrashTest(mode, SEED).run(ROUNDS);
    expect(acknowledged).toHaveLength(ROUNDS);
    // Else it would have tested nothing.
    expect(Math.max(...acknowledged)).toBeGreaterThan(20);
  },
);
