import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Refusal } from '../../../src/engine/errors.ts';
import { NEVER, type NewValue } from '../../../src/engine/item.ts';
import {
  AUTHORIZED,
  PROJECT,
  path,
  type TestApp,
  type TestAppOptions,
  TOKEN,
  testApp,
} from '../../support/app.ts';
import { project, TWO_PROJECTS, token } from '../../support/credentials.ts';
import { Faults, faultyStore } from '../../support/faulty-store.ts';
import { HttpSocket } from '../../support/http-socket.ts';
import { lateStore } from '../../support/late-store.ts';

let rest: TestApp;
const sockets: HttpSocket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await rest.app.close();
});

async function start(options: TestAppOptions = {}): Promise<void> {
  rest = await testApp(options);
}

const itemsOf = (cache: string) => `${path(cache)}/items`;
const FIRST = '{"format":"ironcached items","version":1}';

/** Lines of a dump between a first and a last one. */
function dumpOf(...items: object[]): string {
  const lines = items.map((item) => JSON.stringify(item));
  return [FIRST, ...lines, JSON.stringify({ end: true, items: items.length }), ''].join('\n');
}

function store(
  cache: string,
  key: string,
  value: Partial<Omit<NewValue, 'value'>> & { value?: string } = {},
) {
  return rest.engine.cache(PROJECT, cache).store('set', key, {
    kind: 'text',
    flags: 0,
    expiresAt: NEVER,
    ...value,
    value: Buffer.from(value.value ?? 'v', 'latin1'),
  });
}

async function textOf(cache: string, key: string): Promise<string | undefined> {
  return (await rest.engine.cache(PROJECT, cache).peek(key))?.value.toString('latin1');
}

async function connected(): Promise<HttpSocket> {
  const socket = new HttpSocket(await rest.listen());
  sockets.push(socket);
  return socket;
}

