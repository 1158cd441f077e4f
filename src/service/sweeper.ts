import type { Engine } from '../engine/engine.ts';

interface SweeperParts {
  readonly engine: Engine;
  readonly log: SweeperLog;
}

/** What of a logger it needs; pino's is one. */
interface SweeperLog {
  error(details: object, message: string): void;
}

// Between two rounds; there is no pause while there is more.
const SWEEP_INTERVAL_MS = 500;

/** Frees what expired or was cleared, a part at a time, so that no client waits for it. */
export class Sweeper {
  readonly #parts: SweeperParts;
  #timer: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#sweepAfter(SWEEP_INTERVAL_MS);
  }

  /** For good: no round begins any more, but one that has begun may end later. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #sweepAfter(ms: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.#sweep(), ms).unref();
  }

  async #sweep(): Promise<void> {
    const { engine, log } = this.#parts;
    let more = false;
    try {
      more = await engine.sweep();
    } catch (err) {
      // A bug, and no reason to end: what has expired is not served, only freed later.
      log.error({ err }, 'freeing what expired failed');
    }
    this.#sweepAfter(more ? 0 : SWEEP_INTERVAL_MS);
  }
}
