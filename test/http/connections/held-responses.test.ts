import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AUTHORIZED, PROJECT, path, type TestApp, testApp } from '../../support/app.ts';
import { HttpSocket } from '../../support/http-socket.ts';
import { TestGate } from '../../support/test-gate.ts';

async function heldApp() {
  const gate = new TestGate();
  const app = await testApp({ commitGate: gate });
  const base = `http://127.0.0.1:${await app.listen()}`;
  const ask = async (
    method: string,
    url: string,
    body?: object | string | undefined,
    headers: Record<string, string> = {},
  ) => {
    const init = {
      method,
      headers: { ...AUTHORIZED, ...headers },
      ...(body && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const answer = await fetch(base + url, init);
    return {
      status: answer.status,
      retryAfter: answer.headers.get('retry-after'),
      text: await answer.text(),
    };
  };
  return { gate, ask };
}

test('every answer about items waits until what it tells is kept, and is then as it was', async () => {
  const { gate, ask } = await heldApp();
  const stored = ask('PUT', path('c', 'k'), { value: 'v' });
  await gate.holds(1);
  const requests: [
    method: string,
    url: string,
    body?: object | undefined,
    headers?: Record<string, string>,
  ][] = [
    ['GET', path('c', 'k')],
    ['GET', path('c', 'k'), undefined, { accept: 'application/octet-stream' }],
    ['GET', path('c', 'none')],
    ['GET', path('c')],
    ['GET', path()],
    ['POST', `${path('c', 'n')}/increment`, { amount: 1 }],
    ['DELETE', path('c', 'k')],
  ];
  const held = requests.map((request) => ask(...request));
  await gate.holds(1 + requests.length);
  gate.release(true);
  expect(await stored).toMatchObject({ status: 200, text: '{"msg":"Stored."}' });
  expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 404, 200, 200, 200, 200]);
});

test.each([
  [true, 200],
  [false, 503],
])('so does a dump, which is told in pieces; kept: %s', async (isKept, status) => {
  const { gate, ask } = await heldApp();
  const stored = ask('PUT', path('c', 'k'), { value: 'v' });
  await gate.holds(1);
  let dumped = '';
  const dump = ask('GET', `${path('c')}/items`).then((answer) => {
    dumped = answer.text;
    return answer;
  });
  await gate.holds(2);
  expect(dumped).toBe('');
  // Others go on changing something.
  gate.release(isKept);
  await stored;
  if (!isKept) {
    await gate.holds(1);
    gate.release(true);
  }
  expect((await dump).status).toBe(status);
  expect(dumped.includes('"key":"k"')).toBe(isKept);
});

test('so does every piece of a long dump', async () => {
  const { gate, ask } = await heldApp();
  gate.isOpen = true;
  await ask('PUT', path('c', 'k'), { value: 'v'.repeat(40_000) });
  gate.isOpen = false;
  let isOver = false;
  const dump = ask('GET', `${path('c')}/items`).finally(() => {
    isOver = true;
  });
  let waits = 0;
  for (;;) {
    await Promise.race([gate.holds(1), dump]);
    if (isOver) break;
    waits++;
    gate.release(true);
  }
  // One with the item, and one with the end.
  expect([(await dump).status, waits]).toEqual([200, 2]);
});

test.each([
  ['{"end":true,"items":1}\n', 'a load'],
  ['{"key":"k2"}\n', 'a load with a mistake, which tells how many items stay'],
])('%j: %s is 503 where the disk fails before its last line comes', async (lastLine, _what) => {
  const { gate, ask } = await heldApp();
  // Reading goes on then.
  gate.isOpen = true;
  const lines = ['{"format":"ironcached items","version":1}', '{"key":"k","value":"v"}', lastLine];
  const load = ask('POST', `${path('c')}/items`, lines.join('\n'));
  await gate.holds(1);
  gate.release(false);
  expect((await load).status).toBe(503);
});

test('so does the head of a dump alone', async () => {
  const { gate, ask } = await heldApp();
  const stored = ask('PUT', path('c', 'k'), { value: 'v' });
  await gate.holds(1);
  const head = ask('HEAD', `${path('c')}/items`);
  await gate.holds(2);
  gate.release(true);
  expect([(await stored).status, (await head).status]).toEqual([200, 200]);
});

test('however a proxy writes the URL', async () => {
  const gate = new TestGate();
  const app = await testApp({ commitGate: gate });
  const port = await app.listen();
  const forms = [`http://x${path('c', 'k')}`, path('c', 'k').replace('/1/', '/%31/')];
  const clients = forms.map((url) => {
    const client = new HttpSocket(port);
    const head = `PUT ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\n`;
    client.write(`${head}Content-Length: 11\r\n\r\n{"value":1}`);
    return client;
  });
  await gate.holds(forms.length);
  gate.release(true);
  for (const client of clients) {
    expect((await client.answer()).status).toBe(200);
    client.destroy();
  }
});

test('an answer that cannot be kept is 503, and tells to try again', async () => {
  const { gate, ask } = await heldApp();
  const stored = ask('PUT', path('c', 'k'), { value: 'v' });
  const read = ask('GET', path('c', 'k'));
  await gate.holds(2);
  gate.release(false);
  for (const answer of [await stored, await read]) {
    expect(answer).toMatchObject({ status: 503, retryAfter: '1' });
    expect(answer.text).toMatch(/^\{"msg":"Changes cannot be kept on disk now, .*"\}$/);
  }
});

