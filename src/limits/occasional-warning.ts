const SILENCE_MS = 60_000;

/** What of a logger a warning needs; pino's is one. */
export interface WarningLog {
  warn(details: object, message: string): void;
}

/** A warning that anyone can cause as often as they like: it is logged once a minute, and says how often it was due. */
export class OccasionalWarning {
  readonly #log: WarningLog;
  readonly #now: () => number;
  #silentUntil = 0;
  #unsaid = 0;

  constructor(log: WarningLog, now: () => number) {
    this.#log = log;
    this.#now = now;
  }

  warn(details: object, message: string): void {
    const now = this.#now();
    if (now < this.#silentUntil) {
      this.#unsaid++;
      return;
    }
    this.#log.warn({ ...details, ...(this.#unsaid > 0 && { unsaid: this.#unsaid }) }, message);
    this.#silentUntil = now + SILENCE_MS;
    this.#unsaid = 0;
  }
}
