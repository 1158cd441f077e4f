import type { Grant } from '../auth/grant.ts';
import { missingPermission, type PermissionSet, READ, WRITE } from '../auth/permissions.ts';
import type { RequestRate, RequestRates } from '../limits/request-rate.ts';
import { permissionsNeeded } from './commands/permissions-needed.ts';
import type { Request } from './requests/request.ts';
import { SUSPENDED, UNAUTHENTICATED } from './sign-in.ts';

const ALL = READ | WRITE;
const NO_PROJECT = 'SERVER_ERROR the project does not exist';

interface RightsParts {
  readonly rates: RequestRates;
  /** Has the client no other way in than by this grant? */
  readonly isBound: boolean;
}

/** What a client may do, by its grant: that changes between turns of the event loop, never within one. */
export class Rights {
  /** Why no command is carried out now, although the client has signed in. */
  barrier: string | undefined;
  readonly #grant: Grant;
  readonly #parts: RightsParts;
  /** May it read and write, so that no command need be looked at for that? */
  #mayAll = false;
  /** How many requests it may make, where that is limited. */
  #rate: RequestRate | undefined;

  constructor(grant: Grant, parts: RightsParts) {
    this.#grant = grant;
    this.#parts = parts;
    this.#mayAll = (grant.permissions & ALL) === ALL;
    this.#rate = parts.rates.of(grant);
  }

  /** Takes note of what has changed. False: the client has none any more, and may sign in again. */
  renew(unixNow: number): boolean {
    const grant = this.#grant;
    const denial = grant.denial(unixNow);
    this.barrier = denial === 'suspended' ? SUSPENDED : undefined;
    // A client that has signed in can do so again, by another token; one that need not has no other way.
    if (denial && this.#parts.isBound) this.barrier ??= NO_PROJECT;
    this.#mayAll = !denial && (grant.permissions & ALL) === ALL;
    this.#rate = this.#parts.rates.of(grant);
    return !denial || this.barrier !== undefined;
  }

  /** Why a listing that is under way does not go on; undefined: it does. */
  endOfListing(unixNow: number): string | undefined {
    if (!this.renew(unixNow)) return UNAUTHENTICATED;
    return this.barrier ?? lackOf(READ, this.#grant);
  }

  /** Why a request is not carried out; undefined: it is, and is counted where requests are limited. */
  refusal(request: Request): string | undefined {
    if (!this.#mayAll) {
      const lack = lackOf(permissionsNeeded(request), this.#grant);
      if (lack !== undefined) return lack;
    }
    return this.#rate && excess(request, this.#rate);
  }
}

function lackOf(needed: PermissionSet, { permissions }: Grant): string | undefined {
  const missing = missingPermission(permissions, needed);
  return missing && `CLIENT_ERROR this token may not ${missing}`;
}

function excess(request: Request, rate: RequestRate): string | undefined {
  if (request.command === 'quit' || isBegun(request)) return undefined;
  const refusal = rate.take('keys' in request ? request.keys.length + (request.later?.count ?? 0) : 1);
  if (!refusal) return undefined;
  return `SERVER_ERROR too many requests; this ${refusal.owner} may make ${refusal.perSecond} per second`;
}

// A long get is counted when it begins.
function isBegun(request: Request): boolean {
  return 'answered' in request && (request.answered > 0 || request.later?.isBegun === true);
}
