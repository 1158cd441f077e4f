/*
 * Memory for items, outside the JavaScript heap. It is divided into pages; a page serves chunks of one
 * size (its class). When the mix of sizes changes, pages change their class: the chunks of a page that is
 * little used move to others of their class, so memory never stays where it is not needed.
 */

/** An address counts units of 8 bytes: what fits 32 bits reaches 32 GiB. */
const UNIT_SHIFT = 3;

const PAGE_SHIFT = 16;
export const PAGE_BYTES = 1 << PAGE_SHIFT;

/** A page holds at least four chunks; larger values take several chunks. */
export const CHUNK_BYTES_MAX = PAGE_BYTES / 4;
const CHUNK_BYTES_MIN = 48;

// One buffer each. Untouched memory costs nothing: the system gives it on first use.
const REGION_SHIFT = 30;
const REGION_BYTES = 2 ** REGION_SHIFT;
const REGION_ADDRESS_BITS = REGION_SHIFT - UNIT_SHIFT;
const REGION_ADDRESS_MASK = (1 << REGION_ADDRESS_BITS) - 1;
const PAGE_ADDRESS_BITS = PAGE_SHIFT - UNIT_SHIFT;
const PAGES_MAX = 2 ** (32 - PAGE_ADDRESS_BITS);

/** The address that is none: the first page is never used. */
export const NOWHERE = 0;
/** The first word of a chunk that is free. Who takes a chunk writes another. */
const FREE = 0;
/** The first word of a chunk that was just taken. */
const TAKEN = 0xffffffff;

const NO_CLASS = 0xff;
const WHOLE = 0xfe;
const NO_PAGE = -1;
// How much of the pages in use may lie idle before pages change their class instead of new ones being touched.
const IDLE_SHARE_MAX = 1 / 8;

// Of how many pages the emptiest is chosen to be cleared.
const CLEARING_CANDIDATES = 32;

/** The same memory in the forms in which it is read and written. */
export interface Region {
  readonly buffer: ArrayBuffer;
  readonly bytes: Buffer;
  readonly words: Uint32Array;
}

const CLASS_SIZES = classSizes();
const CLASS_OF_UNITS = classTable();

interface ChunkHeapParts {
  /** All memory that there may ever be, in bytes. */
  readonly bytesMax: number;
  /** A chunk has been copied elsewhere: whatever names its address has to name the new one. */
  readonly moved: (from: number, to: number) => void;
}

export class ChunkHeap {
  readonly #parts: ChunkHeapParts;
  readonly #regions: Region[] = [];
  readonly #pagesMax: number;
  #pagesTouched = 1;
  #pagesInUse = 0;
  // Of each page: its class, chunks in use, chunks ever carved, first free chunk, and its neighbours in
  // the list of its class's pages with room (or of free pages).
  readonly #pageClass: Uint8Array;
  readonly #pageUsed: Uint16Array;
  readonly #pageCarved: Uint16Array;
  readonly #pageFree: Uint32Array;
  readonly #pageNext: Int32Array;
  readonly #pagePrevious: Int32Array;
  // Of each class: its first page with room, and the chunks free in all its pages.
  readonly #roomy = new Int32Array(CLASS_SIZES.length).fill(NO_PAGE);
  readonly #freeChunks = new Float64Array(CLASS_SIZES.length);
  #freePage = NO_PAGE;

  constructor(parts: ChunkHeapParts) {
    this.#parts = parts;
    this.#pagesMax = Math.min(Math.floor(parts.bytesMax / PAGE_BYTES) + 1, PAGES_MAX);
    this.#pageClass = new Uint8Array(this.#pagesMax).fill(NO_CLASS);
    this.#pageUsed = new Uint16Array(this.#pagesMax);
    this.#pageCarved = new Uint16Array(this.#pagesMax);
    this.#pageFree = new Uint32Array(this.#pagesMax);
    this.#pageNext = new Int32Array(this.#pagesMax);
    this.#pagePrevious = new Int32Array(this.#pagesMax);
    // All of it now: a machine that cannot promise so much says so at the start, not to some client.
    const bytes = this.#pagesMax * PAGE_BYTES;
    for (let start = 0; start < bytes; start += REGION_BYTES) {
      this.#regions.push(regionOf(Math.min(REGION_BYTES, bytes - start)));
    }
  }

  /** What all pages take that hold anything. */
  get bytesInUse(): number {
    return this.#pagesInUse * PAGE_BYTES;
  }

  /** Pages that hold nothing. */
  get pagesLeft(): number {
    return this.#pagesMax - 1 - this.#pagesInUse;
  }

