import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AUTHORIZED, everyByte, path, type TestApp, testApp } from '../../support/app.ts';

const ITEM = path('c', 'k');
let rest: TestApp;

beforeAll(async () => {
  rest = await testApp();
});

beforeEach(async () => {
  await rest.request('DELETE', path('c'));
});

/** The cas of the item as a number. */
async function casOf(url = ITEM): Promise<number> {
  return Number(((await rest.request('GET', url)).json as { cas: string }).cas);
}

async function put(body: unknown, url = ITEM) {
  return rest.request('PUT', url, body);
}

/** Puts a value, given as JSON text, and tells how its JSON text reads when it comes back. */
async function thereAndBack(json: string): Promise<string> {
  expect(await put(`{"value":${json}}`)).toMatchObject({ status: 200, json: { msg: 'Stored.' } });
  return valueText((await rest.request('GET', ITEM)).text);
}

function valueText(answer: string): string {
  return /"value":(.*),"cas":"/s.exec(answer)?.[1] ?? '';
}

/** Stores bytes as a memcached client does. */
function storeBytes(value: Buffer, flags = 0): void {
  rest.engine
    .cache('4e71843298b1db3f0d0000aa', 'c')
    .store('set', 'k', { value, kind: 'bytes', flags, expiresAt: Number.POSITIVE_INFINITY });
}

describe('an item', () => {
  test('comes back as exactly six members, in application/json without a charset', async () => {
    await put({ value: 'Hello' });
    const answer = await rest.request('GET', ITEM);
    expect(answer.text).toMatch(
      /^\{"cache":"c","key":"k","value":"Hello","cas":"\d+","flags":0,"expires":"9999-01-01T00:00:00Z"\}$/,
    );
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json' });
    for (const header of ['etag', 'cache-control', 'last-modified', 'content-encoding']) {
      expect(answer.headers).not.toHaveProperty(header);
    }
  });

  test('that is stored again has another cas, a string of digits', async () => {
    await put({ value: 1 });
    const before = await casOf();
    await put({ value: 2 });
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ value: 2, cas: String(before + 1) });
  });

  test('that is not there is 404 "Key not found", to get and to delete, in a known cache or not', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      expect(await rest.request(method, ITEM)).toMatchObject({ status: 404, json: { msg: 'Key not found' } });
    }
    await put({ value: 1 }, path('c', 'other'));
    expect((await rest.request('GET', ITEM)).status).toBe(404);
  });

  test('is gone after a delete', async () => {
    await put({ value: 1 });
    expect(await rest.request('DELETE', ITEM)).toMatchObject({ status: 200, json: { msg: 'Deleted.' } });
    expect((await rest.request('GET', ITEM)).status).toBe(404);
  });

  test('answers HEAD like GET, without a body', async () => {
    await put({ value: 'Hello' });
    const get = await rest.request('GET', ITEM);
    const head = await rest.request('HEAD', ITEM);
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect((await rest.request('HEAD', path('c', 'none'))).status).toBe(404);
  });
});

