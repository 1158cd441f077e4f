import { type Effect, type FoundItem, type ItemState, Ledger } from './ledger.ts';
import { LineClient } from './line-client.ts';
import { PROJECT, TOKEN } from './server-process.ts';

const VALUE_KEYS = names('v', 30);
const COUNTER_KEYS = names('n', 5);
const SHORT_KEYS = names('e', 5);

/** Every version that a client was told of: none may be given to another. */
export type GivenVersions = Set<string>;

export async function signedIn(port: number, cache: string): Promise<LineClient> {
  const client = await LineClient.open(port);
  const claim = `${TOKEN} ${PROJECT} ${cache}`;
  const answer = await client.ask(`set oauth 0 0 ${claim.length}\r\n${claim}\r\n`);
  if (answer !== 'STORED') throw new Error(`sign-in: ${answer}`);
  return client;
}

/** Changes one cache by memcached's protocol, one operation after the other, and notes what it was told. */
export class MemcachedWriter {
  readonly ledger = new Ledger([...VALUE_KEYS, ...COUNTER_KEYS, ...SHORT_KEYS]);
  readonly cache: string;
  readonly #random: (below: number) => number;
  readonly #given: GivenVersions;
  #count = 0;

  constructor(cache: string, random: (below: number) => number, given: GivenVersions) {
    this.cache = cache;
    this.#random = random;
    this.#given = given;
  }

  /** Until the server is gone. */
  async run(port: number): Promise<never> {
    const client = await signedIn(port, this.cache);
    for (;;) await this.#operate(client);
  }

