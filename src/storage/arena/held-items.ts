import { Refusal } from '../../engine/errors.ts';
import { type Draft, NEVER } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { Contents, ProjectAccount } from '../memory-cache.ts';
import type { MemoryCaches } from '../memory-caches.ts';
import { QuotaEviction } from '../quota-eviction.ts';
import { itemBytes } from './arena-item.ts';
import { NOWHERE, PAGE_BYTES } from './chunk-heap.ts';
import type { ContentsRegister } from './contents-register.ts';
import { type Owner, type PackedItems, packedBytes, pagesFor } from './packed-items.ts';
import { Tidying } from './tidying.ts';

// How many items are tidied away before one that is still wanted has to make room.
const TIDY_ITEMS = 16;

// How many expired items are removed by the first write of a millisecond that has no room by its quotas: that takes a
// fraction of the time.
const TIDY_ITEMS_FIRST = 500;

interface HeldItemsParts {
  /** How many bytes all items together may take, with everything that is kept about them. */
  readonly bytesMax: number;
  /** Milliseconds since the Unix epoch; never goes back. */
  readonly now: () => number;
  readonly items: PackedItems;
  readonly contents: ContentsRegister;
  readonly caches: MemoryCaches<Owner>;
}

/**
 * Packed items with what their caches and projects are charged for them. Where there is no room for one more, others
 * have to go: the expired, those of discarded contents, then the least recently used.
 */
export class HeldItems {
  readonly tidying: Tidying;
  bytes = 0;
  evictions = 0;
  expirations = 0;
  readonly #parts: HeldItemsParts;
  readonly #quotaEviction: QuotaEviction<Owner, number>;
  /** When a write last had no room by its quotas. */
  #overQuotaAt = 0;
  /** See JournaledStore.restoration; undefined: no item is put back just now. */
  #later: (() => boolean) | undefined;

