import type { CacheSettings, Quota } from '../engine/cache-settings.ts';
import { Refusal } from '../engine/errors.ts';
import type { Contents, ProjectAccount } from './memory-cache.ts';

// Of so many caches of a project, the one whose items have gone unused for longest gives the victim.
const CACHES_COMPARED = 8;

// How many projects each eviction compares, in turn, by how much of their share they hold, so that none costs much.
const ACCOUNTS_COMPARED = 16;

// All are compared where those hold less than this part of what the fullest held, since that may have deleted its
// items; or where there was a change for every so many projects since the last eviction: another may be the fullest.
const PART_OF_FULLEST = 7 / 8;
const PROJECTS_PER_CHANGE = 8;

interface ProjectAccountsParts<K> {
  /** What all projects may hold together. */
  readonly bytesMax: number;
  /** When the least recently used item of contents that have items was used, in ms since the epoch. */
  readonly oldestUse: (contents: Contents<K>) => number;
}

/**
 * Who holds how much, and so whose items make room. A project's share is its quota, or else an equal part
 * of all memory; when memory is full, items go from the project that holds most of its share. So no project loses an
 * item to one that holds more of its share.
 */
export class ProjectAccounts<K> {
  readonly #parts: ProjectAccountsParts<K>;
  readonly #accounts = new Map<string, ProjectAccount<K>>();
  /** The accounts that have anything evictable. */
  readonly #evictable: ProjectAccount<K>[] = [];
  #holding = 0;
  /** What of all that is held may not make room. */
  #keptBytes = 0;
  /** The fullest of those that were compared last. */
  #fullest: ProjectAccount<K> | undefined;
  /** What the fullest of all held of its share. */
  #shareOfFullest = 0;
  /** Since the last eviction. */
  #changes = 0;
  #accountsCompared = 0;
  #cachesCompared = 0;

  constructor(parts: ProjectAccountsParts<K>) {
    this.#parts = parts;
  }

  of(projectId: string): ProjectAccount<K> {
    let account = this.#accounts.get(projectId);
    if (!account) {
      account = { quota: {}, items: 0, bytes: 0, keptBytes: 0, evictable: [] };
      this.#accounts.set(projectId, account);
    }
    return account;
  }

  /** A project has no caches: unless it has a quota, nothing need be known of it, and it may be gone for good. */
  forget(projectId: string): void {
    const account = this.#accounts.get(projectId);
    if (account && isUnlimited(account.quota)) this.#accounts.delete(projectId);
  }

  /** Items came (or went, where the numbers are negative). */
  charge(contents: Contents<K>, items: number, bytes: number): void {
    contents.items += items;
    contents.bytes += bytes;
    if (!contents.discarded) this.#book(contents, items, bytes);
  }

  /** Contents were discarded: their project does not hold them any more. */
  discharge(contents: Contents<K>): void {
    this.#book(contents, -contents.items, -contents.bytes);
  }

  /** The cache of these contents gets other settings. */
  configure(contents: Contents<K>, settings: CacheSettings): void {
    this.discharge(contents);
    contents.cache.settings = settings;
    this.#book(contents, contents.items, contents.bytes);
  }

