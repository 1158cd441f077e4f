import type { Cas, Draft, Item, ValueKind } from '../engine/item.ts';
import type { CacheRecord } from './cache-directory.ts';
import { ShardedIndex } from './sharded-index.ts';

/** A cache that exists. Its contents are exchanged as a whole when it is cleared. */
export class ExistingCache implements CacheRecord {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  contents: Contents;
  /** When all items that are there then are to be removed, in ms since the epoch. */
  clearAt: number | undefined = undefined;
  deleted = false;
  evictions = 0;
  expirations = 0;

  constructor(record: CacheRecord, shards: number) {
    this.id = record.id;
    this.projectId = record.projectId;
    this.name = record.name;
    this.contents = new Contents(this, shards);
  }
}

/** The items of a cache by key, and what they weigh. */
export class Contents {
  readonly cache: ExistingCache;
  readonly index: ShardedIndex<Entry>;
  bytes = 0;

  constructor(cache: ExistingCache, shards: number) {
    this.cache = cache;
    this.index = new ShardedIndex(shards);
  }

  /** Were these exchanged for newer contents? Then nobody sees them any more. */
  get discarded(): boolean {
    return this.cache.deleted || this.cache.contents !== this;
  }
}

/** One item, with its places. */
export class Entry implements Item {
  readonly contents: Contents;
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

  constructor(contents: Contents, key: string, shard: number) {
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
