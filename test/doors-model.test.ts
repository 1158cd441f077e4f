import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Cas, NEVER, type NewValue } from '../src/engine/item.ts';
import { NaiveEngine, type NaiveItem } from './engine/naive-engine.ts';
import { type TestClock, testClock } from './support/clock.ts';
import { PROJECT, startService, type TestService, TOKEN } from './support/service.ts';
import { signIn, type TextClient, textClient } from './support/text-client.ts';

/*
 * Random requests by both doors of a running service, with jumps in time, beside a model of the engine that
 * is too plain to be wrong. What a door answers must be what its protocol says of what the model answers.
 */

const RUNS = 150;
const REQUESTS_MAX = 40;

type MemcachedRequest =
  | { readonly do: 'get' | 'delete'; readonly key: string }
  | {
      readonly do: 'set' | 'add' | 'replace' | 'append' | 'prepend' | 'cas';
      readonly key: string;
      readonly data: string;
      readonly flags: number;
      readonly exptime: number;
    }
  | { readonly do: 'incr' | 'decr'; readonly key: string; readonly delta: bigint }
  | { readonly do: 'touch'; readonly key: string; readonly exptime: number }
  | { readonly do: 'flush_all'; readonly seconds: number };

type RestRequest =
  | { readonly do: 'GET' | 'DELETE'; readonly key: string }
  | {
      readonly do: 'PUT';
      readonly key: string;
      readonly json: string;
      readonly expiresIn: number | undefined;
      readonly condition: 'add' | 'replace' | 'cas' | undefined;
    }
  | { readonly do: 'increment'; readonly key: string; readonly amount: bigint }
  | { readonly do: 'clear' | 'drop' | 'size' };

type Step =
  | { readonly door: 'memcached'; readonly request: MemcachedRequest }
  | { readonly door: 'rest'; readonly request: RestRequest }
  | { readonly door: 'none'; readonly ms: number };

// Few keys, few numbers and short lives, so that requests meet.
const key = fc.constantFrom('a', 'b', 'c');
const data = fc.constantFrom('', 'v', '5', '10', '007', '-3', '9 ', '18446744073709551615', 'grün');
const exptime = fc.constantFrom(0, 0, 1, 2, 90, -1);
const amount = fc.constantFrom(0n, 1n, 7n, -7n, 2n ** 63n - 1n, -(2n ** 63n));

const memcachedRequest: fc.Arbitrary<MemcachedRequest> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('set', 'set', 'add', 'replace', 'append', 'prepend', 'cas'),
      key,
      data,
      flags: fc.constantFrom(0, 7, 0xffffffff),
      exptime,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('get', 'delete'), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('incr', 'decr'),
      key,
      delta: fc.constantFrom(0n, 1n, 7n, 2n ** 64n - 1n),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch'), key, exptime }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush_all'), seconds: fc.constantFrom(0, 0, 2) }) },
);

const restRequest: fc.Arbitrary<RestRequest> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('PUT'),
      key,
      json: fc.constantFrom(
        '"v"',
        '""',
        '"5"',
        '"grün"',
        '5',
        '10',
        '-3',
        '1.50',
        '9007199254740993',
        'true',
        '{"a": [1]}',
      ),
      expiresIn: fc.constantFrom(undefined, undefined, 1, 2, 90),
      condition: fc.constantFrom(undefined, undefined, 'add', 'replace', 'cas'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('GET', 'DELETE'), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('increment'), key, amount }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('clear', 'drop', 'size', 'size') }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ door: fc.constant('memcached'), request: memcachedRequest }) },
  { weight: 6, arbitrary: fc.record({ door: fc.constant('rest'), request: restRequest }) },
  {
    weight: 2,
    arbitrary: fc.record({ door: fc.constant('none'), ms: fc.constantFrom(1, 999, 1000, 1001, 90_000) }),
  },
);

describe.each(['arena', 'lru-cache'])('on %s', (store) => {
  let clock: TestClock;
  let service: TestService;
  let caches = 0;

  beforeEach(async () => {
    clock = testClock();
    service = await startService(['--store', store, '--memory-limit', '64mb'], { clock });
  });

  test('both doors answer as the model does, whatever is asked in whatever order', {
    timeout: 120_000,
  }, async () => {
    const alike = fc.asyncProperty(
      fc.array(step, { maxLength: REQUESTS_MAX, size: 'max' }),
      async (steps) => {
        const doors = await Doors.open(service, clock, `cache-${caches++}`);
        for (const each of steps) {
          if (each.door === 'none') clock.advance(each.ms);
          else await (each.door === 'rest' ? doors.askRest(each.request) : doors.askMemcached(each.request));
        }
        await doors.close();
      },
    );
    await fc.assert(alike, { numRuns: RUNS, seed: 20_300_116 });
  });
});

