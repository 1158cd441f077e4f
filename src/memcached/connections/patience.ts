export interface PatienceLimits {
  /** In which a client must have signed in, in milliseconds; 0 is any time. */
  readonly signInTimeoutMs: number;
  /** In which a command must have arrived whole once it has begun; 0 is any time. */
  readonly requestTimeoutMs: number;
}

/** How far a client has come. */
interface Progress {
  readonly isSignedIn: boolean;
  /** How many requests have arrived. */
  readonly requests: number;
  /** Has another one begun? */
  readonly isInside: boolean;
}

/** How long to wait for one client. Asked now and then, so that commands need not look at the clock. */
export class Patience {
  readonly #limits: PatienceLimits;
  readonly #openedAt: number;
  /** The request whose end is awaited, by its number, and since when. */
  #request = -1;
  #since = 0;

  constructor(limits: PatienceLimits, openedAt: number) {
    this.#limits = limits;
    this.#openedAt = openedAt;
  }

  /** Why not to wait for the client any longer, if so. */
  end({ isSignedIn, requests, isInside }: Progress, now: number): string | undefined {
    const { signInTimeoutMs, requestTimeoutMs } = this.#limits;
    if (!isSignedIn && signInTimeoutMs > 0 && now - this.#openedAt >= signInTimeoutMs) {
      return 'CLIENT_ERROR sign-in took too long';
    }
    if (!isInside) this.#request = -1;
    else if (this.#request !== requests) this.restart(requests, now);
    else if (requestTimeoutMs > 0 && now - this.#since >= requestTimeoutMs) {
      return 'CLIENT_ERROR the command took too long to arrive';
    }
    return undefined;
  }

  /** Starts the wait anew, as when it was not the client that kept the request waiting. */
  restart(request: number, now: number): void {
    this.#request = request;
    this.#since = now;
  }
}
