import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AUTHORIZED, path, type TestAppOptions, testApp } from '../../support/app.ts';
import { HttpSocket } from '../../support/http-socket.ts';

/** The headers of some answers, one after the other on one connection, without what tells them apart. */
async function headersOf(answers: number, options: TestAppOptions = {}, more = '') {
  const rest = await testApp(options);
  await rest.request('PUT', path('c', 'k'), { value: 'v' });
  const socket = new HttpSocket(await rest.listen());
  const all: [name: string, value: string][][] = [];
  for (let i = 0; i < answers; i++) {
    socket.write(
      `GET ${path('c', 'k')} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\n${more}\r\n`,
    );
    const { headers } = await socket.answer();
    all.push([...headers].map(([name, value]) => [name, VARYING.has(name) ? '' : value]));
  }
  socket.destroy();
  await rest.app.close();
  return all;
}

const VARYING = new Set(['x-request-id', 'date']);

test('every answer of a kind has the same headers, in the same order', async () => {
  const [first, ...others] = await headersOf(5);
  expect(first?.map(([name]) => name)).toEqual([
    'x-request-id',
    'content-type',
    'content-length',
    'date',
    'connection',
    'keep-alive',
  ]);
  for (const other of others) expect(other).toEqual(first);
});

test('the last answer of a connection tells so, also behind others', async () => {
  let isStopping = false;
  const all = headersOf(3, { isStopping: () => isStopping });
  expect(new Map((await all)[2]).get('connection')).toBe('keep-alive');
  isStopping = true;
  const [last] = await headersOf(1, { isStopping: () => isStopping });
  expect(new Map(last).get('connection')).toBe('close');
  const [asked] = await headersOf(1, {}, 'Connection: close\r\n');
  expect(new Map(asked).get('connection')).toBe('close');
});

test('whoever asks first whether to send a body, and has the answer before, is told to close; nobody else is', async () => {
  const rest = await testApp();
  await rest.request('PUT', path('c', 'k'), { value: 'v' });
  const port = await rest.listen();
  // All in the same second.
  const now = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  const connectionOf = async (request: string, more = '') => {
    const socket = new HttpSocket(port);
    socket.write(`${request} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\n${more}\r\n`);
    const answer = await socket.answer();
    socket.destroy();
    return [answer.status, answer.headers.get('connection')];
  };
  const asking = 'Expect: 100-continue\r\nContent-Length: 2\r\n';
  const clear = `POST ${path('c')}/clear`;
  // It might send the body all the same, or might not: nobody could tell where its next request begins.
  expect(await connectionOf(clear, asking)).toEqual([200, 'close']);
  expect(await connectionOf(clear)).toEqual([200, 'keep-alive']);
  expect(await connectionOf(clear, asking)).toEqual([200, 'close']);
  await rest.app.close();
});

test('the time in the headers goes on when the clock of the machine was set back', async () => {
  const rest = await testApp();
  await rest.request('PUT', path('c', 'k'), { value: 'v' });
  const socket = new HttpSocket(await rest.listen());
  onTestFinished(() => socket.destroy());
  const date = async () => {
    socket.write(`GET ${path('c', 'k')} HTTP/1.1\r\nAuthorization: ${AUTHORIZED.authorization}\r\n\r\n`);
    return (await socket.answer()).headers.get('date');
  };
  const before = await date();
  const anHourAgo = Date.now() - 3_600_000;
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => anHourAgo);
  onTestFinished(() => clock.mockRestore());
  // Node itself renews it by a timer, each second.
  await delay(1_100);
  expect(await date()).not.toBe(before);
  await rest.app.close();
});