/** One cache by both doors, and the model of it. */
class Doors {
  readonly #service: TestService;
  readonly #clock: TestClock;
  readonly #cacheName: string;
  readonly #client: TextClient;
  readonly #model: ReturnType<NaiveEngine['cache']>;
  readonly #naive: NaiveEngine;
  /** The version that was seen last of each item, by the service and by the model. */
  readonly #seen = new Map<string, { readonly real: string; readonly model: Cas }>();

  private constructor(service: TestService, clock: TestClock, cacheName: string, client: TextClient) {
    this.#service = service;
    this.#clock = clock;
    this.#cacheName = cacheName;
    this.#client = client;
    this.#naive = new NaiveEngine(1_048_576, clock.now);
    this.#model = this.#naive.cache('p', cacheName);
  }

  static async open(service: TestService, clock: TestClock, cacheName: string): Promise<Doors> {
    const client = await textClient(service.memcachedPort);
    await client.ask(signIn(TOKEN, PROJECT, cacheName));
    return new Doors(service, clock, cacheName, client);
  }

  async close(): Promise<void> {
    this.#client.socket.destroy();
    await this.#service.rest('DELETE', `/${this.#cacheName}`);
  }

  async askMemcached(request: MemcachedRequest): Promise<void> {
    switch (request.do) {
      case 'get':
        return this.#gets(request.key);
      case 'delete':
        return this.#expect(
          `delete ${request.key}`,
          this.#model.delete(request.key) ? 'DELETED' : 'NOT_FOUND',
        );
      case 'touch': {
        const expiresAt = this.#expiresAt(request.exptime);
        const there = this.#model.touch(request.key, expiresAt);
        return this.#expect(`touch ${request.key} ${request.exptime}`, there ? 'TOUCHED' : 'NOT_FOUND');
      }
      case 'flush_all':
        this.#model.clear(request.seconds === 0 ? undefined : this.#clock.now() + request.seconds * 1000);
        return this.#expect(`flush_all ${request.seconds}`, 'OK');
      case 'incr':
      case 'decr': {
        const direction = request.do === 'incr' ? 'up' : 'down';
        const { status, value } = this.#model.calculate(request.key, {
          rule: 'unsigned',
          direction,
          delta: request.delta,
        });
        const notNumeric = 'CLIENT_ERROR cannot increment or decrement non-numeric value';
        const expected =
          status === 'done' ? String(value) : status === 'not_found' ? 'NOT_FOUND' : notNumeric;
        return this.#expect(`${request.do} ${request.key} ${request.delta}`, expected);
      }
      default:
        return this.#store(request);
    }
  }

  async #gets(itemKey: string): Promise<void> {
    const answer = await this.#client.ask(`gets ${itemKey}\r\n`, 'END\r\n');
    const item = this.#model.get(itemKey);
    const cas = /^VALUE \S+ \d+ \d+ (\d+)\r\n/.exec(answer)?.[1] ?? '';
    if (item) this.#seen.set(itemKey, { real: cas, model: item.cas });
    const bytes = item?.value.toString('latin1');
    const value = item ? `VALUE ${itemKey} ${item.flags} ${item.value.length} ${cas}\r\n${bytes}\r\n` : '';
    expect(answer).toBe(`${value}END\r\n`);
  }

  async #store(request: Extract<MemcachedRequest, { data: string }>): Promise<void> {
    const { key: itemKey, flags, exptime: time } = request;
    const value = Buffer.from(request.data, 'utf8');
    const given: NewValue = { value, kind: 'bytes', flags, expiresAt: this.#expiresAt(time) };
    const seen = this.#seen.get(itemKey) ?? { real: '0', model: -1 };
    const outcome =
      request.do === 'cas'
        ? this.#model.compareAndSwap(itemKey, given, seen.model)
        : this.#model.store(request.do, itemKey, given);
    const cas = request.do === 'cas' ? ` ${seen.real}` : '';
    const line = `${request.do} ${itemKey} ${flags} ${time} ${value.length}${cas}`;
    return this.#expect(`${line}\r\n${value.toString('latin1')}`, outcome.toUpperCase());
  }

  async #expect(request: string, reply: string): Promise<void> {
    expect(`${request}: ${await this.#client.ask(`${request}\r\n`)}`).toBe(`${request}: ${reply}\r\n`);
  }

  async askRest(request: RestRequest): Promise<void> {
    switch (request.do) {
      case 'GET':
        return this.#restGet(request.key);
      case 'DELETE': {
        const found = this.#model.delete(request.key);
        return this.#answers(
          'DELETE',
          `/items/${request.key}`,
          undefined,
          found ? 'Deleted.' : 'Key not found',
        );
      }
      case 'PUT':
        return this.#put(request);
      case 'increment':
        return this.#increment(request.key, request.amount);
      case 'clear':
        return this.#answers(
          'POST',
          '/clear',
          undefined,
          this.#model.clear() ? 'Cleared.' : 'Cache not found',
        );
      case 'drop':
        return this.#answers('DELETE', '', undefined, this.#model.drop() ? 'Deleted.' : 'Cache not found');
      case 'size': {
        const { body } = await this.#rest('GET', '');
        const [there] = this.#naive.list('p', 0, 1);
        expect(body['size'] ?? body['msg']).toBe(there ? there.items : 'Cache not found');
      }
    }
  }

  async #restGet(itemKey: string): Promise<void> {
    const { text, body } = await this.#rest('GET', `/items/${itemKey}`);
    const item = this.#model.get(itemKey);
    if (!item) {
      expect(body).toEqual({ msg: 'Key not found' });
      return;
    }
    this.#seen.set(itemKey, { real: String(body['cas']), model: item.cas });
    expect(text).toContain(`"value":${jsonOf(item)},"cas":`);
    const expires =
      item.expiresAt === NEVER ? '9999-01-01T00:00:00' : new Date(item.expiresAt).toISOString().slice(0, 19);
    expect(body).toMatchObject({ key: itemKey, flags: item.flags, expires: `${expires}Z` });
  }

  async #put({
    key: itemKey,
    json,
    expiresIn,
    condition,
  }: Extract<RestRequest, { do: 'PUT' }>): Promise<void> {
    const expiresAt = expiresIn === undefined ? NEVER : this.#clock.now() + expiresIn * 1000;
    const given: NewValue = { ...keptAs(json), flags: 0, expiresAt };
    const seen = this.#seen.get(itemKey) ?? { real: '1', model: -1 };
    const outcome =
      condition === 'cas'
        ? this.#model.compareAndSwap(itemKey, given, seen.model)
        : this.#model.store(condition ?? 'set', itemKey, given);
    const members = [
      `"value":${json}`,
      ...(expiresIn === undefined ? [] : [`"expires_in":${expiresIn}`]),
      ...(condition === 'cas' ? [`"cas":"${seen.real}"`] : []),
      ...(condition === 'add' || condition === 'replace' ? [`"${condition}":true`] : []),
    ];
    const msg = outcome === 'stored' ? 'Stored.' : 'Not stored.';
    return this.#answers('PUT', `/items/${itemKey}`, `{${members.join(',')}}`, msg);
  }

  async #increment(itemKey: string, by: bigint): Promise<void> {
    const { text, body } = await this.#rest('POST', `/items/${itemKey}/increment`, `{"amount":${by}}`);
    const initial = { value: by, expiresAt: NEVER };
    const { status, value } = this.#model.calculate(itemKey, { rule: 'signed', delta: by }, { initial });
    if (status === 'done') expect(text).toBe(`{"msg":"Added","value":${value}}`);
    else if (status === 'not_numeric')
      expect(body['msg']).toMatch(/^Cannot increment or decrement non-numeric value/);
    else expect(body['msg']).toContain('64-bit');
  }

  async #answers(method: string, path: string, body: string | undefined, msg: string): Promise<void> {
    const answer = await this.#rest(method, path, body);
    expect(`${method} ${path} ${body}: ${answer.body['msg']}`).toBe(`${method} ${path} ${body}: ${msg}`);
  }

  async #rest(method: string, path: string, body?: string) {
    const base = `http://127.0.0.1:${this.#service.httpPort}/1/projects/${PROJECT}/caches/${this.#cacheName}`;
    const headers = { authorization: `OAuth ${TOKEN}` };
    const response = await fetch(base + path, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    return { text, body: JSON.parse(text) as Record<string, unknown> };
  }

  #expiresAt(time: number): number {
    if (time === 0) return NEVER;
    return time < 0 ? 0 : this.#clock.now() + time * 1000;
  }
}

/** How a JSON text is kept, by the contract: the three kinds that REST clients can store. */
function keptAs(json: string): Pick<NewValue, 'value' | 'kind'> {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed === 'string') return { value: Buffer.from(parsed), kind: 'text' };
  return { value: Buffer.from(json), kind: typeof parsed === 'number' ? 'number' : 'json' };
}

/** What REST shows of an item, by the contract. */
function jsonOf({ value, kind }: NaiveItem): string {
  const text = value.toString('utf8');
  if (kind === 'text') return JSON.stringify(text);
  if (kind === 'number') return text.trimEnd();
  if (kind === 'json') return text;
  return /^(0|-?[1-9]\d*)$/.test(text) ? text : JSON.stringify(text);
}
