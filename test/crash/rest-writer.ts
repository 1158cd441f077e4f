import { type Effect, type ItemState, Ledger } from './ledger.ts';
import { Gone } from './line-client.ts';
import { PROJECT, TOKEN } from './server-process.ts';

const VALUE_KEYS = ['a', 'b', 'c', 'd', 'ä/ü'];
const COUNTER_KEYS = ['n0', 'n1', 'n2'];

/** Changes one cache by REST, one request after the other, and notes what it was told. */
export class RestWriter {
  readonly cache: string;
  readonly ledger = new Ledger(
    [...VALUE_KEYS, ...COUNTER_KEYS].map((key) => Buffer.from(key).toString('latin1')),
  );
  readonly #random: (below: number) => number;
  #count = 0;

  constructor(cache: string, random: (below: number) => number) {
    this.cache = cache;
    this.#random = random;
  }

  /** Until the server is gone. */
  async run(port: number): Promise<never> {
    for (;;) await this.#operate(`http://127.0.0.1:${port}/1/projects/${PROJECT}/caches/${this.cache}`);
  }

  async #operate(url: string): Promise<void> {
    const dice = this.#random(100);
    const key = VALUE_KEYS[this.#random(VALUE_KEYS.length)] as string;
    const counter = COUNTER_KEYS[this.#random(COUNTER_KEYS.length)] as string;
    if (dice < 50) await this.#put(`${url}/items/${encodeURIComponent(key)}`, key);
    else if (dice < 65)
      await this.#change('DELETE', `${url}/items/${encodeURIComponent(key)}`, one(key, undefined));
    else if (dice < 94) await this.#increment(`${url}/items/${counter}/increment`, counter);
    else if (dice < 97) await this.#change('POST', `${url}/clear`, 'clear');
    else await this.#change('DELETE', url, 'clear');
  }

  async #put(url: string, key: string): Promise<void> {
    const seconds = this.#random(2) ? 100 + this.#random(1000) : undefined;
    const value = `${this.#count++} ${'y'.repeat(this.#random(2000))}`;
    const item = itemOf(value, seconds);
    await this.#change('PUT', url, one(key, item), { value, ...(seconds && { expires_in: seconds }) });
  }

  async #increment(url: string, key: string): Promise<void> {
    const before = this.ledger.state.get(key);
    const value = String(BigInt(before?.value ?? 0) + 3n);
    const item = before ? { ...before, value, cas: undefined } : itemOf(value, undefined);
    const text = await this.#change('POST', url, one(key, item), { amount: 3 });
    if (text !== `{"msg":"Added","value":${value}}`) throw new Error(`increment to ${value}: ${text}`);
  }

  async #change(method: string, url: string, effect: Effect, body?: object): Promise<string> {
    this.ledger.begin(`${method} ${url}`, effect);
    const { status, text } = await ask(method, url, body);
    if (status !== 200 && !(status === 404 && method !== 'PUT')) {
      if (status === 503) throw new Gone(text);
      throw new Error(`${method} ${url}: ${status} ${text}`);
    }
    this.ledger.acknowledge();
    return text;
  }
}

async function ask(method: string, url: string, body?: object): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method,
      headers: { authorization: `OAuth ${TOKEN}` },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    throw new Gone(String(error));
  }
}

function itemOf(value: string, seconds: number | undefined): ItemState {
  const expiresAt = seconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + seconds * 1000;
  return { value, flags: 0, cas: undefined, expiresAt, stale: false };
}

function one(key: string, item: ItemState | undefined): Effect {
  return new Map([[Buffer.from(key).toString('latin1'), item]]);
}
