import { LRUCache } from 'lru-cache';
import { OccasionalWarning, type WarningLog } from './occasional-warning.ts';

export interface SignInLimits {
  /** After how many failures an address is refused; 0 is never. */
  readonly failuresPerAddressMax: number;
  /** For how long it is refused, and after how long without a failure all are forgotten. */
  readonly refusalMs: number;
  /** How long each failure but the first few waits for its answer. */
  readonly delayMs: number;
}

interface Failures {
  count: number;
  /** When they are forgotten, and a refusal ends. */
  until: number;
}

// Mistakes that people make while they set up a client are answered at once.
const UNDELAYED_FAILURES = 3;

// Nothing here slows down someone who guesses from more addresses than that.
const ADDRESSES_MAX = 10_000;

/**
 * The failed sign-ins of each client address, at both doors: from the fourth on, their answers are
 * delayed, and in the end the address is refused for a while, by whatever token. Two things keep a
 * stranger behind the same address from locking others out: attempts during a refusal do not prolong it,
 * and a token that was right from this address before is let in all the same.
 */
export class FailedSignIns {
  readonly #limits: SignInLimits;
  readonly #now: () => number;
  readonly #warning: OccasionalWarning;
  readonly #failures = new LRUCache<string, Failures>({ max: ADDRESSES_MAX });
  /** Which tokens were right from which addresses: `address token-id`. */
  readonly #right = new LRUCache<string, true>({ max: ADDRESSES_MAX });
  /** When the last refusal ends: before the first and after the last, no address need be looked up. */
  #refusalsEnd = 0;

  constructor(limits: SignInLimits, now: () => number, log: WarningLog) {
    this.#limits = limits;
    this.#now = now;
    this.#warning = new OccasionalWarning(log, now);
  }

  /** Is any address refused at present? */
  get isRefusing(): boolean {
    return this.#now() < this.#refusalsEnd;
  }

  /** For how many more seconds an address is refused, if it is; `tokenId` is that of a token which is right. */
  refusedSeconds(address: string, tokenId: string | undefined): number | undefined {
    const failures = this.#failures.get(address);
    const left = (failures?.until ?? 0) - this.#now();
    if (!failures || left <= 0 || !this.#isTooMany(failures)) return undefined;
    if (tokenId !== undefined && this.#right.has(`${address} ${tokenId}`)) return undefined;
    return Math.ceil(left / 1000);
  }

  /** Counts a failure; gives the milliseconds that its answer has to wait. */
  failed(address: string): number {
    const { refusalMs, delayMs } = this.#limits;
    const now = this.#now();
    const earlier = this.#failures.get(address);
    const failures = {
      count: earlier && now < earlier.until ? earlier.count + 1 : 1,
      until: now + refusalMs,
    };
    this.#failures.set(address, failures);
    if (this.#isTooMany(failures)) {
      this.#refusalsEnd = failures.until;
      this.#warning.warn(
        { address, seconds: refusalMs / 1000 },
        'too many failed sign-ins: an address is refused',
      );
    }
    return failures.count > UNDELAYED_FAILURES ? delayMs : 0;
  }

  /** Remembers that a token was right. */
  succeeded(address: string, tokenId: string): void {
    this.#right.set(`${address} ${tokenId}`, true);
  }

  #isTooMany({ count }: Failures): boolean {
    const { failuresPerAddressMax } = this.#limits;
    return failuresPerAddressMax > 0 && count >= failuresPerAddressMax;
  }
}
