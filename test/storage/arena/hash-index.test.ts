import { describe, expect, test } from 'vitest';
import { ChunkHeap, NOWHERE, PAGE_BYTES, wordOf } from '../../../src/storage/arena/chunk-heap.ts';
import { BUCKETS_PER_ITEM, HashIndex } from '../../../src/storage/arena/hash-index.ts';
import { randomNumbers } from '../../support/random.ts';

const BUCKETS_PER_PAGE = PAGE_BYTES / 4;

/** An index of items that are nothing but a header, and what ought to be in it. */
class Indexed {
  readonly heap = new ChunkHeap({ bytesMax: 256 * PAGE_BYTES, moved: () => {} });
  readonly index = new HashIndex(this.heap);
  /** The hash of each address. */
  readonly model = new Map<number, number>();

  add(hash: number): void {
    if (this.index.needsPage) this.index.takePage();
    const address = this.heap.allocate(48);
    this.heap.words(address)[wordOf(address)] = 1;
    this.index.insert(address, hash);
    this.model.set(address, hash);
  }

  remove(address: number): void {
    this.index.remove(address);
    this.heap.free(address);
    this.model.delete(address);
  }

  move(from: number): void {
    const to = this.heap.allocate(48);
    const words = this.heap.words(from);
    words.copyWithin(wordOf(to), wordOf(from), wordOf(from) + 12);
    this.index.moved(from, to);
    this.heap.free(from);
    this.model.set(to, this.model.get(from) ?? 0);
    this.model.delete(from);
  }

  addressesLike(hash: number): number[] {
    const found: number[] = [];
    let address = this.index.firstLike(hash);
    for (; address !== NOWHERE; address = this.index.nextLike(address, hash)) found.push(address);
    return found.sort((a, b) => a - b);
  }

  check(): void {
    const byHash = new Map<number, number[]>();
    for (const [address, hash] of this.model) byHash.set(hash, [...(byHash.get(hash) ?? []), address]);
    expect(this.index.size).toBe(this.model.size);
    for (const [hash, addresses] of byHash) {
      expect(this.addressesLike(hash)).toEqual(addresses.sort((a, b) => a - b));
    }
  }
}

describe('the index', () => {
  const random = randomNumbers(7);
  // Few enough that some items share one; of all 32 bits.
  const someHash = () => Math.imul(random(30_000), 0x9e3779b1) >>> 0;

  test('finds every item of a hash and no other, while it grows and shrinks', () => {
    const indexed = new Indexed();
    const { index, heap } = indexed;
    for (let i = 0; i < 60_000; i++) indexed.add(someHash());
    indexed.check();
    expect(indexed.addressesLike(12_345)).toEqual([]);
    const pagesOfItems = Math.ceil(60_000 / Math.floor(PAGE_BYTES / 48));
    const pagesOfBuckets = Math.ceil((BUCKETS_PER_ITEM * 60_000) / BUCKETS_PER_PAGE);
    expect(heap.bytesInUse / PAGE_BYTES).toBe(pagesOfItems + pagesOfBuckets);
    for (const address of [...indexed.model.keys()]) if (random(10) > 0) indexed.remove(address);
    indexed.check();
    for (const address of [...indexed.model.keys()]) indexed.move(address);
    indexed.check();
    for (const address of [...indexed.model.keys()]) indexed.remove(address);
    expect(index.size).toBe(0);
    // One page of buckets is always there.
    expect(heap.bytesInUse).toBe(PAGE_BYTES);
  });

  test('has more places than items, however many these are, so that a search meets few others', () => {
    const indexed = new Indexed();
    for (let i = 0; i < 60_000; i++) indexed.add(Math.imul(i, 0x9e3779b1) >>> 0);
    let places = 0;
    let place = 0;
    do {
      place = indexed.index.visit(place, () => {});
      places++;
    } while (place !== 0);
    expect(places).toBeGreaterThan(60_000);
  });

  test('goes on without another page, and takes it later', () => {
    const indexed = new Indexed();
    const { index, heap } = indexed;
    const taken: number[] = [];
    for (let page = heap.allocatePage(); page !== NOWHERE; page = heap.allocatePage()) taken.push(page);
    for (const page of taken.splice(0, 100)) heap.freePage(page);
    for (let i = 0; i < BUCKETS_PER_PAGE / BUCKETS_PER_ITEM; i++) indexed.add(someHash());
    for (let page = heap.allocatePage(); page !== NOWHERE; page = heap.allocatePage()) taken.push(page);
    expect(index.needsPage).toBe(true);
    expect(index.takePage()).toBe(false);
    for (let i = 0; i < 500; i++) indexed.add(someHash());
    indexed.check();
    for (const page of taken) heap.freePage(page);
    for (let i = 0; i < 500; i++) indexed.add(someHash());
    expect(index.needsPage).toBe(false);
    indexed.check();
  });

  test('visits what stays exactly once, whatever comes and goes meanwhile', () => {
    const indexed = new Indexed();
    for (let i = 0; i < 5_000; i++) indexed.add(someHash());
    const staying = new Set(indexed.model.keys());
    const seen = new Map<number, number>();
    let place = 0;
    let growing = true;
    const others: number[] = [];
    do {
      place = indexed.index.visit(place, (address) => seen.set(address, (seen.get(address) ?? 0) + 1));
      // It grows to ten times its size and back again while it is visited.
      if (growing && indexed.model.size > 50_000) {
        growing = false;
        others.push(...[...indexed.model.keys()].filter((address) => !staying.has(address)));
      }
      for (let i = 0; growing && i < 20; i++) indexed.add(someHash());
      for (let i = 0; !growing && i < 20 && others.length > 0; i++) indexed.remove(others.pop() ?? 0);
    } while (place !== 0);
    expect(growing).toBe(false);
    expect([...staying].filter((address) => seen.get(address) !== 1)).toEqual([]);
  });
});