  /**
   * Whose least recently used item makes room for a project. `more` is what would come to what may not make room, if
   * all went that may. Undefined: nobody's does, or it would be in vain.
   */
  victimFor(writer: ProjectAccount<K>, more: number): Contents<K> | undefined {
    if (this.#keptBytes + more > this.#parts.bytesMax) return undefined;
    const fullest = this.#mostOverShare(writer);
    return fullest && this.#leastRecentlyUsed(fullest, 'bytes');
  }

  /** Are there no quotas at all? Then `isOverQuota` need not be asked. */
  isUnlimited({ cache: { account, settings } }: Contents<K>): boolean {
    return isUnlimited(settings.quota) && isUnlimited(account.quota);
  }

  /** Would it be too much by the quotas with so much more? Where they were lowered, it may be already. */
  isOverQuota(contents: Contents<K>, items: number, bytes: number): boolean {
    const { account, settings } = contents.cache;
    return exceeds(settings.quota, contents, items, bytes) || exceeds(account.quota, account, items, bytes);
  }

  /**
   * Whose least recently used item has to go before contents may hold more by the quotas, or undefined.
   * `size` is what is to be stored, the others what it adds. Throws Refusal `over_quota`, but never where it adds
   * nothing to what is too much already.
   */
  victimOfQuota(contents: Contents<K>, size: number, items: number, bytes: number): Contents<K> | undefined {
    const { account, settings, name } = contents.cache;
    const isCacheOver = exceeds(settings.quota, contents, items, bytes);
    const isCacheVictim = size <= (settings.quota.bytesMax ?? size) && contents.place >= 0;
    if (isCacheOver && !isCacheVictim && addsTooMuch(settings.quota, contents, items, bytes)) {
      throw overQuota(`the cache ${name}`, settings.quota);
    }
    if (this.#isInVain(contents, size, bytes)) throw overQuota('the project', account.quota);
    if (isCacheOver && isCacheVictim) return contents;
    if (!exceeds(account.quota, account, items, bytes)) return undefined;
    if (size <= (account.quota.bytesMax ?? size) && account.evictable.length > 0) {
      const isTooLarge = exceeds({ bytesMax: account.quota.bytesMax }, account, 0, bytes);
      return this.#leastRecentlyUsed(account, isTooLarge ? 'bytes' : 'items');
    }
    if (addsTooMuch(account.quota, account, items, bytes)) throw overQuota('the project', account.quota);
    return undefined;
  }

  // Would it be too many bytes for the project even if all went that may? Then none goes. Where the quota was lowered,
  // what is more than that goes all the same. For one more item, one that may go is always enough.
  #isInVain({ cache }: Contents<K>, size: number, bytes: number): boolean {
    const { account, settings } = cache;
    if (exceeds(account.quota, account, 0, 0)) return false;
    // The version before may have to go itself.
    const more = settings.policy === 'lru' ? size : bytes;
    return account.keptBytes + more > (account.quota.bytesMax ?? Number.POSITIVE_INFINITY);
  }

  #book(contents: Contents<K>, items: number, bytes: number): void {
    const { account, settings } = contents.cache;
    const before = account.items;
    this.#changes++;
    account.items += items;
    account.bytes += bytes;
    if (before === 0 && account.items > 0) this.#holding++;
    else if (before > 0 && account.items === 0) this.#holding--;
    if (settings.policy === 'none') {
      account.keptBytes += bytes;
      this.#keptBytes += bytes;
    }
    this.#enlist(contents);
  }

