import type { Cas, Draft, Item, ValueKind } from '../engine/item.ts';
import type { Contents, MemoryCache } from './memory-caches.ts';
import { ShardedIndex } from './sharded-index.ts';

/** The items of a cache by key, and what they weigh. */
export class EntryContents implements Contents {
  readonly cache: MemoryCache<EntryContents>;
  readonly index: ShardedIndex<Entry>;
  bytes = 0;

  constructor(cache: MemoryCache<EntryContents>, shards: number) {
    this.cache = cache;
    this.index = new ShardedIndex(shards);
  }

  get items(): number {
    return this.index.size;
  }

  get discarded(): boolean {
    return this.cache.hasDiscarded(this);
  }
}

/** One item, with its places. */
export class Entry implements Item {
  readonly contents: EntryContents;
  readonly key: string;
  readonly shard: number;
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

  constructor(contents: EntryContents, key: string, shard: number) {
    this.contents = contents;
    this.key = key;
    this.shard = shard;
  }

  get valueLength(): number {
    return this.value.length;
  }

  copyValue(target: Buffer, at: number): void {
    this.value.copy(target, at);
  }

  fill(draft: Draft, size: number, now: number): void {
    this.size = size;
    // A view of a socket's chunk would keep the whole chunk alive.
    this.value = Buffer.from(draft.value);
    this.kind = draft.kind;
    this.flags = draft.flags;
    this.cas = draft.cas;
    this.expiresAt = draft.expiresAt;
    this.accessedAt = now;
    this.fetched = draft.fetched ?? false;
    this.stale = draft.stale ?? false;
    this.recaching = draft.recaching ?? false;
  }
}
