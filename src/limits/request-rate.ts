import { LRUCache } from 'lru-cache';

/** Why a request is not carried out. */
export interface RateRefusal {
  /** Whose limit it is. */
  readonly owner: 'token' | 'project';
  readonly perSecond: number;
  /** After how many seconds there is room again. */
  readonly retryAfterSeconds: number;
}

/** Who makes requests: a grant is one. */
export interface Requester {
  readonly token: { readonly id: string } | undefined;
  readonly project: {
    readonly id: string;
    readonly quotas: { readonly requestsPerSecond?: number | undefined };
  };
}

// Who made no request for longest among so many has all of its limit again.
const BUCKETS_MAX = 100_000;

/**
 * How many requests each token may make in a second, and each project that has such a quota, by both
 * doors together. What is not used is kept for one second; what is beyond is refused.
 */
export class RequestRates {
  readonly #perToken: number;
  readonly #now: () => number;
  // It takes 3 MB from its beginning, and most services have no such limits.
  #buckets: LRUCache<string, Bucket> | undefined;

  /** `perToken` 0: tokens have no limit. `now` gives milliseconds. */
  constructor(perToken: number, now: () => number) {
    this.#perToken = perToken;
    this.#now = now;
  }

  /** The limits of a requester as they are now; undefined where there are none. */
  of({ token, project }: Requester): RequestRate | undefined {
    const quota = project.quotas.requestsPerSecond;
    if (this.#perToken === 0 && quota === undefined) return undefined;
    const ofToken = token && this.#perToken > 0 ? this.#bucket('token', token.id, this.#perToken) : undefined;
    const ofProject = quota === undefined ? undefined : this.#bucket('project', project.id, quota);
    return new RequestRate(ofToken, ofProject, this.#now);
  }

  #bucket(owner: RateRefusal['owner'], id: string, perSecond: number): Bucket {
    const key = `${owner} ${id}`;
    this.#buckets ??= new LRUCache({ max: BUCKETS_MAX });
    let bucket = this.#buckets.get(key);
    if (bucket?.perSecond !== perSecond) {
      bucket = { owner, perSecond, level: perSecond, filledAt: this.#now() };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }
}

/** The limits that apply to one requester's requests. */
export class RequestRate {
  readonly #ofToken: Bucket | undefined;
  readonly #ofProject: Bucket | undefined;
  readonly #now: () => number;

  constructor(ofToken: Bucket | undefined, ofProject: Bucket | undefined, now: () => number) {
    this.#ofToken = ofToken;
    this.#ofProject = ofProject;
    this.#now = now;
  }

  /**
   * Counts a request that is worth `count`, or says why it is refused. One that is worth more than is
   * left is carried out whole, and the rest is owed: else one of many keys would be impossible.
   */
  take(count: number): RateRefusal | undefined {
    const now = this.#now();
    const ofToken = this.#ofToken;
    const ofProject = this.#ofProject;
    if (ofToken && levelOf(ofToken, now) < 1) return refusalBy(ofToken);
    if (ofProject && levelOf(ofProject, now) < 1) return refusalBy(ofProject);
    if (ofToken) ofToken.level -= count;
    if (ofProject) ofProject.level -= count;
    return undefined;
  }

  /**
   * Counts `count` requests of work that can wait, and answers 0; or answers in how many milliseconds there
   * may be room for all of them, and counts none. So who cannot wait goes before. What is more than a
   * second allows is owed.
   */
  takeLater(count: number): number {
    const now = this.#now();
    const buckets = [this.#ofToken, this.#ofProject].filter((bucket) => bucket !== undefined);
    const waitMs = Math.max(0, ...buckets.map((bucket) => roomAfterMs(bucket, count, now)));
    if (waitMs === 0) for (const bucket of buckets) bucket.level -= count;
    return waitMs;
  }
}

interface Bucket {
  readonly owner: RateRefusal['owner'];
  readonly perSecond: number;
  /** How many requests may be made now; below 0, so many are owed. */
  level: number;
  filledAt: number;
}

function levelOf(bucket: Bucket, now: number): number {
  if (now !== bucket.filledAt) {
    const gained = ((now - bucket.filledAt) * bucket.perSecond) / 1000;
    bucket.level = Math.min(bucket.perSecond, bucket.level + gained);
    bucket.filledAt = now;
  }
  return bucket.level;
}

function roomAfterMs(bucket: Bucket, count: number, now: number): number {
  const missing = Math.min(count, bucket.perSecond) - levelOf(bucket, now);
  return missing <= 0 ? 0 : Math.ceil((missing * 1000) / bucket.perSecond);
}

function refusalBy({ owner, perSecond, level }: Bucket): RateRefusal {
  return { owner, perSecond, retryAfterSeconds: Math.ceil((1 - level) / perSecond) };
}