  /** What all pages take that ever held anything. */
  get bytesTouched(): number {
    return (this.#pagesTouched - 1) * PAGE_BYTES;
  }

  /** The bytes of the region that an address is in; see `byteOf`. */
  bytes(address: number): Buffer {
    return this.region(address).bytes;
  }

  words(address: number): Uint32Array {
    return this.region(address).words;
  }

  /** A chunk of at least `size` bytes, or NOWHERE: then something must be freed first. */
  allocate(size: number): number {
    const chunkClass = classFor(size);
    const page = this.#pageWithRoom(chunkClass);
    if (page === NO_PAGE) return NOWHERE;
    const address = this.#takeChunk(page, chunkClass);
    this.words(address)[wordOf(address)] = TAKEN;
    return address;
  }

  /** A whole page, which stays where it is, or NOWHERE: then something must be freed first. */
  allocatePage(): number {
    const page = this.#takeFreePage();
    if (page === NO_PAGE) return NOWHERE;
    this.#pageClass[page] = WHOLE;
    return chunkAddress(page, 0, 0);
  }

  freePage(address: number): void {
    this.#vacate(address >>> PAGE_ADDRESS_BITS);
  }

  /** The numbers in a whole page. */
  pageWords(address: number): Uint32Array {
    const first = wordOf(address);
    return this.words(address).subarray(first, first + PAGE_BYTES / 4);
  }

  free(address: number): void {
    const page = address >>> PAGE_ADDRESS_BITS;
    const chunkClass = this.#pageClass[page] as number;
    const words = this.words(address);
    const word = wordOf(address);
    words[word] = FREE;
    words[word + 1] = this.#pageFree[page] as number;
    this.#pageFree[page] = address;
    const used = (this.#pageUsed[page] as number) - 1;
    this.#pageUsed[page] = used;
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) + 1;
    if (used === 0) this.#releasePage(page, chunkClass);
    else if (used === chunksPerPage(chunkClass) - 1) this.#enlist(page, chunkClass);
  }

  /** What a chunk takes, in bytes. */
  chunkBytes(address: number): number {
    return sizeOfClass(this.#pageClass[address >>> PAGE_ADDRESS_BITS] as number);
  }

  /** The region that an address is in. */
  region(address: number): Region {
    return this.#regions[address >>> REGION_ADDRESS_BITS] as Region;
  }

  #pageWithRoom(chunkClass: number): number {
    const page = this.#roomy[chunkClass] as number;
    if (page !== NO_PAGE) return page;
    const free = this.#takeFreePage();
    if (free !== NO_PAGE) this.#dedicate(free, chunkClass);
    return free;
  }

  #takeFreePage(): number {
    if (this.#freePage === NO_PAGE && !this.#growOrClear()) return NO_PAGE;
    const page = this.#freePage;
    this.#freePage = this.#pageNext[page] as number;
    this.#pagesInUse++;
    return page;
  }

  // Lists another page as free. Where too much lies idle, a page is cleared rather than a new one touched: memory once
  // touched stays with the process.
  #growOrClear(): boolean {
    const mayGrow = this.#pagesTouched < this.#pagesMax;
    const isThrifty = this.#idleBytes() <= this.bytesInUse * IDLE_SHARE_MAX;
    if (!(mayGrow && isThrifty) && this.#clearSomePage()) return true;
    if (!mayGrow) return false;
    this.#listFree(this.#pagesTouched++);
    return true;
  }

  // What is free in pages that are in use.
  #idleBytes(): number {
    return this.#freeChunks.reduce((sum, free, i) => sum + free * sizeOfClass(i), 0);
  }

