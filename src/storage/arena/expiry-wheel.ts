import { type ChunkHeap, NOWHERE, wordOf } from './chunk-heap.ts';
import { EXPIRES, NEXT_EXPIRING, PREVIOUS_EXPIRING } from './item-layout.ts';

const SECOND_MS = 1000;
const BLOCK_SECONDS = 4096;
const BLOCK_MS = BLOCK_SECONDS * SECOND_MS;
const BLOCKS = 4096;

// The lists: one for each millisecond of the current second, for each second of the current block, and for each block
// to come.
const SECONDS = SECOND_MS;
const FAR = SECONDS + BLOCK_SECONDS;
/** Items that were due already when they were added. */
const OVERDUE = FAR + BLOCKS;
/** Items of the current second that are still to be spread over its milliseconds. */
const ARRIVING_IN_SECOND = OVERDUE + 1;
/** Items of the current block that are still to be spread over its seconds. */
const ARRIVING_IN_BLOCK = OVERDUE + 2;
const LISTS = OVERDUE + 3;

/**
 * What expires when, to the millisecond: lists, which the items themselves link. A timing wheel of three
 * levels, so that an item is touched three times at most before it expires, however many expire together
 * and however different their times are. The far level reaches 194 days; what is later goes round again.
 */
export class ExpiryWheel {
  readonly #heap: ChunkHeap;
  /** The first item of each list. */
  readonly #firsts = new Uint32Array(LISTS).fill(NOWHERE);
  /** Items in all lists. */
  #size = 0;
  /** Up to here every millisecond has been looked at. */
  #swept = 0;
  /** When the next second begins, and the next block. */
  #secondEnd = 0;
  #blockEnd = 0;

  /** `now` and all times: milliseconds since the Unix epoch. Time never goes back. */
  constructor(heap: ChunkHeap, now: number) {
    this.#heap = heap;
    this.#skipTo(now);
  }

  add(address: number, now: number): void {
    const expiresAt = this.#expiresAt(address);
    if (this.#size === 0) this.#skipTo(now);
    this.#link(address, expiresAt <= now ? OVERDUE : this.#listOf(expiresAt));
    this.#size++;
  }

  /** To be called before the item's expiry changes, and before it goes. */
  remove(address: number): void {
    this.#unlink(address);
    this.#size--;
  }

  /** An item has been copied elsewhere. */
  moved(from: number, to: number): void {
    const next = this.#get(to, NEXT_EXPIRING);
    const previous = this.#get(to, PREVIOUS_EXPIRING);
    if (next !== NOWHERE) this.#set(next, PREVIOUS_EXPIRING, to);
    if (previous !== NOWHERE) this.#set(previous, NEXT_EXPIRING, to);
    else this.#firsts[this.#listWithFirst(from, this.#expiresAt(to))] = to;
  }

  /**
   * Calls `expire`, which calls `remove`, for items that expire at `now` or before. Takes up to `most` steps, and
   * answers how many are left: 0 means that more may be due.
   */
  expire(now: number, most: number, expire: (address: number) => void): number {
    for (let left = most; left > 0; left--) {
      const arriving = this.#advance(now);
      if (arriving !== NOWHERE) {
        this.#settle(arriving);
        continue;
      }
      const due = this.#due(now);
      if (due === NOWHERE) return left;
      expire(due);
    }
    return 0;
  }

  // Goes on to the next millisecond up to `now` that has items. Answers an item that must be spread out first.
  #advance(now: number): number {
    if (this.#size === 0) this.#skipTo(Math.max(now, this.#swept));
    while (this.#firsts[OVERDUE] === NOWHERE) {
      const arriving = this.#arriving();
      const next = this.#swept + 1;
      if (arriving !== NOWHERE || next > now) return arriving;
      if (next === this.#secondEnd) this.#beginSecond(now);
      else if (this.#firsts[next % SECOND_MS] !== NOWHERE) return NOWHERE;
      else this.#swept = next;
    }
    return NOWHERE;
  }

  #arriving(): number {
    const inBlock = this.#firsts[ARRIVING_IN_BLOCK] as number;
    return inBlock !== NOWHERE ? inBlock : (this.#firsts[ARRIVING_IN_SECOND] as number);
  }

  #due(now: number): number {
    const overdue = this.#firsts[OVERDUE] as number;
    const next = this.#swept + 1;
    if (overdue !== NOWHERE || next > now) return overdue;
    return this.#firsts[next % SECOND_MS] as number;
  }

  #beginSecond(now: number): void {
    if (this.#secondEnd === this.#blockEnd) {
      this.#exchange(farList(this.#blockEnd), ARRIVING_IN_BLOCK);
      this.#blockEnd += BLOCK_MS;
      // The second begins once these are spread out.
      if (this.#firsts[ARRIVING_IN_BLOCK] !== NOWHERE) return;
    }
    this.#exchange(secondList(this.#secondEnd), ARRIVING_IN_SECOND);
    this.#secondEnd += SECOND_MS;
    const isEmpty = this.#firsts[ARRIVING_IN_SECOND] === NOWHERE;
    if (isEmpty && this.#secondEnd <= now) this.#swept = this.#secondEnd - 1;
  }

  #exchange(list: number, arriving: number): void {
    this.#firsts[arriving] = this.#firsts[list] as number;
    this.#firsts[list] = NOWHERE;
  }

  #skipTo(now: number): void {
    this.#swept = Math.floor(now);
    this.#secondEnd = (Math.floor(now / SECOND_MS) + 1) * SECOND_MS;
    this.#blockEnd = (Math.floor(now / BLOCK_MS) + 1) * BLOCK_MS;
  }

  #settle(address: number): void {
    this.#unlink(address);
    this.#link(address, this.#listOf(this.#expiresAt(address)));
  }

