import { type ChunkHeap, NOWHERE, wordOf } from './chunk-heap.ts';
import { EXPIRES, NEXT_EXPIRING, PREVIOUS_EXPIRING } from './item-layout.ts';

/** A list for each second of the block of seconds that is now, then one for each block to come. */
const BLOCK_SECONDS = 4096;
const FAR_BLOCKS = 4096;

/** What was due already when it was added. */
const OVERDUE = BLOCK_SECONDS + FAR_BLOCKS;
/** What the block that has begun still has to spread over its seconds. */
const ARRIVING = OVERDUE + 1;

/**
 * What expires when, by the second: lists, which the items themselves link. A timing wheel of two levels:
 * what expires in the block of 4,096 seconds that is now has lists by the second, what expires later has
 * lists by the block, 194 days ahead (and what is later still goes round again). So neither the number of
 * items nor that of different seconds costs anything but the items' own links.
 */
export class ExpiryWheel {
  readonly #heap: ChunkHeap;
  /** The first item of each list. */
  readonly #firsts = new Uint32Array(ARRIVING + 1).fill(NOWHERE);
  /** Items in all lists. */
  #size = 0;
  /** Up to here every second has been looked at. */
  #sweptSecond: number;
  /** The first second of the next block. */
  #blockEnd: number;

  /** `now` and all times: milliseconds since the Unix epoch. Time never goes back. */
  constructor(heap: ChunkHeap, now: number) {
    this.#heap = heap;
    this.#sweptSecond = Math.floor(now / 1000);
    this.#blockEnd = blockAfter(this.#sweptSecond);
  }

  add(address: number, now: number): void {
    const expiresAt = this.#expiresAt(address);
    this.#link(address, expiresAt <= now ? OVERDUE : this.#listOf(secondOf(expiresAt)));
    this.#size++;
  }

  /** Before the item's expiry changes, or it goes. */
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
   * Has up to `most` items removed (by `expire`, which calls `remove`) that expired before the second of
   * `now` began, and says how many more it might have had.
   */
  expireFullSeconds(now: number, most: number, expire: (address: number) => void): number {
    const last = Math.floor(now / 1000);
    for (let left = most; left > 0; left--) {
      const due = this.#firstDue(last);
      if (due !== NOWHERE) expire(due);
      else if (this.#firsts[ARRIVING] === NOWHERE) return left;
      else this.#settle(this.#firsts[ARRIVING] as number);
    }
    return 0;
  }

  /** Has the items removed that expired within the second of `now`, once all before it are gone. */
  expireWithinSecond(now: number, expire: (address: number) => void): void {
    let address = this.#firsts[(Math.floor(now / 1000) + 1) % BLOCK_SECONDS] as number;
    while (address !== NOWHERE) {
      const next = this.#get(address, NEXT_EXPIRING);
      if (this.#expiresAt(address) <= now) expire(address);
      address = next;
    }
  }

  // The first item that is due, or NOWHERE: then there is none, or a block has items that arrive.
  #firstDue(last: number): number {
    const overdue = this.#firsts[OVERDUE] as number;
    if (overdue !== NOWHERE) return overdue;
    if (this.#size === 0) this.#skipTo(last);
    while (this.#firsts[ARRIVING] === NOWHERE) {
      const second = this.#sweptSecond + 1;
      if (second === this.#blockEnd) {
        this.#beginBlock();
      } else {
        const first = this.#firsts[second % BLOCK_SECONDS] as number;
        if (second > last || first !== NOWHERE) return second > last ? NOWHERE : first;
        this.#sweptSecond = second;
      }
    }
    return NOWHERE;
  }

  #skipTo(second: number): void {
    this.#sweptSecond = Math.max(this.#sweptSecond, second);
    this.#blockEnd = blockAfter(this.#sweptSecond);
  }

  #beginBlock(): void {
    const list = farList(this.#blockEnd);
    this.#firsts[ARRIVING] = this.#firsts[list] as number;
    this.#firsts[list] = NOWHERE;
    this.#blockEnd += BLOCK_SECONDS;
  }

  #settle(address: number): void {
    this.#unlink(address);
    this.#link(address, this.#listOf(secondOf(this.#expiresAt(address))));
  }

  #listOf(second: number): number {
    return second < this.#blockEnd ? second % BLOCK_SECONDS : farList(second);
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

  // Which list an item is the first of. That it can be in several is due to time having gone on.
  #listWithFirst(address: number, expiresAt: number): number {
    const second = secondOf(expiresAt);
    const near = second % BLOCK_SECONDS;
    if (this.#firsts[near] === address) return near;
    const far = farList(second);
    if (this.#firsts[far] === address) return far;
    return this.#firsts[ARRIVING] === address ? ARRIVING : OVERDUE;
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

function secondOf(expiresAt: number): number {
  return Math.ceil(expiresAt / 1000);
}

function farList(second: number): number {
  return BLOCK_SECONDS + (Math.floor(second / BLOCK_SECONDS) % FAR_BLOCKS);
}

function blockAfter(second: number): number {
  return (Math.floor((second + 1) / BLOCK_SECONDS) + 1) * BLOCK_SECONDS;
}