test('such an answer, too, says which request it is of, and browsers show it to whom they may', async () => {
  const gate = new TestGate();
  const origin = 'https://app.example.org';
  const app = await testApp({ commitGate: gate, corsOrigins: [origin] });
  const base = `http://127.0.0.1:${await app.listen()}`;
  const headers = { ...AUTHORIZED, origin, 'x-request-id': 'its-own' };
  const stored = fetch(base + path('c', 'k'), { method: 'PUT', headers, body: '{"value":"v"}' });
  await gate.holds(1);
  const read = fetch(base + path('c', 'k'), {
    headers: { ...headers, accept: 'application/octet-stream' },
  });
  await gate.holds(2);
  gate.release(false);
  for (const answer of [await stored, await read]) {
    expect(answer.status).toBe(503);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/json',
      'x-request-id': 'its-own',
      'access-control-allow-origin': origin,
      'access-control-expose-headers': expect.stringContaining('Retry-After'),
      vary: 'Origin',
    });
    expect(answer.headers.has('etag')).toBe(false);
  }
});

test('nothing waits while the gate is open, nor does what is not about items', async () => {
  const { gate, ask } = await heldApp();
  expect(await ask('GET', '/version')).toMatchObject({ status: 200 });
  gate.isOpen = true;
  expect(await ask('PUT', path('c', 'k'), { value: 'v' })).toMatchObject({ status: 200 });
});

test('what is no request behind others has its answer behind theirs', async () => {
  const gate = new TestGate();
  const app = await testApp({ commitGate: gate });
  const client = new HttpSocket(await app.listen());
  const request = (method: string, body: string) =>
    `${method} ${path('c', 'k')} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZED.authorization}\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
  client.write(`${request('PUT', '{"value":1}')}${request('GET', '')}garbage\r\n\r\n`);
  await gate.holds(1);
  gate.release(true);
  expect(await client.answer()).toMatchObject({ status: 200, body: '{"msg":"Stored."}' });
  await gate.holds(1);
  gate.release(true);
  expect(await client.answer()).toMatchObject({ status: 200, body: expect.stringContaining('"value":1') });
  expect(await client.answer()).toMatchObject({
    status: 400,
    body: expect.stringContaining('not a valid HTTP'),
  });
  await client.closed();
});

/** Has an app say farewell, until the test is over. */
async function beginToClose({ app }: TestApp): Promise<void> {
  const asked = vi.spyOn(app.server, 'getConnections').mockImplementation(() => app.server);
  const closed = app.close();
  while (asked.mock.calls.length === 0) await nextTurn();
  onTestFinished(() => {
    asked.mock.calls[0]?.[0](null, 0);
    return closed;
  });
}

test.each([
  ['to whoever asked whether to send a body', 'Expect: 100-continue\r\n', () => {}],
  ['while it closes', '', beginToClose],
])(
  'a change is not carried out behind a held answer that is the last, %s',
  async (_which, headers, begin) => {
    const gate = new TestGate();
    const app = await testApp({ commitGate: gate });
    const client = new HttpSocket(await app.listen());
    await once(client.socket, 'connect');
    await begin(app);
    const request = (method: string, headers: string, body = '') =>
      `${method} ${path('c', 'k')} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\n${headers}\r\n${body}`;
    client.write(request('GET', headers) + request('PUT', 'Content-Length: 11\r\n', '{"value":1}'));
    await gate.holds(1);
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    gate.isOpen = true;
    gate.release(true);
    expect((await client.answer()).headers.get('connection')).toBe('close');
    await client.closed();
    expect(client.rest()).toBe('');
    expect(app.engine.cache(PROJECT, 'c').peek('k')).toBeUndefined();
  },
);

test.each(['before', 'while'])(
  'a change that comes behind a held answer, %s the service stops, has its own, and that is the last',
  async (when) => {
    const gate = new TestGate();
    let isStopping = false;
    const app = await testApp({ commitGate: gate, isStopping: () => isStopping });
    const client = new HttpSocket(await app.listen());
    const request = (method: string, body = '') =>
      `${method} ${path('c', 'k')} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    client.write(request('GET').repeat(2));
    await gate.holds(2);
    isStopping = when === 'while';
    client.write(request('PUT', '{"value":1}') + request('PUT', '{"value":2}'));
    await gate.holds(3);
    isStopping = true;
    gate.isOpen = true;
    gate.release(true);
    const answers = [await client.answer(), await client.answer(), await client.answer()];
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 200]);
    const isLast = answers.map(({ headers }) => headers.get('connection') === 'close');
    expect(isLast).toEqual([false, false, true]);
    await client.closed();
    expect(client.rest()).toBe('');
    expect((await app.request('GET', path('c', 'k'))).text).toContain('"value":1');
  },
);

test('what is held counts as waiting for the client, so that pipelined requests cannot gather it', async () => {
  const gate = new TestGate();
  const waits = vi.spyOn(gate, 'wait');
  const app = await testApp({ commitGate: gate });
  gate.isOpen = true;
  const value = 'v'.repeat(100_000);
  await app.request('PUT', path('c', 'k'), { value });
  gate.isOpen = false;
  const client = new HttpSocket(await app.listen());
  const request = `GET ${path('c', 'k')} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\n\r\n`;
  const requests = 60;
  client.write(request.repeat(requests));
  // The first, and a megabyte ahead of their turn.
  const atOnce = 1 + Math.ceil(1_048_576 / value.length);
  await gate.holds(atOnce);
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect(waits).toHaveBeenCalledTimes(atOnce);
  gate.isOpen = true;
  gate.release(true);
  for (let i = 0; i < requests; i++) expect((await client.answer()).status).toBe(200);
  client.destroy();
});
