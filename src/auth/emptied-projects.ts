import { setTimeout as delay } from 'node:timers/promises';

/** Projects that were made again, with when that was. */
export type Emptied = ReadonlyMap<string, number | undefined>;

/** Does something when it is its turn among the changes of projects and tokens. */
type Turn = (work: () => Promise<void>) => Promise<void>;

interface EmptiedProjectsParts {
  /** Resolves when deleted items cannot come back any more, by a crash. False: they still may. */
  readonly deletionsKept: () => Promise<boolean>;
  readonly inTurn: Turn;
  /** Writes down that what these had is gone. Rejects where that is not kept. */
  readonly write: (emptied: Emptied) => Promise<void>;
}

// How long a change that makes a project again waits to be certain that what the deleted one had is gone.
const KEPT_WITHIN_MS = 1_000;

// After how long what could not be written is tried again.
const AGAIN_MS = 10_000;

/**
 * Projects that were made again, after what the deleted ones had is gone: that is written down once it cannot come
 * back. Else what they have by now would be deleted at the next start.
 */
export class EmptiedProjects {
  readonly #parts: EmptiedProjectsParts;
  /** Those for which it is not written down yet. */
  readonly #emptied = new Map<string, number | undefined>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: EmptiedProjectsParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when it is written down for these, or after a moment: it may have to wait for a snapshot, or for the disk.
   * Whoever has the turn already says so by `inTurn`.
   */
  async add(projects: Emptied, inTurn: Turn = this.#parts.inTurn): Promise<void> {
    // Most changes make none again; what is written down here is such a change, too.
    if (projects.size === 0) return;
    for (const [id, time] of projects) this.#emptied.set(id, time);
    const emptied = new Map(this.#emptied);
    const kept = this.#parts.deletionsKept();
    const isKept = await Promise.race([kept, delay(KEPT_WITHIN_MS, false, { ref: false })]);
    if (isKept) await inTurn(() => this.#write(emptied));
    else void this.#writeOnce(kept, emptied);
  }

  /** Writes down what is not yet, once it cannot come back. */
  async writeAll(): Promise<void> {
    if (this.#emptied.size > 0) await this.#writeOnce(this.#parts.deletionsKept(), new Map(this.#emptied));
  }

  /** No longer tries what could not be written. */
  close(): void {
    clearTimeout(this.#timer);
  }

  async #writeOnce(kept: Promise<boolean>, emptied: Emptied): Promise<void> {
    if (await kept) await this.#parts.inTurn(() => this.#write(emptied));
  }

  async #write(emptied: Emptied): Promise<void> {
    try {
      await this.#parts.write(emptied);
      for (const [id, time] of emptied) if (this.#emptied.get(id) === time) this.#emptied.delete(id);
    } catch {
      // It was logged.
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.writeAll(), AGAIN_MS).unref();
    }
  }
}