  constructor(parts: HeldItemsParts) {
    const { caches, items } = parts;
    this.#parts = parts;
    this.#quotaEviction = new QuotaEviction({
      accounts: caches.accounts,
      oldestOf: ({ kept }) => kept.order.oldest,
      bytesOf: (address) => items.bytesOf(address),
      evict: (address) => this.#evict(address),
    });
    this.tidying = new Tidying({
      clearDue: (most) => caches.clearDue(most),
      expireDue: (most) => this.#expireDue(most),
      freeDiscarded: (most) => this.#freeDiscarded(most),
    });
  }

  /** Puts an item in the place of the one that was found, if any. Throws Refusal, and then leaves that as it was. */
  put(contents: Contents<Owner>, key: KeyBytes, hash: number, draft: Draft, found: number): void {
    const bytes = itemBytes(key.length, draft);
    const before = this.#keepQuotas(contents, key, hash, packedBytes(bytes), found);
    this.#place(contents, key, hash, draft, bytes, before);
  }

  /**
   * Puts an item in its own place, also in the order of use, with room for an expiry, whatever the quotas say: it takes
   * but a little more. Answers where it is. Throws Refusal `out_of_memory`, and then leaves it as it was.
   */
  rewrite(contents: Contents<Owner>, key: KeyBytes, hash: number, draft: Draft, found: number): number {
    const { items } = this.#parts;
    const { id, order } = contents.kept;
    const size = itemBytes(key.length, draft);
    const { accessedAt } = items.at(found);
    // Another expiry alone is not a use.
    const unused = (address: number, older: number): number => {
      order.move(address, older);
      items.at(address).use(accessedAt, false);
      return address;
    };
    const older = order.older(found);
    if (items.overwrite(found, key, contents.kept, draft, size)) return unused(found, older);
    try {
      this.#takeChunks(contents, size);
    } catch (error) {
      // It may itself have gone to make room, in vain: what it took is free now.
      if (items.find(key, id, hash) === NOWHERE) {
        const before = { ...draft, expiresAt: NEVER };
        this.restore(contents, key, hash, before, () => false);
        unused(order.newest, NOWHERE);
        this.#cameBack(contents, key, before, accessedAt);
      }
      throw error;
    }
    const before = items.find(key, id, hash);
    const behind = before === NOWHERE ? NOWHERE : order.older(before);
    const place = unused(this.#fillChunks(contents, key, hash, draft, before), behind);
    // It made room for itself, as the least recently used.
    if (before === NOWHERE) this.#cameBack(contents, key, draft, accessedAt);
    return place;
  }

  /** Puts back an item for which there was room before, whatever the quotas say. None may be there under its key. */
  restore(contents: Contents<Owner>, key: KeyBytes, hash: number, draft: Draft, later: () => boolean): void {
    this.#later = later;
    try {
      this.#place(contents, key, hash, draft, itemBytes(key.length, draft), NOWHERE);
    } finally {
      this.#later = undefined;
    }
  }

  remove(address: number, contents: Contents<Owner>): void {
    const { items, caches, contents: register } = this.#parts;
    const bytes = items.bytesOf(address);
    items.remove(address);
    this.bytes -= bytes;
    caches.accounts.charge(contents, -1, -bytes);
    if (contents.discarded) register.discardedItemRemoved(contents);
  }

  /** Removes an item that has expired. */
  expire(address: number): void {
    const { items, contents: register } = this.#parts;
    const contents = register.of(items.at(address).owner);
    this.remove(address, contents);
    if (contents.discarded) return;
    contents.cache.expirations++;
    this.expirations++;
  }

  // Whatever the quotas say.
  #place(
    contents: Contents<Owner>,
    key: KeyBytes,
    hash: number,
    draft: Draft,
    size: number,
    found: number,
  ): void {
    const { items } = this.#parts;
    if (found !== NOWHERE && items.overwrite(found, key, contents.kept, draft, size)) return;
    let before = found;
    const { moves } = items;
    this.#takeChunks(contents, size);
    // What was there may be what had to make room, or have moved.
    if (moves !== items.moves) before = items.find(key, contents.kept.id, hash);
    this.#fillChunks(contents, key, hash, draft, before);
  }

  // Puts an item into the chunks that were taken, and what was there before goes, if anything. Answers where it is.
  #fillChunks(contents: Contents<Owner>, key: KeyBytes, hash: number, draft: Draft, before: number): number {
    const { items, caches } = this.#parts;
    if (before !== NOWHERE) this.remove(before, contents);
    const address = items.add(key, hash, contents.kept, draft);
    const bytes = items.bytesOf(address);
    this.bytes += bytes;
    caches.accounts.charge(contents, 1, bytes);
    return address;
  }

  // What made room is there again: it was told to be gone, and counted.
  #cameBack({ cache }: Contents<Owner>, key: KeyBytes, draft: Draft, accessedAt: number): void {
    this.#parts.caches.journal?.itemPut(cache, key, draft, accessedAt);
    cache.evictions--;
    this.evictions--;
  }

  // Makes room by the quotas for an item of `size` bytes that replaces the one found. Answers where that one is then:
  // it may have had to go.
  #keepQuotas(contents: Contents<Owner>, key: KeyBytes, hash: number, size: number, found: number): number {
    const { items, caches } = this.#parts;
    if (caches.accounts.isUnlimited(contents) || !this.#isOverQuota(contents, size, found)) return found;
    const { moves } = items;
    this.#expireForQuotas();
    // What was there may have expired just now.
    const isWhereItWas = found === NOWHERE || moves === items.moves;
    const before = isWhereItWas ? found : items.find(key, contents.kept.id, hash);
    return this.#quotaEviction.makeRoom(contents, size, before === NOWHERE ? undefined : before) ?? NOWHERE;
  }

  #isOverQuota(contents: Contents<Owner>, size: number, before: number): boolean {
    const { items, caches } = this.#parts;
    return before === NOWHERE
      ? caches.accounts.isOverQuota(contents, 1, size)
      : caches.accounts.isOverQuota(contents, 0, size - items.bytesOf(before));
  }

  // Neither expired items nor those that are to be cleared by now take room from live ones. However many there are, and
  // however many ask for room, others have their turn meanwhile: time stands still within a turn, so only its first
  // write removes many.
  #expireForQuotas(): void {
    const { caches, now: clock } = this.#parts;
    const now = clock();
    this.#expireDue(caches.clearDue(now === this.#overQuotaAt ? TIDY_ITEMS : TIDY_ITEMS_FIRST));
    this.#overQuotaAt = now;
  }

  // Throws Refusal `out_of_memory`.
  #takeChunks({ cache }: Contents<Owner>, bytes: number): void {
    const { items, bytesMax } = this.#parts;
    // One page is the index's, at least.
    if ((pagesFor(bytes) + 1) * PAGE_BYTES > bytesMax) {
      throw new Refusal('out_of_memory', `an item of ${bytes} bytes is more than the memory limit allows`);
    }
    const { index } = items;
    // What was there before a restart goes before a quick index.
    while (index.needsPage && !index.takePage() && !this.#later && this.#makeRoom(cache.account, bytes));
    while (!items.takeChunks(bytes)) {
      if (this.#makeRoom(cache.account, bytes)) continue;
      items.giveChunksBack();
      throw new Refusal('out_of_memory', 'memory is full of items that may not be evicted');
    }
  }

  // Frees an unwanted item if it finds one soon, else the accounts' victim. False: none may go, or it would be in vain
  // for an item of so many bytes, and all have been looked at.
  #makeRoom(writer: ProjectAccount<Owner>, bytes: number): boolean {
    const { items, caches } = this.#parts;
    const before = items.index.size;
    const hasMore = this.tidying.free(TIDY_ITEMS) === 0;
    if (items.index.size < before) return true;
    if (this.#later && (hasMore || items.index.giveWay() || this.#later())) return true;
    const victim = caches.accounts.victimFor(writer, packedBytes(bytes));
    if (victim) this.#evict(victim.kept.order.oldest);
    return victim !== undefined || hasMore;
  }

  #evict(address: number): void {
    const { items, caches, contents: register, now } = this.#parts;
    const item = items.at(address);
    if (item.expiresAt <= now()) {
      this.expire(address);
      return;
    }
    const contents = register.of(item.owner);
    caches.journal?.itemRemoved(contents.cache, item.keyBytes);
    this.remove(address, contents);
    contents.cache.evictions++;
    this.evictions++;
  }

  #expireDue(most: number): number {
    const { items, now } = this.#parts;
    return items.expiry.expire(now(), most, (address) => this.expire(address));
  }

  // Frees up to `most` items of discarded contents, and says how many more it might have.
  #freeDiscarded(most: number): number {
    let left = most;
    for (const contents of this.#parts.contents.discarded) {
      for (; left > 0 && contents.items > 0; left--) this.remove(contents.kept.order.oldest, contents);
      if (left === 0) break;
    }
    return left;
  }
}
