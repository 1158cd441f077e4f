import type { Contents } from './memory-cache.ts';
import type { ProjectAccounts } from './project-accounts.ts';

// How many items a write may evict in a project that holds much more than its lowered quota.
const EVICTED_MAX = 16;

/** What is needed of a store, which knows its items by `I`: anything but undefined. */
interface QuotaEvictionParts<K, I> {
  readonly accounts: ProjectAccounts<K>;
  /** The least recently used item of contents that have any. */
  readonly oldestOf: (contents: Contents<K>) => I;
  readonly bytesOf: (item: I) => number;
  readonly evict: (item: I) => void;
}

/** Makes room by the quotas of caches and projects: their least recently used items go. */
export class QuotaEviction<K, I> {
  readonly #parts: QuotaEvictionParts<K, I>;

  constructor(parts: QuotaEvictionParts<K, I>) {
    this.#parts = parts;
  }

  /**
   * Makes room for an item of `size` bytes that replaces the one found, if any. Answers that one, or undefined where it
   * had to go itself. Throws Refusal `over_quota`.
   */
  makeRoom(contents: Contents<K>, size: number, found: I | undefined): I | undefined {
    const { accounts, oldestOf, bytesOf, evict } = this.#parts;
    let before = found;
    let bytesFreed = 0;
    for (let evicted = 0; ; evicted++) {
      const more = before === undefined ? size : size - bytesOf(before);
      const victim = accounts.victimOfQuota(contents, size, before === undefined ? 1 : 0, more);
      // Where a quota was lowered, each write frees a little more than it takes, and no more than that.
      if (!victim || (evicted >= EVICTED_MAX && bytesFreed >= size)) return before;
      const oldest = oldestOf(victim);
      if (oldest === before) {
        // To let it go would gain nothing, and what is in its place would be new, and might be refused.
        if (more <= 0) return before;
        before = undefined;
      }
      bytesFreed += bytesOf(oldest);
      evict(oldest);
    }
  }
}
