import { expect, test } from 'vitest';
import { heapBytes } from './support/garbage.ts';
import { HttpSocket } from './support/http-socket.ts';
import { PROJECT, startService, type TestService, TOKEN } from './support/service.ts';

const MANY = 1_000;
/** What a cache or an item may take of the heap, with what is kept ready for it. */
const BYTES_EACH = 4_000;
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