describe('a value', () => {
  test.each([
    ['text', '"Hello"'],
    ['empty text', '""'],
    ['text that looks like a number', '"42"'],
    ['text that looks like JSON', '"{\\"a\\":1}"'],
    ['text beyond the basic plane', '"Grüße, 世界 😀"'],
    ['control characters', '"\\u0000\\b\\t\\n\\u001f\\"\\\\"'],
    ['half a surrogate pair', '"\\ud83d and \\ude00"'],
    ['a number', '42'],
    ['a negative number', '-7'],
    ['a number beyond 2^53', '9007199254740993'],
    ['a number beyond 64 bits', '123456789012345678901234567890'],
    ['a fraction with its zeros', '1.50'],
    ['an exponent beyond any double', '1e400'],
    ['a negative zero', '-0'],
    ['true', 'true'],
    ['false', 'false'],
    ['null', 'null'],
    ['an array', '[1, 2.0, "x", [], {}]'],
    ['an object', '{"a":{"b":[9007199254740993, "\\u00e9"]}}'],
    ['an object with the members that parsers fear', '{"__proto__":{"x":1},"constructor":{"prototype":{}}}'],
    ['braces and quotes in text', '{"a":"}]\\"","b":["{"]}'],
  ])('comes back with its type and digits: %s', async (_what, json) => {
    expect(await thereAndBack(json)).toBe(json);
  });

  test('of nearly 1 MB comes back', async () => {
    const json = JSON.stringify('é'.repeat(520_000));
    expect(await thereAndBack(json)).toBe(json);
  });

  test.each(['"', '\\', '\u0000', '\n', '\u001f', ' ', '\u007f', 'é', '😀'])(
    'is escaped where it has to be, wherever that is: %j',
    async (character) => {
      for (const length of [1, 2, 3, 4, 5, 8, 9]) {
        for (let at = 0; at < length; at++) {
          const json = JSON.stringify('v'.repeat(at) + character + 'v'.repeat(length - at - 1));
          expect(await thereAndBack(json)).toBe(json);
        }
      }
    },
  );

  test('of any length comes back after longer and shorter ones', async () => {
    for (const length of [0, 20_000, 3, 16_384, 16_385, 1, 16_383, 2]) {
      for (const json of [
        `"${'v'.repeat(length)}"`,
        `"${'v'.repeat(length)}\\n"`,
        `[${'1'.repeat(length)}]`,
      ]) {
        expect(await thereAndBack(json)).toBe(json);
      }
    }
  });

  test('of a cache and a key whose names have to be escaped, and are long', async () => {
    for (const name of ['"', 'é', 'a"\\\n', '\u0001'.repeat(250), '😀'.repeat(250)]) {
      await put({ value: 'v' }, path(name, name));
      const { json } = await rest.request('GET', path(name, name));
      expect(json).toMatchObject({ cache: name, key: name, value: 'v' });
    }
  });

  test('is seen by a memcached client as UTF-8, digits or JSON text', async () => {
    const cache = rest.engine.cache('4e71843298b1db3f0d0000aa', 'c');
    for (const [json, bytes] of [
      ['"Grüße"', 'Grüße'],
      ['1.50', '1.50'],
      ['{"a": 1}', '{"a": 1}'],
      ['true', 'true'],
    ] as const) {
      await put(`{"value": ${json} }`);
      const item = await cache.peek('k');
      expect(item?.value.toString('utf8')).toBe(bytes);
    }
  });
});

describe('what a memcached client stored', () => {
  test.each([
    ['text', 'Hello', '"Hello"'],
    ['nothing', '', '""'],
    ['an integer', '42', '42'],
    ['a negative integer', '-42', '-42'],
    ['zero', '0', '0'],
    ['an integer beyond 64 bits', '99999999999999999999999', '99999999999999999999999'],
    ['a negative zero', '-0', '"-0"'],
    ['leading zeros', '007', '"007"'],
    ['a plus sign', '+1', '"+1"'],
    ['a fraction', '1.5', '"1.5"'],
    ['a minus alone', '-', '"-"'],
    ['a space behind', '5 ', '"5 "'],
    ['a line feed behind', '5\n', '"5\\n"'],
    ['JSON text', '{"a":1}', '"{\\"a\\":1}"'],
  ])('is a number if it reads like one, else text: %s', async (_what, bytes, json) => {
    storeBytes(Buffer.from(bytes));
    const answer = await rest.request('GET', ITEM);
    expect(valueText(answer.text)).toBe(json);
    expect(answer.headers).not.toHaveProperty('x-ironcache-encoding');
  });

  test('comes in base64, and says so, when it is no UTF-8', async () => {
    const bytes = everyByte();
    storeBytes(bytes);
    const answer = await rest.request('GET', ITEM);
    expect(answer.headers).toMatchObject({ 'x-ironcache-encoding': 'base64' });
    expect(answer.json).toMatchObject({ value: bytes.toString('base64') });
  });

  test('shows its flags', async () => {
    storeBytes(Buffer.from('x'), 0xffff_ffff);
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ flags: 4_294_967_295 });
  });

  test('loses the spaces that a decrement leaves behind a number', async () => {
    await put({ value: 10 });
    await rest.engine
      .cache('4e71843298b1db3f0d0000aa', 'c')
      .calculate('k', { rule: 'unsigned', direction: 'down', delta: 1n });
    expect(valueText((await rest.request('GET', ITEM)).text)).toBe('9');
  });
});

describe('Accept: application/octet-stream', () => {
  const headers = { ...AUTHORIZED, accept: 'application/octet-stream' };

  test('gets the bytes alone, with the cas as ETag', async () => {
    const bytes = everyByte();
    storeBytes(bytes);
    const answer = await rest.app.inject({ url: ITEM, headers });
    expect(answer.rawPayload.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      etag: `"${await casOf()}"`,
    });
  });

  test('gets a REST item in the bytes that memcached sees', async () => {
    await put('{"value": {"a": 1.0}}');
    expect((await rest.app.inject({ url: ITEM, headers })).body).toBe('{"a": 1.0}');
  });

  test('gets JSON where that would do, too', async () => {
    await put('{"value": "v"}');
    const both = { ...headers, accept: 'application/json, application/octet-stream;q=0.5' };
    expect((await rest.app.inject({ url: ITEM, headers: both })).json()).toMatchObject({ value: 'v' });
  });

  test('gets errors as JSON all the same', async () => {
    const answer = await rest.app.inject({ url: ITEM, headers });
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({ msg: 'Key not found' });
  });
});

