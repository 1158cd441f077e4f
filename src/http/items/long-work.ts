import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import type { Grant } from '../../auth/grant.ts';
import { othersFirst } from '../../event-loop/turn-time.ts';
import type { RequestRates } from '../../limits/request-rate.ts';
import { hasRight } from '../authenticate.ts';
import { excused } from '../connections/silent-connections.ts';

/** How long it goes on while others wait, in milliseconds. */
const SLICE_MS = 1;

interface LongWorkParts {
  readonly rates: RequestRates;
  /** What the machine's clock says, in ms since the Unix epoch. */
  readonly unixNow: () => number;
}

/**
 * What one request does with very many items: in slices, between which others have their turn, and no faster than the
 * rates of its token and project allow, since each item counts as a request.
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

  /** Lets others have their turn, then tells whether it may go on. */
  async rest(): Promise<boolean> {
    const { grant } = this.#request;
    if (grant && this.#items > 0) await this.#pay(grant);
    this.#items = 0;
    await othersFirst();
    this.#sliceEnd = performance.now() + SLICE_MS;
    return this.mayGoOn;
  }

  // In portions, so that others can make requests in between, however many items a slice had.
  async #pay(grant: Grant): Promise<void> {
    const { socket } = this.#request.raw;
    while (this.#items > 0 && this.mayGoOn) {
      const rate = this.#parts.rates.of(grant);
      if (!rate) break;
      const { taken, waitMs } = rate.takeLater(this.#items);
      this.#items -= taken;
      if (waitMs === 0) continue;
      // While we wait, it is not the client that is silent.
      excused.add(socket);
      await delay(waitMs, undefined, { ref: false });
    }
    excused.delete(socket);
  }
}
