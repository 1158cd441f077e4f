import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Bytes, MemcachedClient } from '../support/memcached-client.ts';
import { type Door, openDoor, PROJECT, signInCommand, TOKEN } from '../support/memcached-door.ts';
import { exchanges } from './exchanges.ts';

const SEED = 20_300_115;

let door: Door;
beforeAll(async () => {
  door = await openDoor({
    store: 'arena',
    valueBytesMax: 4096,
    limits: { lineBytesMax: 8192, signInFailuresMax: 1_000 },
  });
});
afterAll(() => door.close());

// Each run in a cache of its own, so that the same bytes must get the same answers.
let caches = 0;
function freshCache(): string {
  return `cache-${caches++}`;
}

describe('a valid stream', () => {
  test('gets the same answers however it is split', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command(), { minLength: 1, maxLength: 12 }), cuts(), async (commands, at) => {
        const stream = `${commands.join('')}mn\r\n`;
        const whole = await answersTo([stream]);
        expect(whole.endsWith('MN\r\n')).toBe(true);
        expect(await answersTo(split(stream, at))).toBe(whole);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('garbage', () => {
  test.each([
    ['before sign-in', false],
    ['after sign-in', true],
  ])('%s is answered in order, to its end, however it is split', async (_when, signedIn) => {
    let answeredToTheEnd = 0;
    const property = fc.asyncProperty(garbage(), cuts(), async (bytes, at) => {
      const whole = await everyAnswerTo([bytes, QUESTION], signedIn);
      const pieces = await everyAnswerTo([...split(bytes, at), QUESTION], signedIn);
      expect(pieces).toBe(whole);
      if (whole.endsWith(ANSWER)) answeredToTheEnd++;
    });
    await fc.assert(property, { seed: SEED, numRuns: RUNS });
    // The others quit, spoke HTTP, or announced a value that never came.
    expect(answeredToTheEnd).toBeGreaterThan(RUNS / 2);
    expect(door.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

const RUNS = 200;
const QUESTION = '\r\nversion\r\n';
const ANSWER = 'VERSION 1.6.18\r\n';

// The client ends its side: whatever it left open, the server answers what it can and closes.
async function everyAnswerTo(pieces: readonly Bytes[], signedIn: boolean): Promise<Bytes> {
  const client = await door.connect({ allowHalfOpen: true });
  if (signedIn) await client.ask(signInCommand({ cache: freshCache() }));
  await send(client, pieces);
  client.socket.end();
  return withoutCas(await client.rest());
}

async function answersTo(pieces: readonly Bytes[]): Promise<Bytes> {
  const client = await door.signedIn({ cache: freshCache() });
  await send(client, pieces);
  const answers = await client.takeThrough('MN\r\n');
  client.destroy();
  return withoutCas(answers);
}

// Cas numbers go on counting from one run to the next.
function withoutCas(answers: Bytes): Bytes {
  return answers.replace(/(?<=^VALUE \S+ \d+ \d+ )\d+|(?<= c)\d+|(?<= cas=)\d+/gm, '?');
}

async function send(client: MemcachedClient, pieces: readonly Bytes[]): Promise<void> {
  for (const piece of pieces) {
    client.send(piece);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}

function split(stream: Bytes, cutsAt: readonly number[]): Bytes[] {
  const places = [...new Set(cutsAt.map((at) => at % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => stream.slice(from, places[i])).filter((piece) => piece !== '');
}

function cuts(): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(10_000), { maxLength: 20 });
}

function command(): fc.Arbitrary<Bytes> {
  return fc.oneof(storage(), line());
}

function storage(): fc.Arbitrary<Bytes> {
  const words = fc.constantFrom('set', 'add', 'replace', 'append', 'prepend');
  return fc.tuple(words, shortKey(), data(), fc.boolean()).map(([word, name, value, noreply]) => {
    return `${word} ${name} 5 0 ${value.length}${noreply ? ' noreply' : ''}\r\n${value}\r\n`;
  });
}

function line(): fc.Arbitrary<Bytes> {
  const lines = fc.oneof(
    fc.tuple(fc.constantFrom('get', 'gets', 'delete', 'me', 'gat 0', 'gats 100'), key()),
    fc.tuple(fc.constantFrom('incr', 'decr'), key(), number()),
    fc.tuple(fc.constantFrom('touch'), key(), fc.constantFrom('0', '100')),
    fc.tuple(
      fc.constantFrom('mg', 'md', 'ma'),
      key(),
      fc.subarray(['v', 'k', 'q', 't', 'c', 'N0', 'Oabc', 'I']).map((flags) => flags.join(' ')),
    ),
    fc.constantFrom(['mn'], ['version'], ['flush_all'], ['nonsense'], [''], ['verbosity 1'], ['set k x 0 1']),
  );
  return fc
    .tuple(lines, fc.constantFrom('\r\n', '\n', ' \r\n'))
    .map(([words, end]) => `${words.join(' ')}${end}`);
}

// Shorter than a line may be without its end in sight: from there on it matters how it is split.
const GARBAGE_BYTES_MAX = 2_000;

function garbage(): fc.Arbitrary<Bytes> {
  const words = exchanges.flatMap(({ steps }) => {
    return steps.flatMap((step) => (step.length < 500 ? step.split(/(?<= )/) : []));
  });
  const part = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...words) },
    {
      weight: 3,
      arbitrary: fc.constantFrom('\r\n', '\n', '\r', ' ', '\0', 'noreply', 'oauth', '-1', '9'.repeat(20)),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom('set oauth 0 0 ', 'ms oauth ', `${TOKEN} ${PROJECT} c`, signInCommand()),
    },
    { weight: 2, arbitrary: bytes(40) },
    { weight: 1, arbitrary: command() },
  );
  // What is asked in the end must not be answered before.
  return fc
    .array(part, { maxLength: 15 })
    .map((parts) => parts.join('').slice(0, GARBAGE_BYTES_MAX).replaceAll('version', 'verse'));
}

function key(): fc.Arbitrary<Bytes> {
  return fc.oneof(shortKey(), fc.constant('k'.repeat(251)));
}

function shortKey(): fc.Arbitrary<Bytes> {
  return fc.constantFrom('a', 'b', 'c', 'oauth', '\xff', 'k'.repeat(250));
}

function number(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('0', '1', '18446744073709551615', '-1', 'x'), fc.nat().map(String));
}

function data(): fc.Arbitrary<Bytes> {
  return fc.oneof(
    bytes(60),
    fc.constantFrom('', '1', '99', 'mn\r\n', '\r\n', 'get a\r\n'),
    fc.nat(5_000).map((n) => 'v'.repeat(n)),
  );
}

function bytes(maxLength: number): fc.Arbitrary<Bytes> {
  return fc.uint8Array({ maxLength }).map((array) => Buffer.from(array).toString('latin1'));
}
