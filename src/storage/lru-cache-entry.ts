import type { LRUCache } from 'lru-cache';
import { type Cas, type Draft, type Item, NEVER, type ValueKind } from '../engine/item.ts';
import type { Contents } from './memory-cache.ts';

/** The items of a cache by key, in the order of their use. */
export type Entries = LRUCache<string, Entry>;

/** One item, with its place. */
export class Entry implements Item {
  readonly contents: Contents<Entries>;
  readonly key: string;
  size = 0;
  value: Buffer = Buffer.alloc(0);
  kind: ValueKind = 'bytes';
  flags = 0;
  cas: Cas = 0;
  expiresAt = 0;
  accessedAt = 0;
  fetched = false;
  stale = false;
  recaching = false;

  constructor(contents: Contents<Entries>, key: string) {
    this.contents = contents;
    // Out of a URL or of a line of a dump, it is a view of the whole, which it would keep alive.
    this.key = Buffer.from(key, 'latin1').toString('latin1');
  }

  get valueLength(): number {
    return this.value.length;
  }

  get hasExpiry(): boolean {
    return this.expiresAt !== NEVER;
  }

  copyValue(target: Buffer, at: number): void {
    this.value.copy(target, at);
  }

  /** To the second, as memcached tells it. */
  usedAt(time: number): void {
    this.accessedAt = Math.floor(time / 1000) * 1000;
  }

  fill(draft: Draft, size: number): void {
    this.size = size;
    // A view of a socket's chunk would keep the whole chunk alive.
    this.value = Buffer.from(draft.value);
    this.kind = draft.kind;
    this.flags = draft.flags;
    this.cas = draft.cas;
    this.expiresAt = draft.expiresAt;
    this.fetched = draft.fetched ?? false;
    this.stale = draft.stale ?? false;
    this.recaching = draft.recaching ?? false;
  }
}
