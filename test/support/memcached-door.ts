import { inspect } from 'node:util';
import { onTestFinished } from 'vitest';
import type { Credentials } from '../../src/auth/credentials.ts';
import type { TokenBook } from '../../src/auth/token-book.ts';
import type { CommitGate } from '../../src/engine/commit-gate.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { Store } from '../../src/engine/store.ts';
import { FailedSignIns, type SignInLimits } from '../../src/limits/failed-sign-ins.ts';
import { RequestRates } from '../../src/limits/request-rate.ts';
import { type ListenerLimits, MemcachedListener } from '../../src/memcached/listener.ts';
import { RequestMeter } from '../../src/metrics/request-meter.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { type TestClock, testClock } from './clock.ts';
import { bookOf, PROJECT, SIGN_IN_LIMITS, TOKEN, TWO_PROJECTS } from './credentials.ts';
import { MemcachedClient } from './memcached-client.ts';
import { overhear } from './overheard.ts';

export { OTHER_PROJECT, OTHER_TOKEN, PROJECT, TOKEN } from './credentials.ts';

interface Tenant {
  readonly token?: string;
  readonly project?: string;
  readonly cache?: string;
}

export interface DoorOptions {
  readonly limits?: Partial<ListenerLimits>;
  readonly credentials?: Credentials;
  readonly clock?: TestClock;
  readonly bytesMax?: number;
  readonly cachesMax?: number;
  readonly valueBytesMax?: number;
  readonly signInLimits?: Partial<SignInLimits>;
  readonly requestsPerSecond?: number;
  readonly store?: 'arena' | 'lru-cache';
  readonly slowMs?: number;
  readonly commitGate?: CommitGate;
  /** Puts something around the store. */
  readonly around?: (store: Store) => Store;
}

interface LoggedLine {
  readonly level: 'debug' | 'warn' | 'error';
  readonly details: object;
  readonly message: string;
}

/** A memcached listener on a free port, over a store of its own, with two projects. */
export interface Door {
  readonly port: number;
  readonly clock: TestClock;
  readonly engine: Engine;
  /** Warnings and errors. */
  readonly logged: LoggedLine[];
  readonly debugged: LoggedLine[];
  readonly requests: RequestMeter;
  readonly listener: MemcachedListener;
  readonly tokens: TokenBook;
  /** A connection that has not signed in. */
  connect(options?: { allowHalfOpen?: boolean }): Promise<MemcachedClient>;
  /** A connection that has signed in, to `first-cache` of the first project unless told otherwise. */
  signedIn(tenant?: Tenant): Promise<MemcachedClient>;
  close(): Promise<void>;
}

const LIMITS: ListenerLimits = {
  connections: { max: 10_000, perAddressMax: 0 },
  idleTimeoutMs: 0,
  stallTimeoutMs: 60_000,
  handshakeTimeoutMs: 10_000,
  requestTimeoutMs: 0,
  signInTimeoutMs: 0,
  lineBytesMax: 64 * 1024,
  unansweredBytesMax: 1024 * 1024,
  signInFailuresMax: 10,
};

/** A door that is closed when the test that asked for it is over. */
export async function testDoor(options: DoorOptions = {}): Promise<Door> {
  const door = await openDoor(options);
  onTestFinished(() => door.close());
  return door;
}

export async function openDoor(options: DoorOptions = {}): Promise<Door> {
  const { clock = testClock(), bytesMax = 256 * 1024 * 1024, cachesMax = 1000, slowMs = 0 } = options;
  const storeOptions = { bytesMax, cachesMax, now: clock.now };
  const store = options.store === 'arena' ? new ArenaStore(storeOptions) : new LruCacheStore(storeOptions);
  const engineLimits = { valueBytesMax: options.valueBytesMax ?? 1_048_576, defaultExpiresInSeconds: 0 };
  const engine = new Engine(options.around?.(store) ?? store, engineLimits, clock);
  const logged: LoggedLine[] = [];
  const tokens = bookOf(options.credentials ?? TWO_PROJECTS, clock.now);
  const debugged: LoggedLine[] = [];
  const log = {
    debug: (details: object, message: string) => note(debugged, { level: 'debug', details, message }),
    warn: (details: object, message: string) => note(logged, { level: 'warn', details, message }),
    error: (details: object, message: string) => note(logged, { level: 'error', details, message }),
  };
  const requests = new RequestMeter('memcached');
  const listener = new MemcachedListener({
    engine,
    moment: clock,
    tokens,
    signIns: new FailedSignIns({ ...SIGN_IN_LIMITS, ...options.signInLimits }, clock.now, log),
    rates: new RequestRates(options.requestsPerSecond ?? 0, clock.now),
    limits: { ...LIMITS, ...options.limits },
    version: '1.2.3',
    memoryBytesMax: bytesMax,
    log,
    requests,
    slowMs,
    commitGate: options.commitGate,
  });
  const port = await listener.listen({ host: '127.0.0.1', port: 0 });
  const clients: MemcachedClient[] = [];
  const connect: Door['connect'] = async (connectOptions) => {
    const client = await MemcachedClient.connect(port, connectOptions);
    clients.push(client);
    return client;
  };
  return {
    port,
    clock,
    engine,
    logged,
    debugged,
    requests,
    listener,
    tokens,
    connect,
    signedIn: async (tenant) => signIn(await connect(), tenant),
    close: async () => {
      for (const client of clients) client.destroy();
      await listener.stop(0);
    },
  };
}

function note(lines: LoggedLine[], line: LoggedLine): void {
  overhear('the log', inspect(line, { depth: 10 }));
  lines.push(line);
}

/** IronCache's sign-in: the value of the pseudo-item `oauth`. */
export function claim({ token = TOKEN, project = PROJECT, cache = 'first-cache' }: Tenant = {}): string {
  return `${token} ${project} ${Buffer.from(cache, 'utf8').toString('latin1')}`;
}

/** The command that signs in. */
export function signInCommand(tenant?: Tenant): string {
  const value = claim(tenant);
  return `set oauth 0 0 ${value.length}\r\n${value}\r\n`;
}

async function signIn(client: MemcachedClient, tenant?: Tenant): Promise<MemcachedClient> {
  const answer = await client.ask(signInCommand(tenant));
  if (answer !== 'STORED\r\n') throw new Error(`sign-in failed: ${answer}`);
  return client;
}