  async #operate(client: LineClient): Promise<void> {
    const dice = this.#random(100);
    const key = this.#oneOf(VALUE_KEYS);
    const state = this.ledger.state.get(key);
    if (dice < 30) await this.#set(client, key, 'MS', this.#value());
    else if (dice < 35) await this.#set(client, key, 'ME', this.#value(), !state);
    else if (dice < 40) await this.#set(client, key, 'MR', this.#value(), state !== undefined);
    else if (dice < 50) await this.#join(client, key, dice < 45 ? 'MA' : 'MP', state);
    else if (dice < 58) await this.#delete(client, key, state);
    else if (dice < 72) await this.#increment(client, this.#oneOf(COUNTER_KEYS));
    else if (dice < 80) await this.#touch(client, key, state);
    else if (dice < 88) await this.#compareAndSwap(client, key, state);
    else if (dice < 92) await this.#invalidate(client, key, state);
    else if (dice < 99) await this.#setShort(client, this.#oneOf(SHORT_KEYS));
    else await this.#clear(client);
  }

  async #set(client: LineClient, key: string, mode: string, value: string, succeeds = true): Promise<void> {
    const ttl = this.#random(2) ? 100 + this.#random(1000) : 0;
    const flags = this.#random(2) ? this.#random(2 ** 32) : 0;
    const item = { value, flags, cas: undefined, expiresAt: deadline(ttl), stale: false };
    this.ledger.begin(`set ${mode} ${key}`, succeeds ? one(key, item) : NOTHING);
    const command = `ms ${key} ${value.length} ${mode === 'MS' ? '' : `M${mode[1]} `}T${ttl} F${flags} c\r\n`;
    const answer = await client.ask(`${command}${value}\r\n`);
    this.#conclude(answer, succeeds ? /^HD c(\d+)$/ : /^NS/, key, item);
  }

  async #join(client: LineClient, key: string, mode: 'MA' | 'MP', state: ItemState | undefined) {
    const addition = `<${this.#count++}>`;
    const joined = mode === 'MA' ? (state?.value ?? '') + addition : addition + (state?.value ?? '');
    const item = state && { ...state, value: joined, cas: undefined, stale: false };
    this.ledger.begin(`join ${mode} ${key}`, item ? one(key, item) : NOTHING);
    const answer = await client.ask(`ms ${key} ${addition.length} M${mode[1]} c\r\n${addition}\r\n`);
    this.#conclude(answer, item ? /^HD c(\d+)$/ : /^NS/, key, item);
  }

  async #delete(client: LineClient, key: string, state: ItemState | undefined): Promise<void> {
    this.ledger.begin(`delete ${key}`, one(key, undefined));
    expectAnswer(await client.ask(`md ${key}\r\n`), state ? /^HD$/ : /^NF$/, `delete ${key}`);
    this.ledger.acknowledge();
  }

  async #increment(client: LineClient, key: string): Promise<void> {
    const state = this.ledger.state.get(key);
    if (!state) return this.#set(client, key, 'MS', String(this.#random(1000)));
    const value = String(BigInt(state.value) + 7n);
    const item = { ...state, value, cas: undefined };
    this.ledger.begin(`increment ${key}`, one(key, item));
    const answer = await client.ask(`ma ${key} D7 v c\r\n`);
    expectAnswer(await client.line(), new RegExp(`^${value}$`), `increment ${key}`);
    this.#conclude(answer, /^VA \d+ c(\d+)$/, key, item);
  }

  async #touch(client: LineClient, key: string, state: ItemState | undefined): Promise<void> {
    const ttl = this.#random(2) ? 100 + this.#random(1000) : 0;
    this.ledger.begin(
      `touch ${key} ${ttl}`,
      state ? one(key, { ...state, expiresAt: deadline(ttl) }) : NOTHING,
    );
    expectAnswer(
      await client.ask(`touch ${key} ${ttl}\r\n`),
      state ? /^TOUCHED$/ : /^NOT_FOUND$/,
      `touch ${key}`,
    );
    this.ledger.acknowledge();
  }

  async #compareAndSwap(client: LineClient, key: string, state: ItemState | undefined): Promise<void> {
    if (state?.cas === undefined) return;
    const isRight = this.#random(2) === 0;
    const value = this.#value();
    const item = { value, flags: 0, cas: undefined, expiresAt: Number.POSITIVE_INFINITY, stale: false };
    this.ledger.begin(`cas ${key} ${isRight}`, isRight ? one(key, item) : NOTHING);
    const cas = isRight ? state.cas : String(BigInt(state.cas) + 1n);
    const answer = await client.ask(`ms ${key} ${value.length} C${cas} c\r\n${value}\r\n`);
    this.#conclude(answer, isRight ? /^HD c(\d+)$/ : /^EX/, key, item);
  }

  async #invalidate(client: LineClient, key: string, state: ItemState | undefined): Promise<void> {
    const item = state && { ...state, stale: true, cas: undefined, expiresAt: deadline(500) };
    this.ledger.begin(`invalidate ${key}`, item ? one(key, item) : NOTHING);
    expectAnswer(await client.ask(`md ${key} I T500\r\n`), state ? /^HD$/ : /^NF$/, `invalidate ${key}`);
    this.ledger.acknowledge();
  }

  async #setShort(client: LineClient, key: string): Promise<void> {
    const ttl = 1 + this.#random(2);
    const item = { value: this.#value(), flags: 0, cas: undefined, expiresAt: deadline(ttl), stale: false };
    this.ledger.begin(`set for ${ttl} s ${key}`, one(key, item));
    const answer = await client.ask(`ms ${key} ${item.value.length} T${ttl} c\r\n${item.value}\r\n`);
    this.#conclude(answer, /^HD c(\d+)$/, key, item);
  }

  async #clear(client: LineClient): Promise<void> {
    this.ledger.begin('clear', 'clear');
    expectAnswer(await client.ask('flush_all\r\n'), /^OK$/, 'flush_all');
    this.ledger.acknowledge();
  }

  // The answer as it must be; with the number of the new version, if there is one.
  #conclude(answer: string, pattern: RegExp, key: string, item: ItemState | undefined): void {
    const [, cas] = expectAnswer(answer, pattern, key);
    if (cas === undefined || !item) {
      this.ledger.acknowledge();
      return;
    }
    if (this.#given.has(cas)) throw new Error(`the version ${cas} was given before`);
    this.#given.add(cas);
    this.ledger.acknowledge(one(key, { ...item, cas }));
  }

  #value(): string {
    const length = this.#random(40) === 0 ? 100_000 + this.#random(400_000) : this.#random(300);
    return `${this.cache} ${this.#count++} ${'x'.repeat(length)}`;
  }

  #oneOf(keys: readonly string[]): string {
    return keys[this.#random(keys.length)] as string;
  }
}

/** What a cache holds, key by key. */
export async function readCache(
  client: LineClient,
  keys: readonly string[],
): Promise<Map<string, FoundItem>> {
  const found = new Map<string, FoundItem>();
  for (const key of keys) {
    const answer = await client.ask(`mg ${key} v f t c\r\n`);
    if (answer === 'EN') continue;
    const [, length, flags, ttl, cas, marks = ''] =
      /^VA (\d+) f(\d+) t(-?\d+) c(\d+)((?: [WXZ])*)$/.exec(answer) ?? [];
    if (cas === undefined) throw new Error(`mg ${key}: ${answer}`);
    const value = (await client.bytes(Number(length) + 2)).slice(0, -2);
    found.set(key, { value, flags: Number(flags), ttl: Number(ttl), cas, stale: marks.includes('X') });
  }
  return found;
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

const NOTHING: Effect = new Map();

function one(key: string, item: ItemState | undefined): Effect {
  return new Map([[key, item]]);
}

function deadline(ttl: number): number {
  return ttl === 0 ? Number.POSITIVE_INFINITY : Date.now() + ttl * 1000;
}

function expectAnswer(answer: string, pattern: RegExp, what: string): RegExpExecArray {
  const match = pattern.exec(answer);
  if (!match) throw new Error(`${what} was answered ${answer}, and not ${pattern}`);
  return match;
}