  #listOf(expiresAt: number): number {
    if (expiresAt < this.#secondEnd) return expiresAt % SECOND_MS;
    return expiresAt < this.#blockEnd ? secondList(expiresAt) : farList(expiresAt);
  }

  #link(address: number, list: number): void {
    const first = this.#firsts[list] as number;
    this.#set(address, NEXT_EXPIRING, first);
    this.#set(address, PREVIOUS_EXPIRING, NOWHERE);
    if (first !== NOWHERE) this.#set(first, PREVIOUS_EXPIRING, address);
    this.#firsts[list] = address;
  }

  #unlink(address: number): void {
    const next = this.#get(address, NEXT_EXPIRING);
    const previous = this.#get(address, PREVIOUS_EXPIRING);
    if (next !== NOWHERE) this.#set(next, PREVIOUS_EXPIRING, previous);
    if (previous !== NOWHERE) this.#set(previous, NEXT_EXPIRING, next);
    else this.#firsts[this.#listWithFirst(address, this.#expiresAt(address))] = next;
  }

  // Which list an item is the first of: that depends on when it was added, and what has arrived since.
  #listWithFirst(address: number, expiresAt: number): number {
    const firsts = this.#firsts;
    const near = expiresAt % SECOND_MS;
    if (firsts[near] === address) return near;
    const second = secondList(expiresAt);
    if (firsts[second] === address) return second;
    const far = farList(expiresAt);
    if (firsts[far] === address) return far;
    if (firsts[ARRIVING_IN_SECOND] === address) return ARRIVING_IN_SECOND;
    return firsts[ARRIVING_IN_BLOCK] === address ? ARRIVING_IN_BLOCK : OVERDUE;
  }

  #expiresAt(address: number): number {
    return this.#get(address, EXPIRES + 1) * 2 ** 32 + this.#get(address, EXPIRES);
  }

  #get(address: number, field: number): number {
    return this.#heap.words(address)[wordOf(address) + field] as number;
  }

  #set(address: number, field: number, value: number): void {
    this.#heap.words(address)[wordOf(address) + field] = value;
  }
}

function secondList(time: number): number {
  return SECONDS + (Math.floor(time / SECOND_MS) % BLOCK_SECONDS);
}

function farList(time: number): number {
  return FAR + (Math.floor(time / BLOCK_MS) % BLOCKS);
}