describe('a dump', () => {
  test('comes whole, also where its client asks for a tunnel behind it', async () => {
    await start();
    const value = 'v'.repeat(1_000_000);
    for (const key of ['a', 'b', 'c', 'd']) store('c', key, { value });
    const socket = await connected();
    const head = `HTTP/1.1\r\nAuthorization: OAuth ${TOKEN}\r\n\r\n`;
    socket.write(`GET ${itemsOf('c')} ${head}CONNECT example.org:443 ${head}`);
    await socket.closed();
    expect(socket.rest()).toMatch(/{"end":true,"items":4}\n\r\n0\r\n\r\nHTTP\/1.1 405 /);
  });

  test('has a line for each live item between a first and a last one', async () => {
    await start();
    const expiresAt = rest.clock.now() + 1_500;
    store('c', 'a', { value: 'Hello', expiresAt });
    store('c', 'gone', { expiresAt: rest.clock.now() + 1 });
    store('another cache', 'b');
    rest.clock.advance(1_000);
    const { status, headers, text } = await rest.request('GET', itemsOf('c'));
    expect([status, headers['content-type']]).toEqual([200, 'application/jsonl']);
    expect(text).toBe(
      `{"format":"ironcached items","version":1,"project":"${PROJECT}","cache":"c","at":"2030-01-15T12:00:01.000Z"}\n` +
        '{"key":"a","kind":"text","value":"Hello","expires":"2030-01-15T12:00:01.500Z"}\n' +
        '{"end":true,"items":1}\n',
    );
  });

  test('leaves out what a client won the right to make and has not made: elsewhere it would be an empty value', async () => {
    await start();
    const win = { explicitCas: undefined, expiresAt: undefined, recacheBefore: undefined, asksUse: false };
    const options = { ...win, createUntil: NEVER, recacheByNewExpiry: false, use: true, mayWin: true };
    const cache = rest.engine.cache(PROJECT, 'c');
    for (const key of ['missing', 'made', 'empty']) expect(await cache.lease(key, options)).toBeDefined();
    store('c', 'made', { kind: 'bytes', value: '' });
    await cache.invalidate('empty', { markStale: true });
    expect((await rest.request('GET', itemsOf('c'))).text.split('\n').slice(1)).toEqual([
      '{"key":"empty","kind":"bytes","value":"","stale":true}',
      '{"key":"made","kind":"bytes","value":""}',
      '{"end":true,"items":2}',
      '',
    ]);
  });

  test('has what is there while a client that won the right makes it anew', async () => {
    await start();
    const expiresAt = rest.clock.now() + 1_000;
    store('c', 'full', { kind: 'bytes', expiresAt });
    store('c', 'empty', { value: '', expiresAt });
    const cache = rest.engine.cache(PROJECT, 'c');
    for (const key of ['full', 'empty']) {
      const answer = await cache.lease(key, {
        createUntil: undefined,
        explicitCas: undefined,
        expiresAt: undefined,
        recacheBefore: expiresAt + 1,
        recacheByNewExpiry: false,
        use: true,
        mayWin: true,
        asksUse: false,
      });
      expect(answer).toBeDefined();
      expect((await cache.peek(key))?.recaching).toBe(true);
    }
    const { text } = await rest.request('GET', itemsOf('c'));
    expect(text).toContain('{"key":"empty","kind":"text","value":"",');
    expect(text).toContain('{"key":"full","kind":"bytes","value":"v",');
    expect(text).toContain('{"end":true,"items":2}');
  });

  test('counts its last items as requests, too, so that small dumps are not free', async () => {
    await start({ requestsPerSecond: 100 });
    store('c', 'a');
    store('c', 'b');
    expect(await rest.request('GET', itemsOf('c'))).toMatchObject({ status: 200 });
    const left = [];
    for (let i = 0; i < 100; i++) left.push((await rest.request('GET', path('c', 'a'))).status);
    expect(left.filter((status) => status === 200)).toHaveLength(97);
  });

  test('tells times by the machine’s clock, as it is then', async () => {
    await start();
    store('c', 'a', { expiresAt: rest.clock.now() + 1_500 });
    rest.clock.step(3_600_000);
    const { text } = await rest.request('GET', itemsOf('c'));
    expect(text).toContain('"at":"2030-01-15T13:00:00.000Z"');
    expect(text).toContain('"expires":"2030-01-15T13:00:01.500Z"');
  });

  test.each([
    ['at once', undefined],
    ['by a store that answers later', lateStore],
  ])('loaded into another cache makes the same items: %s', async (_how, around) => {
    await start(around ? { around } : {});
    await store('c', 'text', { value: 'Gr\xc3\xbc\xc3\x9fe', flags: 7 });
    await store('c', 'number', { kind: 'number', value: '9007199254740993.50' });
    await store('c', 'json', { kind: 'json', value: '{"a": [1.0,\r\n null]}' });
    await store('c', '\xff\xfe', { kind: 'bytes', value: '\x00\xff', expiresAt: rest.clock.now() + 1 });
    await store('c', 'stale');
    await rest.engine.cache(PROJECT, 'c').invalidate('stale', { markStale: true });
    const dump = await rest.request('GET', itemsOf('c'));
    expect((await rest.request('POST', itemsOf('d'), dump.text)).json).toEqual({
      msg: 'Loaded.',
      loaded: 5,
      expired: 0,
      kept: 0,
      refused: [],
    });
    for (const key of ['text', 'number', 'json', '\xff\xfe', 'stale']) {
      const [from, to] = await Promise.all(
        ['c', 'd'].map(async (cache) => {
          const item = await rest.engine.cache(PROJECT, cache).peek(key);
          return item && [item.value.toString('latin1'), item.kind, item.flags, item.expiresAt, item.stale];
        }),
      );
      expect([key, to]).toEqual([key, from]);
    }
  });

  test('has what is there all the while exactly once, and all else whole, while the cache changes', async () => {
    await start();
    const ITEMS = 20_000;
    for (let i = 0; i < ITEMS; i++) store('c', `key ${i}`, { value: `${i} `.repeat(30) });
    const url = `http://127.0.0.1:${await rest.listen()}${itemsOf('c')}`;
    const { body } = await fetch(url, { headers: AUTHORIZED });
    const pieces: Uint8Array[] = [];
    let changed = 0;
    for await (const piece of body ?? []) {
      pieces.push(piece);
      // Odd keys go, or get another value of another size; others come.
      for (const end = Math.min(changed + 200, ITEMS); changed < end; changed++) {
        if (changed % 4 === 1) rest.engine.cache(PROJECT, 'c').delete(`key ${changed}`);
        if (changed % 4 === 3) store('c', `key ${changed}`, { value: 'x'.repeat(changed % 999) });
        store('c', `new ${changed}`);
      }
    }
    const lines = Buffer.concat(pieces).toString().trimEnd().split('\n');
    const items = lines.slice(1, -1).map((line) => JSON.parse(line) as { key: string; value: string });
    expect(lines.at(-1)).toBe(JSON.stringify({ end: true, items: items.length }));
    const times = new Map<string, number>();
    for (const { key, value } of items) {
      times.set(key, (times.get(key) ?? 0) + 1);
      const [kind, number] = key.split(' ');
      const isWhole =
        kind === 'new' ? value === 'v' : value === `${number} `.repeat(30) || /^x*$/.test(value);
      if (!isWhole) throw new Error(`${key}: ${value}`);
    }
    for (let i = 0; i < ITEMS; i += 2) expect(times.get(`key ${i}`)).toBe(1);
    expect(changed).toBe(ITEMS);
  });

  test('is no use of the items, and no hit', async () => {
    await start();
    store('c', 'a');
    await rest.request('GET', itemsOf('c'));
    expect(await rest.engine.cache(PROJECT, 'c').peek('a')).toMatchObject({ fetched: false });
    expect(rest.engine.statistics).toMatchObject({ getHits: 0, getMisses: 0 });
  });

  test('of a cache that is none is 404, and of an empty one it is empty', async () => {
    await start();
    expect(await rest.request('GET', itemsOf('c'))).toMatchObject({
      status: 404,
      json: { msg: 'Cache not found' },
    });
    store('c', 'a');
    rest.engine.cache(PROJECT, 'c').clear();
    expect((await rest.request('GET', itemsOf('c'))).text).toMatch(/^.*\n\{"end":true,"items":0\}\n$/);
  });

  test('is not made where only its headers are asked for', async () => {
    await start();
    store('c', 'a');
    const list = vi.spyOn(Object.getPrototypeOf(rest.engine.cache(PROJECT, 'c')), 'list');
    onTestFinished(() => list.mockRestore());
    const { status, headers, text } = await rest.request('HEAD', itemsOf('c'));
    expect([status, headers['content-type'], text]).toEqual([200, 'application/jsonl', '']);
    await rest.request('GET', itemsOf('c'));
    expect(list).toHaveBeenCalledOnce();
  });

  test('has no last line when the token is revoked meanwhile', async () => {
    await start();
    for (let i = 0; i < 5_000; i++) store('c', `key ${i}`, { value: 'x'.repeat(5_000) });
    const url = `http://127.0.0.1:${await rest.listen()}${itemsOf('c')}`;
    const { body } = await fetch(url, { headers: AUTHORIZED });
    rest.tokens.update({ ...TWO_PROJECTS, tokens: [] });
    const readAll = async () => {
      for await (const _piece of body ?? []);
    };
    await expect(readAll()).rejects.toThrow();
  });

  test('has what its client clears behind it', async () => {
    await start();
    for (let i = 0; i < 2_000; i++) store('c', `key ${i}`, { value: 'x'.repeat(500) });
    const socket = await connected();
    const ask = (method: string, url: string) =>
      `${method} ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${TOKEN}\r\n\r\n`;
    socket.write(ask('GET', itemsOf('c')) + ask('POST', `${path('c')}/clear`));
    while (!socket.rest().includes('Cleared.')) await once(socket.socket, 'data');
    expect(socket.rest()).toContain('"items":2000}');
  });

  test('cannot be asked for ahead of other answers: each would hold a piece ready', async () => {
    await start();
    store('c', 'a');
    const socket = await connected();
    const ask = (url: string) => `GET ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${TOKEN}\r\n\r\n`;
    socket.write(ask(path('c', 'a')) + ask(itemsOf('c')) + ask(path('c', 'a')));
    expect(await socket.answer()).toMatchObject({ status: 200 });
    const refused = await socket.answer();
    expect(refused).toMatchObject({
      status: 429,
      body: expect.stringContaining('cannot be asked for ahead'),
    });
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await socket.answer()).toMatchObject({ status: 200 });
  });
});

