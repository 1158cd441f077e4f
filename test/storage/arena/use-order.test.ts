import { expect, test } from 'vitest';
import { ChunkHeap, NOWHERE, PAGE_BYTES, wordOf } from '../../../src/storage/arena/chunk-heap.ts';
import { UseOrder } from '../../../src/storage/arena/use-order.ts';

test('an order of use keeps who was used when, also of items that move', () => {
  const heap = new ChunkHeap({ bytesMax: 2 * PAGE_BYTES, moved: () => {} });
  const order = new UseOrder(heap);
  const listed = () => {
    const addresses: number[] = [];
    for (let at = order.oldest; at !== NOWHERE; at = order.newer(at)) addresses.push(at);
    return addresses;
  };
  const [a = 0, b = 0, c = 0, d = 0] = Array.from({ length: 4 }, () => heap.allocate(48));
  for (const address of [a, b, c]) order.add(address);
  expect(listed()).toEqual([a, b, c]);
  order.use(a);
  order.use(a);
  expect(listed()).toEqual([b, c, a]);
  order.move(a, b);
  expect(listed()).toEqual([b, a, c]);
  order.move(c, NOWHERE);
  expect(listed()).toEqual([c, b, a]);
  order.move(c, b);
  order.move(c, order.older(c));
  order.move(a, c);
  expect(listed()).toEqual([b, c, a]);
  for (const from of [b, a]) {
    heap.words(d).copyWithin(wordOf(d), wordOf(from), wordOf(from) + 12);
    order.moved(d);
    expect(listed()).toEqual(from === b ? [d, c, a] : [c, d]);
    order.remove(d);
  }
  order.remove(c);
  expect(listed()).toEqual([]);
});
