/** Upper bounds of the latency buckets, in seconds: from a get of a small value to a client's patience. */
export const LATENCY_BOUNDS = [
  0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
  1, 2.5, 5, 10,
] as const;

const BOUNDS = Float64Array.from(LATENCY_BOUNDS);

/** How many requests ended in one way. */
export interface StatusCount {
  requests: number;
}

/**
 * Counts the requests of one operation and how long they took. prom-client's own histogram needs 400 ns
 * an observation, which is as much as a whole memcached command; this needs 7.
 */
export class OperationMeter {
  /** Requests by how long they took; the last is for those beyond all bounds. */
  readonly buckets = new Float64Array(BOUNDS.length + 1);
  sumSeconds = 0;
  readonly #counts = new Map<string, StatusCount>();

  /** Requests by how they ended. */
  get counts(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#counts, ([status, { requests }]) => [status, requests]));
  }

  /** How many requests ended so, for whoever counts them. */
  of(status: string): StatusCount {
    const known = this.#counts.get(status);
    if (known) return known;
    const count = { requests: 0 };
    this.#counts.set(status, count);
    return count;
  }

  count(status: string): void {
    this.of(status).requests++;
  }

  /** Notes so many requests that took so long, each of them. */
  time(seconds: number, times = 1): void {
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] as number)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] as number) + times;
    this.sumSeconds += seconds * times;
  }
}

/** The requests of one door, by operation. */
export class RequestMeter {
  readonly door: string;
  readonly #operations = new Map<string, OperationMeter>();

  constructor(door: string) {
    this.door = door;
  }

  /** The meter of an operation, which there is from then on. */
  operation(name: string): OperationMeter {
    const known = this.#operations.get(name);
    if (known) return known;
    const meter = new OperationMeter();
    this.#operations.set(name, meter);
    return meter;
  }

  operations(): Iterable<[name: string, meter: OperationMeter]> {
    return this.#operations;
  }

  /** How many requests ended so, whatever they were. */
  countOf(status: string): number {
    let sum = 0;
    for (const { counts } of this.#operations.values()) sum += counts.get(status) ?? 0;
    return sum;
  }
}