  #dedicate(page: number, chunkClass: number): void {
    this.#pageClass[page] = chunkClass;
    this.#pageUsed[page] = 0;
    this.#pageCarved[page] = 0;
    this.#pageFree[page] = NOWHERE;
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) + chunksPerPage(chunkClass);
    this.#enlist(page, chunkClass);
  }

  #releasePage(page: number, chunkClass: number): void {
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) - chunksPerPage(chunkClass);
    this.#delist(page, chunkClass);
    this.#vacate(page);
  }

  #vacate(page: number): void {
    this.#pageClass[page] = NO_CLASS;
    this.#pagesInUse--;
    this.#listFree(page);
  }

  #listFree(page: number): void {
    this.#pageNext[page] = this.#freePage;
    this.#freePage = page;
  }

  #takeChunk(page: number, chunkClass: number): number {
    let address = this.#pageFree[page] as number;
    if (address === NOWHERE) {
      const carved = this.#pageCarved[page] as number;
      this.#pageCarved[page] = carved + 1;
      address = chunkAddress(page, chunkClass, carved);
    } else {
      this.#pageFree[page] = this.words(address)[wordOf(address) + 1] as number;
    }
    const used = (this.#pageUsed[page] as number) + 1;
    this.#pageUsed[page] = used;
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) - 1;
    if (used === chunksPerPage(chunkClass)) this.#delist(page, chunkClass);
    return address;
  }

  // Empties a page of a class whose free chunks would fill one. A page's chunks are moved at once: at
  // most 64 KiB, a fraction of a millisecond.
  #clearSomePage(): boolean {
    const chunkClass = this.#mostWastefulClass();
    if (chunkClass === NO_CLASS) return false;
    const page = this.#emptiestPage(chunkClass);
    this.#delist(page, chunkClass);
    const carved = this.#pageCarved[page] as number;
    for (let i = 0; i < carved; i++) this.#moveChunk(chunkAddress(page, chunkClass, i), chunkClass);
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) - chunksPerPage(chunkClass);
    this.#vacate(page);
    return true;
  }

  #moveChunk(from: number, chunkClass: number): void {
    if (this.words(from)[wordOf(from)] === FREE) return;
    const to = this.#takeChunk(this.#roomy[chunkClass] as number, chunkClass);
    const start = byteOf(from);
    this.bytes(to).set(this.bytes(from).subarray(start, start + sizeOfClass(chunkClass)), byteOf(to));
    // The chunk it leaves is free, though its page is not listed any more.
    this.#freeChunks[chunkClass] = (this.#freeChunks[chunkClass] as number) + 1;
    this.#parts.moved(from, to);
  }

  #mostWastefulClass(): number {
    let most = 0;
    let found = NO_CLASS;
    for (let i = 0; i < CLASS_SIZES.length; i++) {
      const free = this.#freeChunks[i] as number;
      if (free < chunksPerPage(i) || free * sizeOfClass(i) <= most) continue;
      most = free * sizeOfClass(i);
      found = i;
    }
    return found;
  }

  #emptiestPage(chunkClass: number): number {
    let best = this.#roomy[chunkClass] as number;
    let page = best;
    for (let i = 0; i < CLEARING_CANDIDATES && page !== NO_PAGE; i++) {
      if ((this.#pageUsed[page] as number) < (this.#pageUsed[best] as number)) best = page;
      page = this.#pageNext[page] as number;
    }
    return best;
  }

  #enlist(page: number, chunkClass: number): void {
    const first = this.#roomy[chunkClass] as number;
    this.#pageNext[page] = first;
    this.#pagePrevious[page] = NO_PAGE;
    if (first !== NO_PAGE) this.#pagePrevious[first] = page;
    this.#roomy[chunkClass] = page;
  }

  #delist(page: number, chunkClass: number): void {
    const next = this.#pageNext[page] as number;
    const previous = this.#pagePrevious[page] as number;
    if (previous === NO_PAGE) this.#roomy[chunkClass] = next;
    else this.#pageNext[previous] = next;
    if (next !== NO_PAGE) this.#pagePrevious[next] = previous;
  }
}

/** Where in its region's words an address is. */
export function wordOf(address: number): number {
  return (address & REGION_ADDRESS_MASK) << 1;
}

/** Where in its region's bytes an address is. */
export function byteOf(address: number): number {
  return (address & REGION_ADDRESS_MASK) << UNIT_SHIFT;
}

/** What a chunk for `size` bytes takes. */
export function chunkBytesFor(size: number): number {
  return sizeOfClass(classFor(size));
}

function regionOf(length: number): Region {
  const buffer = new ArrayBuffer(length);
  return { buffer, bytes: Buffer.from(buffer), words: new Uint32Array(buffer) };
}

function chunkAddress(page: number, chunkClass: number, index: number): number {
  // Multiplied, not shifted: an address may need all 32 bits.
  return page * 2 ** PAGE_ADDRESS_BITS + index * (sizeOfClass(chunkClass) >>> UNIT_SHIFT);
}

function classFor(size: number): number {
  return CLASS_OF_UNITS[(size + 7) >>> UNIT_SHIFT] as number;
}

function sizeOfClass(chunkClass: number): number {
  return CLASS_SIZES[chunkClass] as number;
}

function chunksPerPage(chunkClass: number): number {
  return CHUNKS_PER_PAGE[chunkClass] as number;
}

// Small sizes are 8 bytes apart, then a sixteenth, then an eighth; the largest divide a page evenly.
function classSizes(): number[] {
  const sizes: number[] = [];
  for (let size = CHUNK_BYTES_MIN; size < PAGE_BYTES / 16; ) {
    sizes.push(size);
    size += Math.max(8, Math.floor(size / (size < 1024 ? 16 : 8) / 8) * 8);
  }
  for (let count = 16; count >= 4; count--) sizes.push(Math.floor(PAGE_BYTES / count / 8) * 8);
  return sizes;
}

// The smallest class that holds so many units.
function classTable(): Uint8Array {
  const table = new Uint8Array((CHUNK_BYTES_MAX >>> UNIT_SHIFT) + 1);
  for (let units = 0, chunkClass = 0; units < table.length; units++) {
    while ((CLASS_SIZES[chunkClass] as number) < units * 8) chunkClass++;
    table[units] = chunkClass;
  }
  return table;
}

const CHUNKS_PER_PAGE = CLASS_SIZES.map((size) => Math.floor(PAGE_BYTES / size));