  // Whether contents may be evicted may have changed.
  #enlist(contents: Contents<K>): void {
    const { account, settings } = contents.cache;
    const mayGo = contents.items > 0 && settings.policy === 'lru' && !contents.discarded;
    if (mayGo === contents.place >= 0) return;
    const before = account.evictable.length;
    if (mayGo) contents.place = account.evictable.push(contents) - 1;
    else strike(account.evictable, contents);
    if (before === 0) this.#evictable.push(account);
    else if (account.evictable.length === 0) this.#evictable.splice(this.#evictable.indexOf(account), 1);
  }

  // Undefined: everyone with anything evictable holds less of its share than the writer.
  #mostOverShare(writer: ProjectAccount<K>): ProjectAccount<K> | undefined {
    const held = this.#shareHeld(writer);
    let share = this.#compare(writer, ACCOUNTS_COMPARED);
    if (!this.#isLikeFullest(share) || share < held) {
      share = this.#compare(writer, this.#evictable.length);
      this.#shareOfFullest = share;
    }
    this.#shareOfFullest = Math.max(this.#shareOfFullest, share);
    this.#changes = 0;
    return share < held ? undefined : this.#fullest;
  }

  // Is nobody likely to hold much more than that, as far as can be told without comparing all?
  #isLikeFullest(share: number): boolean {
    const { length } = this.#evictable;
    if (length <= ACCOUNTS_COMPARED) return true;
    return this.#changes * PROJECTS_PER_CHANGE <= length && share >= this.#shareOfFullest * PART_OF_FULLEST;
  }

  // Compares the writer, the previous fullest and up to `most` others that have anything evictable. Answers what share
  // the fullest of them holds; below 0, there is none.
  #compare(writer: ProjectAccount<K>, most: number): number {
    let fullest = this.#evictableShare(this.#fullest) > this.#evictableShare(writer) ? this.#fullest : writer;
    let share = this.#evictableShare(fullest);
    for (let i = Math.min(most, this.#evictable.length); i > 0; i--) {
      this.#accountsCompared = (this.#accountsCompared + 1) % this.#evictable.length;
      const account = this.#evictable[this.#accountsCompared] as ProjectAccount<K>;
      const held = this.#shareHeld(account);
      if (held <= share) continue;
      fullest = account;
      share = held;
    }
    this.#fullest = fullest;
    return share;
  }

  #evictableShare(account: ProjectAccount<K> | undefined): number {
    return account && account.evictable.length > 0 ? this.#shareHeld(account) : -1;
  }

  #shareHeld({ bytes, quota }: ProjectAccount<K>): number {
    return bytes / (quota.bytesMax ?? this.#parts.bytesMax / this.#holding);
  }

  // Times of use are whole seconds: of caches whose oldest are of the same one, it is that which holds most. Else all
  // would go from the same cache for that second, and it held nothing where a project fills its room within one.
  #leastRecentlyUsed({ evictable }: ProjectAccount<K>, measure: 'items' | 'bytes'): Contents<K> | undefined {
    let found: Contents<K> | undefined;
    let foundUse = Number.POSITIVE_INFINITY;
    for (let i = 0; i < Math.min(CACHES_COMPARED, evictable.length); i++) {
      this.#cachesCompared = (this.#cachesCompared + 1) % evictable.length;
      const contents = evictable[this.#cachesCompared] as Contents<K>;
      const use = this.#parts.oldestUse(contents);
      const isLater = use === foundUse ? contents[measure] <= (found?.[measure] ?? 0) : use > foundUse;
      if (isLater) continue;
      found = contents;
      foundUse = use;
    }
    return found;
  }
}

// Fills the gap with the last, which takes no longer in a long list.
function strike<K>(list: Contents<K>[], contents: Contents<K>): void {
  const last = list.pop() as Contents<K>;
  if (last !== contents) {
    list[contents.place] = last;
    last.place = contents.place;
  }
  contents.place = -1;
}

interface Held {
  readonly items: number;
  readonly bytes: number;
}

function exceeds({ bytesMax, itemsMax }: Quota, held: Held, items: number, bytes: number): boolean {
  return (
    (itemsMax !== undefined && held.items + items > itemsMax) ||
    (bytesMax !== undefined && held.bytes + bytes > bytesMax)
  );
}

/** Does it exceed by what is added, be it only further than before? */
function addsTooMuch(quota: Quota, held: Held, items: number, bytes: number): boolean {
  return (
    (items > 0 && exceeds({ itemsMax: quota.itemsMax }, held, items, bytes)) ||
    (bytes > 0 && exceeds({ bytesMax: quota.bytesMax }, held, items, bytes))
  );
}

function isUnlimited({ bytesMax, itemsMax }: Quota): boolean {
  return bytesMax === undefined && itemsMax === undefined;
}

function overQuota(who: string, { bytesMax, itemsMax }: Quota): Refusal {
  const most = [
    ...(bytesMax === undefined ? [] : [`${bytesMax} bytes`]),
    ...(itemsMax === undefined ? [] : [`${itemsMax} items`]),
  ];
  return new Refusal('over_quota', `${who} may hold at most ${most.join(' and ')}`);
}
