import { type Draft, NEVER } from '../../engine/item.ts';
import type { ItemMarks } from '../../engine/journal.ts';
import type { Key, KeyBytes } from '../../engine/key.ts';
import type { Contents } from '../memory-cache.ts';
import type { ItemRestoration } from '../memory-restoration.ts';
import { itemBytes } from './arena-item.ts';
import { NOWHERE } from './chunk-heap.ts';
import type { HeldItems } from './held-items.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { type Owner, type PackedItems, pagesFor } from './packed-items.ts';

interface ArenaRestorationParts {
  readonly items: PackedItems;
  readonly held: HeldItems;
  readonly hash: KeyedHash;
  /** A key as bytes, to be used before the next call. */
  readonly bytesOf: (key: Key) => KeyBytes;
  /** See JournaledStore.restoration. */
  readonly later: () => boolean;
}

/** Puts items back into the arena store. */
export class ArenaRestoration implements ItemRestoration<Owner> {
  readonly #parts: ArenaRestorationParts;

  constructor(parts: ArenaRestorationParts) {
    this.#parts = parts;
  }

  put(contents: Contents<Owner>, given: Key, draft: Draft, accessedAt: number): void {
    const { items, held, hash: hashes, bytesOf, later } = this.#parts;
    const { id, order } = contents.kept;
    const key = bytesOf(given);
    const hash = hashes.of(key, id);
    const found = items.find(key, id, hash);
    if (found !== NOWHERE) {
      if (items.overwrite(found, key, contents.kept, draft, itemBytes(key.length, draft))) {
        items.at(found).use(accessedAt, false);
        return;
      }
      // There need not be room for both, since what was there may be the same: told once more, or amended since.
      held.remove(found, contents);
    }
    held.restore(contents, key, hash, draft, later);
    items.at(order.newest).use(accessedAt, false);
  }

  // In its place, as it was amended: it takes what it took.
  amend(contents: Contents<Owner>, key: Key, marks: ItemMarks): void {
    const { items } = this.#parts;
    const address = this.#find(contents, key);
    if (address === NOWHERE) return;
    const { expiresAt, cas, stale, recaching, fetched, accessedAt } = marks;
    const { hasExpiry, value, kind, flags } = items.at(address);
    if (!hasExpiry && expiresAt !== NEVER) {
      this.put(contents, key, { value, kind, flags, ...marks }, accessedAt);
      return;
    }
    if (hasExpiry) items.setExpiry(address, expiresAt);
    contents.kept.order.use(address);
    const item = items.at(address);
    item.setCas(cas);
    item.setMarks({ stale, recaching });
    item.use(accessedAt, fetched);
  }

  remove(contents: Contents<Owner>, key: Key): void {
    const address = this.#find(contents, key);
    if (address !== NOWHERE) this.#parts.held.remove(address, contents);
  }

  orderByUse({ kept }: Contents<Owner>): void {
    kept.order.sort((address) => this.#parts.items.at(address).accessedAt);
  }

  // The item's pages, and one that the index may need.
  mayEvict({ length }: Key, draft: Draft): boolean {
    return this.#parts.items.heap.pagesLeft <= pagesFor(itemBytes(length, draft)) + 1;
  }

  count() {
    const { items, held } = this.#parts;
    return { items: items.index.size, evictions: held.evictions };
  }

  #find({ kept }: Contents<Owner>, given: Key): number {
    const { items, hash, bytesOf } = this.#parts;
    const key = bytesOf(given);
    return items.find(key, kept.id, hash.of(key, kept.id));
  }
}
