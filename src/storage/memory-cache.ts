import type { CacheSettings, Quota } from '../engine/cache-settings.ts';
import type { JournaledCache } from '../engine/journal.ts';
import type { CacheInfo } from '../engine/store.ts';
import type { CacheRecord } from './cache-directory.ts';

interface MemoryCacheParts<K> {
  /** See JournaledCache. */
  readonly number: number;
  readonly account: ProjectAccount<K>;
  readonly settings: CacheSettings;
  readonly newContents: (cache: MemoryCache<K>) => Contents<K>;
}

/** A cache that exists in this process. Its contents are exchanged as a whole when it is cleared. */
export class MemoryCache<K> implements CacheRecord, JournaledCache {
  readonly number: number;
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly account: ProjectAccount<K>;
  settings: CacheSettings;
  contents: Contents<K>;
  /** When all items that are there then are to be removed, in ms since the epoch. */
  clearAt: number | undefined = undefined;
  deleted = false;
  describedIn = 0;
  evictions = 0;
  expirations = 0;

  constructor({ id, projectId, name }: CacheRecord, parts: MemoryCacheParts<K>) {
    this.number = parts.number;
    this.id = id;
    this.projectId = projectId;
    this.name = name;
    this.account = parts.account;
    this.settings = parts.settings;
    this.contents = parts.newContents(this);
  }

  info(): CacheInfo {
    const { id, projectId, name, contents, evictions, expirations } = this;
    return { id, projectId, name, items: contents.items, bytes: contents.bytes, evictions, expirations };
  }
}

/** What a cache holds between two clears; `kept` is how its store keeps that. */
export class Contents<K> {
  readonly cache: MemoryCache<K>;
  readonly kept: K;
  /** Live items and those that have expired but are not removed yet. */
  items = 0;
  bytes = 0;
  /** Its index among the evictable contents of its project; -1: it is none of them. */
  place = -1;

  constructor(cache: MemoryCache<K>, kept: K) {
    this.cache = cache;
    this.kept = kept;
  }

  /** Was it exchanged for newer contents? Then nobody sees it any more. */
  get discarded(): boolean {
    return this.cache.deleted || this.cache.contents !== this;
  }
}

/** What a project holds, and may hold. */
export interface ProjectAccount<K> {
  quota: Quota;
  items: number;
  bytes: number;
  /** What of that may not make room. */
  keptBytes: number;
  /** Contents with items that may make room. */
  readonly evictable: Contents<K>[];
}
