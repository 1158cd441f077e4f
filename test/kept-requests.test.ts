import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { heapBytes } from './support/garbage.ts';
import { HttpSocket } from './support/http-socket.ts';
import { PROJECT, startService, type TestService, TOKEN } from './support/service.ts';

const MANY = 1_000;
/** What a cache or an item may take of the heap, with what is kept ready for it. */
const BYTES_EACH = 4_000;
/** What ten clients that are gone may leave, all together; the requests of each take 3.5 MB while they wait. */
const BYTES_BEHIND_CLIENTS = 2_000_000;
const stores = ['arena', 'lru-cache'];

/** What each of many `asked` leaves on the heap. */
async function bytesLeftByEach(asked: (i: number) => Promise<void>): Promise<number> {
  for (let i = 0; i < MANY / 4; i++) await asked(-1 - i);
  const before = heapBytes();
  for (let i = 0; i < MANY; i++) await asked(i);
  return (heapBytes() - before) / MANY;
}

/** Puts to paths, with a long query. */
function longRequests({ httpPort }: TestService) {
  const socket = new HttpSocket(httpPort);
  const query = `oauth=${TOKEN}&note=${'n'.repeat(12_000)}`;
  const put = async (path: string) => {
    const body = '{"value":"v"}';
    const target = `/1/projects/${PROJECT}/caches/${path}?${query}`;
    socket.write(`PUT ${target} HTTP/1.1\r\nhost: s\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    expect((await socket.answer()).status).toBe(200);
  };
  return { put, end: () => socket.destroy() };
}

test.each(stores)('%s: no URL stays in memory for the cache that it names', async (store) => {
  const { put, end } = longRequests(await startService(['--store', store]));
  expect(await bytesLeftByEach((i) => put(`cache-of-some-name-${i}/items/k`))).toBeLessThan(BYTES_EACH);
  end();
});

test.each(stores)('%s: no URL stays in memory for the item that it names', async (store) => {
  const { put, end } = longRequests(await startService(['--store', store]));
  expect(await bytesLeftByEach((i) => put(`c/items/key-of-some-name-${i}`))).toBeLessThan(BYTES_EACH);
  end();
});

test.each([
  ['small', 100],
  ['large', 20_000],
])(
  'of clients that leave in the midst of what they sent ahead, a %s answer keeps nothing',
  async (_name, length) => {
    const { httpPort, rest } = await startService();
    await rest('PUT', '/c/items/k', { value: 'v'.repeat(length) });
    await rest('PUT', '/c/items/huge', { value: 'v'.repeat(900_000) });
    const get = (key: string) =>
      `GET /1/projects/${PROJECT}/caches/c/items/${key} HTTP/1.1\r\nauthorization: OAuth ${TOKEN}\r\n\r\n`;
    // More than the system takes for a client that does not read.
    const ahead = get('k') + get('huge').repeat(12) + 'GET / HTTP/1.1\r\n\r\n'.repeat(2_000);
    const leaveInTheMidst = async () => {
      const { socket } = new HttpSocket(httpPort);
      socket.pause().write(ahead);
      await delay(150);
      socket.resetAndDestroy();
      await delay(50);
    };
    await leaveInTheMidst();
    // As the last answers of their kind, these take the place of those.
    for (const path of ['/c/items/k', '/c/items/huge', '/c/none']) await (await rest('GET', path)).text();
    const before = heapBytes();
    for (let i = 0; i < 10; i++) await leaveInTheMidst();
    expect(heapBytes() - before).toBeLessThan(BYTES_BEHIND_CLIENTS);
  },
  20_000,
);
