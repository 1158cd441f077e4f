import { LRUCache } from 'lru-cache';

/** Why a request is not carried out. */
export interface RateRefusal {
  /** Whose limit it is. */
  readonly owner: 'token' | 'project';
  readonly perSecond: number;
  /** After how many seconds there is room again. */
  readonly retryAfterSeconds: number;
}

/** What was counted of work that can wait. */
interface TakenLater {
  readonly taken: number;
  /** Above 0 where none was. */
  readonly waitMs: number;
}

/** Who makes requests: a grant is one. */
export interface Requester {
  readonly token: { readonly id: string } | undefined;
  readonly project: {
    readonly id: string;
    readonly quotas: { readonly requestsPerSecond?: number | undefined };
  };
}

// Work that can wait leaves half of what a second allows to others, and waits until it may have a quarter: in smaller
// portions it would do little but wait.
const PART_LEFT = 1 / 2;
const PART_AWAITED = 1 / 4;

// Beyond so many, whoever has made no request for longest has its whole limit again.
const BUCKETS_MAX = 100_000;

/**
 * How many requests each token may make in a second, and each project that has such a quota, by both
 * doors together. What is not used is kept for one second; what is beyond is refused.
 */
export class RequestRates {
  readonly #perToken: number;
  readonly #now: () => number;
  // Made when it is needed: it takes 3 MB at once, and most services have no such limits.
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
   * Counts as many of `count` requests of work that can wait as may be made now, and answers how many, or in
   * how many milliseconds there may be room for some. Half of what a second allows is left to those who cannot
   * wait: they would be refused what is owed here.
   */
  takeLater(count: number): TakenLater {
    const now = this.#now();
    const buckets = [this.#ofToken, this.#ofProject].filter((bucket) => bucket !== undefined);
    const portion = Math.min(count, ...buckets.map(portionOf));
    const waitMs = Math.max(0, ...buckets.map((bucket) => roomAfterMs(bucket, portion, now)));
    if (waitMs > 0) return { taken: 0, waitMs };
    const taken = Math.min(count, ...buckets.map((bucket) => Math.floor(bucket.level - leftBy(bucket))));
    for (const bucket of buckets) bucket.level -= taken;
    return { taken, waitMs };
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

// Whole requests, and one at least: where a second allows only one, that is for everybody.
function portionOf({ perSecond }: Bucket): number {
  return Math.max(1, Math.floor(perSecond * PART_AWAITED));
}

function leftBy(bucket: Bucket): number {
  return Math.min(bucket.perSecond * PART_LEFT, bucket.perSecond - portionOf(bucket));
}

function roomAfterMs(bucket: Bucket, count: number, now: number): number {
  const missing = leftBy(bucket) + count - levelOf(bucket, now);
  return missing <= 0 ? 0 : Math.ceil((missing * 1000) / bucket.perSecond);
}

function refusalBy({ owner, perSecond, level }: Bucket): RateRefusal {
  return { owner, perSecond, retryAfterSeconds: Math.ceil((1 - level) / perSecond) };
}
