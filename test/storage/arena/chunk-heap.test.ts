import { describe, expect, test } from 'vitest';
import {
  byteOf,
  CHUNK_BYTES_MAX,
  ChunkHeap,
  chunkBytesFor,
  NOWHERE,
  PAGE_BYTES,
  wordOf,
} from '../../../src/storage/arena/chunk-heap.ts';
import { randomNumbers } from '../../support/random.ts';

/** A heap whose chunks each name their owner in their first word, hold a pattern of it, and are found again when they move. */
class Owners {
  readonly heap: ChunkHeap;
  readonly chunks = new Map<number, { address: number; size: number }>();
  moves = 0;
  #nextOwner = 1;

  constructor(pages: number) {
    const bytesMax = pages * PAGE_BYTES;
    this.heap = new ChunkHeap({
      bytesMax,
      moved: (from, to) => {
        const chunk = this.chunks.get(this.heap.words(to)[wordOf(to)] ?? 0);
        expect(chunk?.address).toBe(from);
        if (chunk) chunk.address = to;
        this.moves++;
      },
    });
  }

  /** False: there is no room. */
  take(size: number): boolean {
    const owner = this.#nextOwner++;
    const address = this.heap.allocate(size);
    if (address === NOWHERE) return false;
    this.heap.words(address)[wordOf(address)] = owner;
    this.heap.bytes(address).fill(owner & 0xff, byteOf(address) + 4, byteOf(address) + size);
    this.chunks.set(owner, { address, size });
    return true;
  }

  give(owner: number): void {
    const chunk = this.chunks.get(owner);
    if (!chunk) throw new RangeError(`no chunk ${owner}`);
    this.heap.free(chunk.address);
    this.chunks.delete(owner);
  }

  giveSome(keep: (owner: number) => boolean): void {
    for (const owner of [...this.chunks.keys()]) if (!keep(owner)) this.give(owner);
  }

  fill(size: number): number {
    let count = 0;
    while (this.take(size)) count++;
    return count;
  }

  check(): void {
    for (const [owner, { address, size }] of this.chunks) {
      const start = byteOf(address);
      const bytes = this.heap.bytes(address).subarray(start + 4, start + size);
      if (!bytes.every((byte) => byte === (owner & 0xff))) throw new Error(`chunk ${owner} was written over`);
    }
  }
}

describe('a chunk', () => {
  test.each([1, 40, 41, 100, 1000, 1024, 4096, 5000, CHUNK_BYTES_MAX])(
    'for %d bytes is hardly larger than that',
    (size) => {
      expect(chunkBytesFor(size)).toBeGreaterThanOrEqual(size);
      expect(chunkBytesFor(size)).toBeLessThanOrEqual(Math.max(48, size * 1.25 + 8));
    },
  );

  test('says what it takes', () => {
    const { heap } = new Owners(4);
    expect(heap.chunkBytes(heap.allocate(1000))).toBe(chunkBytesFor(1000));
  });
});

describe('memory', () => {
  test.each([40, 150, 1000, 5000, CHUNK_BYTES_MAX])('is used up by chunks of %d bytes', (size) => {
    const owners = new Owners(8);
    expect(owners.fill(size) * chunkBytesFor(size)).toBeGreaterThan(8 * PAGE_BYTES * 0.93);
    owners.check();
  });

  test('that was freed is there for any other size', () => {
    const owners = new Owners(8);
    for (const size of [40, CHUNK_BYTES_MAX, 150, 5000, 40]) {
      expect(owners.fill(size)).toBeGreaterThan((8 * PAGE_BYTES * 0.93) / chunkBytesFor(size));
      owners.giveSome(() => false);
    }
    expect(owners.heap.bytesInUse).toBe(0);
  });

  test('that was freed here and there is gathered for another size', () => {
    const owners = new Owners(8);
    owners.fill(150);
    // Three of four, spread over all pages: no page is empty.
    owners.giveSome((owner) => owner % 4 === 0);
    expect(owners.heap.bytesInUse).toBe(8 * PAGE_BYTES);
    const large = owners.fill(CHUNK_BYTES_MAX);
    expect(large).toBeGreaterThanOrEqual(5 * 4);
    expect(owners.moves).toBeGreaterThan(0);
    owners.check();
  });

  test('is gathered again and again, and from the emptiest page first', () => {
    const owners = new Owners(8);
    for (let round = 0; round < 10; round++) {
      owners.fill(150);
      owners.giveSome((owner) => owner % 4 === 0);
      expect(owners.fill(CHUNK_BYTES_MAX)).toBeGreaterThanOrEqual(5 * 4);
      owners.giveSome(() => false);
    }
    owners.fill(150);
    const pageOf = (owner: number) => Math.floor(((owners.chunks.get(owner)?.address ?? 0) * 8) / PAGE_BYTES);
    const all = [...owners.chunks.keys()];
    const [emptiest = 0, ...others] = new Set(all.map(pageOf));
    for (const owner of all.filter((owner) => pageOf(owner) === emptiest).slice(1)) owners.give(owner);
    for (const page of others) {
      for (const owner of all.filter((owner) => pageOf(owner) === page).slice(0, 5)) owners.give(owner);
    }
    const { moves } = owners;
    expect(owners.take(CHUNK_BYTES_MAX)).toBe(true);
    expect(owners.moves - moves).toBe(1);
    owners.check();
  });

  test('is touched anew where little lies idle, and gathered before that where much does', () => {
    const owners = new Owners(64);
    const { heap } = owners;
    while (heap.bytesTouched < 16 * PAGE_BYTES) owners.take(150);
    owners.giveSome((owner) => owner % 16 > 0);
    owners.take(CHUNK_BYTES_MAX);
    expect([owners.moves, heap.bytesTouched]).toEqual([0, 17 * PAGE_BYTES]);
    owners.giveSome((owner) => owner % 4 === 0);
    for (let i = 0; i < 5 * 4; i++) owners.take(CHUNK_BYTES_MAX);
    expect(owners.moves).toBeGreaterThan(0);
    expect(heap.bytesTouched).toBe(17 * PAGE_BYTES);
    owners.check();
  });

  test('is never given twice, whatever is taken and given in whatever order', () => {
    const random = randomNumbers(20_261_122);
    const owners = new Owners(16);
    const sizes = [40, 44, 150, 151, 700, 3000, 9000, CHUNK_BYTES_MAX];
    for (let round = 0; round < 30_000; round++) {
      const size = sizes[random(sizes.length)] ?? 40;
      // When it is full, something goes: often a lot of one kind, so that the mix changes.
      while (!owners.take(size)) owners.giveSome(() => random(3) > 0);
      if (round % 1000 === 0) owners.check();
    }
    owners.check();
    expect(owners.moves).toBeGreaterThan(0);
    owners.giveSome(() => false);
    expect(owners.heap.bytesInUse).toBe(0);
  });

  test('is given in whole pages as well, and taken back', () => {
    const owners = new Owners(4);
    const { heap } = owners;
    const pages = [heap.allocatePage(), heap.allocatePage()];
    for (const [i, page] of pages.entries()) heap.pageWords(page).fill(i + 7);
    expect(owners.fill(CHUNK_BYTES_MAX)).toBe(2 * 4);
    expect(heap.allocatePage()).toBe(NOWHERE);
    owners.check();
    for (const [i, page] of pages.entries()) {
      expect(heap.pageWords(page).every((word) => word === i + 7)).toBe(true);
      heap.freePage(page);
    }
    expect(owners.fill(CHUNK_BYTES_MAX)).toBe(2 * 4);
  });
});