describe('expiry', () => {
  test('by expires_in: shown in whole seconds, and kept', async () => {
    rest.clock.set(Date.UTC(2031, 4, 6, 7, 8, 9, 987));
    await put({ value: 1, expires_in: 60 });
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ expires: '2031-05-06T07:09:09Z' });
    rest.clock.advance(59_999);
    expect((await rest.request('GET', ITEM)).status).toBe(200);
    rest.clock.advance(1);
    expect((await rest.request('GET', ITEM)).status).toBe(404);
  });

  test('is the default of the service where none is given: absent, null and 0', async () => {
    const { request, clock } = await testApp({ defaultExpiresInSeconds: 100 });
    for (const body of [{ value: 1 }, { value: 1, expires_in: null }, { value: 1, expires_in: 0 }]) {
      await request('PUT', ITEM, body);
      expect((await request('GET', ITEM)).json).toMatchObject({
        expires: new Date(clock.now() + 100_000).toISOString().replace('.000Z', 'Z'),
      });
    }
  });

  test('beyond the year 9998 is told as never', async () => {
    const cache = rest.engine.cache('4e71843298b1db3f0d0000aa', 'c');
    await cache.store('set', 'k', { value: Buffer.from('x'), kind: 'bytes', flags: 0, expiresAt: 9e15 });
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ expires: '9999-01-01T00:00:00Z' });
  });

  test('may be 30 days', async () => {
    expect((await put({ value: 1, expires_in: 2_592_000 })).json).toEqual({ msg: 'Stored.' });
  });
});

describe('a condition', () => {
  const stored = { status: 200, json: { msg: 'Stored.' } };
  const notStored = { status: 200, json: { msg: 'Not stored.' } };

  test('add: only where there is no item', async () => {
    expect(await put({ value: 1, add: true })).toMatchObject(stored);
    expect(await put({ value: 2, add: true })).toMatchObject(notStored);
    expect((await rest.request('GET', ITEM)).json).toMatchObject({ value: 1 });
  });

  test('replace: only where there is an item', async () => {
    expect(await put({ value: 1, replace: true })).toMatchObject(notStored);
    expect((await rest.request('GET', ITEM)).status).toBe(404);
    await put({ value: 1 });
    expect(await put({ value: 2, replace: true })).toMatchObject(stored);
  });

  test('cas: only where the item has this version; as a string or a number', async () => {
    expect(await put({ value: 0, cas: '1' })).toMatchObject(notStored);
    await put({ value: 1 });
    const cas = await casOf();
    expect(await put({ value: 2, cas: `${cas + 99}` })).toMatchObject(notStored);
    expect(await put({ value: 2, cas: `${cas}` })).toMatchObject(stored);
    expect(await put({ value: 3, cas })).toMatchObject(notStored);
    expect(await put({ value: 3, cas: cas + 1 })).toMatchObject(stored);
    expect(await put({ value: 4, cas: cas + 2, replace: true })).toMatchObject(stored);
  });

  test('cas is exact over 64 bits', async () => {
    const cache = rest.engine.cache('4e71843298b1db3f0d0000aa', 'c');
    await cache.store('set', 'k', {
      value: Buffer.from('x'),
      kind: 'bytes',
      flags: 0,
      expiresAt: Number.POSITIVE_INFINITY,
    });
    expect(await put('{"value":1,"cas":18446744073709551615}')).toMatchObject(notStored);
    expect(await put('{"value":1,"cas":"18446744073709551616"}')).toMatchObject({ status: 400 });
    expect(await put('{"value":1,"cas":18446744073709551616}')).toMatchObject({ status: 400 });
    expect(await put('{"value":1,"cas":9007199254740993}')).toMatchObject(notStored);
  });

  test('add with cas can never hold', async () => {
    expect(await put({ value: 1, add: true, cas: '1' })).toMatchObject(notStored);
    await put({ value: 1 });
    expect(await put({ value: 1, add: true, cas: await casOf() })).toMatchObject(notStored);
  });

  test('add with replace is a mistake', async () => {
    expect(await put({ value: 1, add: true, replace: true })).toMatchObject({ status: 400 });
  });
});
