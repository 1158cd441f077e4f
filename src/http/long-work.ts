import { performance } from 'node:perf_hooks';
import { setTimeout as delay, setImmediate as othersTurn } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { Grant } from '../auth/grant.ts';
import type { RequestRates } from '../limits/request-rate.ts';
import { hasRight } from './authenticate.ts';
import { excused } from './silent-connections.ts';

/** How long it goes on while others wait, in milliseconds. */
const SLICE_MS = 1;

export interface LongWorkParts {
  readonly rates: RequestRates;
  /** What the machine's clock says, in ms since the Unix epoch. */
  readonly unixNow: () => number;
}

/**
 * What one request does with very many items: in slices, between which others have their turn, and no
 * faster than the rates of its token and project leave room, since each item counts as a request.
 */
export class LongWork {
  readonly #request: FastifyRequest;
  readonly #parts: LongWorkParts;
  #sliceEnd = performance.now() + SLICE_MS;
  /** Items done since the last rest. */
  #items = 0;

  constructor(request: FastifyRequest, parts: LongWorkParts) {
    this.#request = request;
    this.#parts = parts;
  }

  /** Counts an item that is done. */
  count(): void {
    this.#items++;
  }

  /** Is it time for a rest? */
  get isLong(): boolean {
    return performance.now() > this.#sliceEnd;
  }

  /** False: the right to go on has ended, since the token was revoked, say. */
  get mayGoOn(): boolean {
    return hasRight(this.#request, this.#parts.unixNow());
  }

  /** Lets others have their turn, and tells then whether it may go on. */
  async rest(): Promise<boolean> {
    const { grant } = this.#request;
    if (grant && this.#items > 0) await this.#pay(grant);
    this.#items = 0;
    await othersTurn();
    this.#sliceEnd = performance.now() + SLICE_MS;
    return this.mayGoOn;
  }

  async #pay(grant: Grant): Promise<void> {
    const waitMs = () => this.#parts.rates.of(grant)?.takeLater(this.#items) ?? 0;
    let ms = waitMs();
    if (ms === 0) return;
    // While we wait, it is not the client that is silent.
    const { socket } = this.#request.raw;
    excused.add(socket);
    for (; ms > 0; ms = waitMs()) await delay(ms, undefined, { ref: false });
    excused.delete(socket);
  }
}