describe('a load', () => {
  test('replaces what is there, or keeps it where that is asked for', async () => {
    await start();
    store('c', 'a', { value: 'old' });
    const dump = dumpOf({ key: 'a', value: 'new' }, { key: 'b', value: 'new' });
    const report = { msg: 'Loaded.', expired: 0, refused: [] };
    expect((await rest.request('POST', `${itemsOf('c')}?mode=add`, dump)).json).toEqual({
      ...report,
      loaded: 1,
      kept: 1,
    });
    expect(await textOf('c', 'a')).toBe('old');
    expect((await rest.request('POST', itemsOf('c'), dump)).json).toEqual({ ...report, loaded: 2, kept: 0 });
    expect(await textOf('c', 'a')).toBe('new');
    expect(await rest.request('POST', `${itemsOf('c')}?mode=replace`, dump)).toMatchObject({ status: 400 });
  });

  test('passes over what has expired, by the machine’s clock', async () => {
    await start();
    rest.clock.step(3_600_000);
    const dump = dumpOf(
      { key: 'a', value: 'v', expires: '2030-01-15T13:00:00Z' },
      { key: 'b', value: 'v', expires: '2030-01-15T13:00:00.001Z' },
    );
    expect((await rest.request('POST', itemsOf('c'), dump)).json).toMatchObject({ loaded: 1, expired: 1 });
    expect(await textOf('c', 'b')).toBe('v');
    rest.clock.advance(1);
    expect(await textOf('c', 'b')).toBeUndefined();
  });

  test('takes lines that end as on Windows, blank ones, and a last one without an end', async () => {
    await start();
    const dump = dumpOf({ key: 'a', value: 'v' }).trimEnd().replaceAll('\n', '\r\n\r\n \t\r\n');
    expect((await rest.request('POST', itemsOf('c'), dump)).json).toMatchObject({ loaded: 1 });
  });

  test('takes a byte order mark in front, as some editors write it', async () => {
    await start();
    const dump = `\ufeff${dumpOf({ key: 'a', value: 'v' })}`;
    expect((await rest.request('POST', itemsOf('c'), dump)).json).toMatchObject({ loaded: 1 });
  });

  const A = { key: 'a', value: 'v' };

  test.each([
    ['', 'Line 1 is missing: it would say {"end": true}, so the dump was cut off.', 0],
    [
      JSON.stringify(A),
      'Line 1 must be the first line of a dump: {"format": "ironcached items", "version": 1}.',
      0,
    ],
    [dumpOf(A).split('\n').slice(0, 2).join('\n'), 'Line 3 is missing: it would say {"end": true}, so', 1],
    [`${FIRST}\n\n{"key":`, 'Line 3 breaks off: the dump was cut off.', 0],
    [`${FIRST}\n\n{"key":\n`, 'Line 3 is not valid JSON.', 0],
    [
      `${FIRST}\n${JSON.stringify(A)}\n{"key":1}\n`,
      'Line 3 must have text as "value" or as "value_base64".',
      1,
    ],
    [
      dumpOf(A, A).replace('"items":2', '"items":3'),
      'Line 4 says that there are 3 items, but there are 2.',
      2,
    ],
    [`${FIRST}\n${dumpOf(A)}`, 'Line 2 begins another dump, though this one has no last line.', 0],
    [dumpOf(A) + dumpOf(A), 'Line 4 comes after the last line; send one dump at a time.', 1],
    [FIRST.replace(':1', ':2'), 'Line 1 is of version 2 of the format; this release reads up to 1.', 0],
    [`${FIRST}\n${'x'.repeat(6 * 1_048_576 + 4_097)}`, 'Line 2 is longer than 6295552 bytes.', 0],
  ])('ends at a line that is not as it should be, and says which: %#', async (dump, mistake, loaded) => {
    await start();
    const answer = await rest.request('POST', itemsOf('c'), dump);
    expect([answer.status, answer.json]).toEqual([400, { msg: expect.stringContaining(mistake) }]);
    expect(answer.text).toContain(`Items loaded before it, which stay: ${loaded}.`);
    expect(await textOf('c', 'a')).toBe(loaded > 0 ? 'v' : undefined);
  });

  test.each(['', '\n'])(
    'says of a file of `ironcached dump` that it is compressed, be there a line in it: %j',
    async (end) => {
      await start();
      const payload = Buffer.concat([gzipSync(dumpOf(A), { level: 0 }).subarray(0, 15), Buffer.from(end)]);
      const answer = await rest.app.inject({
        method: 'POST',
        url: itemsOf('c'),
        headers: AUTHORIZED,
        payload,
      });
      expect([answer.statusCode, answer.json().msg]).toEqual([
        400,
        'Line 1 is compressed: send what gunzip makes of it. Items loaded before it, which stay: 0.',
      ]);
    },
  );

  test('tells what does not fit here, and loads all else', async () => {
    await start();
    const large = 'x'.repeat(1_048_577);
    const dump = dumpOf(A, { key: 'b', value: large }, { key: 'c', value: large }, { key: 'd', value: 'v' });
    expect((await rest.request('POST', itemsOf('c'), dump)).json).toEqual({
      msg: 'Loaded.',
      loaded: 2,
      expired: 0,
      kept: 0,
      refused: [{ msg: 'a value may have at most 1048576 bytes', items: 2, line: 3 }],
    });
    expect(await textOf('c', 'd')).toBe('v');
  });

  test('evicts nothing where nothing may be evicted', async () => {
    await start();
    rest.engine.configure(PROJECT, 'c', { policy: 'none', quota: { itemsMax: 1 } });
    const dump = dumpOf(A, { key: 'b', value: 'v' }, { key: 'c', value: 'v' });
    const { json } = await rest.request('POST', itemsOf('c'), dump);
    expect(json).toMatchObject({ loaded: 1, refused: [{ items: 2, line: 3, msg: expect.any(String) }] });
    expect(await textOf('c', 'a')).toBe('v');
  });

  test('ends with 503 where the store cannot be reached', async () => {
    const faults = new Faults();
    await start({ around: (inner) => faultyStore(inner, faults) });
    faults.inject('write', new Refusal('store_unavailable', 'the store is away'));
    expect(await rest.request('POST', itemsOf('c'), dumpOf(A))).toMatchObject({ status: 503 });
  });

  test('into a cache that cannot be is refused as a whole', async () => {
    await start({ cachesMax: 1 });
    store('the only one', 'a');
    const { json } = await rest.request('POST', itemsOf('c'), dumpOf(A));
    expect(json).toMatchObject({
      loaded: 0,
      refused: [{ msg: 'a project may have at most 1 caches', items: 1 }],
    });
    const name = 'c'.repeat(251);
    expect(await rest.request('POST', itemsOf(name), dumpOf(A))).toMatchObject({ status: 400 });
  });

  test('counts each item as a request, as a dump does, and takes what others leave', async () => {
    await start({ requestsPerSecond: 100 });
    const items = Array.from({ length: 70 }, (_, i) => ({ key: `k${i}`, value: 'v' }));
    for (const ask of [
      () => rest.request('POST', itemsOf('c'), dumpOf(...items)),
      () => rest.request('GET', itemsOf('c')),
    ]) {
      const began = rest.clock.now();
      const answer = ask();
      // How many it has done by then depends on the machine; the others have what they need in any case.
      await vi.waitFor(async () => expect(await textOf('c', 'k0')).toBe('v'));
      for (let i = 0; i < 40; i++)
        expect(await rest.request('GET', path('c', 'k1'))).toMatchObject({ status: 200 });
      const passing = setInterval(() => rest.clock.advance(10));
      expect(await answer).toMatchObject({ status: 200 });
      clearInterval(passing);
      // 111 in all, of which there was room for 50.
      expect(rest.clock.now() - began).toBeGreaterThanOrEqual(600);
      rest.clock.advance(1_000);
    }
  });

  describe('of which the connection goes on', () => {
    const post = (body: string, headers = `Content-Length: ${body.length}\r\n`) =>
      `POST ${itemsOf('c')} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${TOKEN}\r\n${headers}\r\n${body}`;
    const get = `GET ${path('c', 'a')} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth ${TOKEN}\r\n\r\n`;

    test('is answered at the first mistake, and the rest of it is thrown away', async () => {
      await start();
      const socket = await connected();
      const dump = `${FIRST}\n${JSON.stringify(A)}\n\n`.padEnd(1_000_000, 'x\n');
      socket.write(post(dump).slice(0, 100_000));
      expect(await socket.answer()).toMatchObject({ status: 400, body: expect.stringContaining('Line 4 ') });
      socket.write(post(dump).slice(100_000) + get);
      expect(await socket.answer()).toMatchObject({ status: 200 });
    });

    test('may take longer than other requests, as long as it goes on arriving', async () => {
      await start({ limits: { requestTimeoutMs: 100 } });
      const socket = await connected();
      const dump = dumpOf(A);
      socket.write(post(dump).slice(0, -20));
      // Whoever begins another request now, and does not end it, is told so first.
      const other = new HttpSocket(Number(new URL(rest.app.listeningOrigin).port));
      sockets.push(other);
      other.write('GET / HTTP/1.1\r\n');
      expect(await other.answer()).toMatchObject({ status: 408 });
      socket.write(dump.slice(-20));
      expect(await socket.answer()).toMatchObject({ status: 200 });
      socket.write(get.slice(0, 20));
      expect(await socket.answer()).toMatchObject({ status: 408 });
    });

    test('that breaks off leaves what came', async () => {
      await start();
      const socket = await connected();
      socket.write(post(`${FIRST}\n${JSON.stringify(A)}\n`, 'Content-Length: 999\r\n'));
      while ((await textOf('c', 'a')) === undefined) await nextTurn();
      socket.destroy();
      expect(await rest.request('GET', path('c', 'a'))).toMatchObject({ status: 200 });
    });

    test.each([
      ['a line', '\n{"key":"b","value":"v"}\n{"end":true,"items":2}\n'],
      ['the end of a line', '\n'],
    ])('stores nothing of what comes after the token was revoked: %s', async (_name, more) => {
      await start();
      const socket = await connected();
      const begun = `${FIRST}\n${JSON.stringify(A)}\n{"key":"c","value":"v"}`;
      const length = begun.length + more.length;
      socket.write(post(begun, `Content-Length: ${length}\r\n`));
      while ((await textOf('c', 'a')) === undefined) await nextTurn();
      // It rests after each piece, and notices then, too.
      for (let i = 0; i < 5; i++) await nextTurn();
      rest.tokens.update({ projects: [project(PROJECT)], tokens: [token('another', [PROJECT])] });
      socket.write(more);
      expect(await socket.answer()).toMatchObject({ status: 401 });
      expect([await textOf('c', 'b'), await textOf('c', 'c')]).toEqual([undefined, undefined]);
    });
  });
});
