import { isUtf8 } from 'node:buffer';
import { setTimeout as delay } from 'node:timers/promises';
import type { Grant } from '../auth/grant.ts';
import { READ, WRITE } from '../auth/permissions.ts';
import type { TokenBook } from '../auth/token-book.ts';
import type { Answer } from '../engine/answer.ts';
import type { Cache } from '../engine/cache.ts';
import type { Engine } from '../engine/engine.ts';
import type { FailedSignIns } from '../limits/failed-sign-ins.ts';
import type { CommandMeter } from './command-meter.ts';
import { type OpenContext, reply } from './commands/context.ts';
import { writeEchoes } from './commands/meta-reply.ts';
import { executeOpen } from './commands/table.ts';
import { isNoreply, type MetaStorageRequest, type Request, type StorageRequest } from './requests/request.ts';
import type { ServerStatus } from './server-status.ts';

export interface SignInParts {
  readonly engine: Engine;
  readonly tokens: TokenBook;
  readonly signIns: FailedSignIns;
  readonly server: ServerStatus;
  /** Whose failures count together with this client's. */
  readonly address: string;
  /** After so many failures the client has lost its connection. */
  readonly failuresMax: number;
  /** Counts what is refused. */
  readonly meter: Pick<CommandMeter, 'refuse'>;
  readonly onSignInFailure: () => void;
}

/** What a client may use: a cache, for as long as it has the right to its project. */
export interface Admission {
  readonly cache: Cache;
  readonly grant: Grant;
}

type Write = StorageRequest | MetaStorageRequest;

/** What a client that has not signed in may do: sign in, and little else. */
export class SignIn {
  readonly #parts: SignInParts;
  #failures = 0;

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /** Has this client failed too often? */
  get exhausted(): boolean {
    return this.#failures >= this.#parts.failuresMax;
  }

  /** Answers a request, and gives the cache once the client has signed in to it. */
  answer(request: Request, context: OpenContext): Answer<Admission | undefined> {
    if (executeOpen(request, context)) return undefined;
    if (request.command === 'set' || (request.command === 'ms' && isPlainSet(request))) {
      const key = String(request.key);
      const claim = readClaim(key, request.data);
      if (claim || key === 'oauth') return this.#check(request, claim, context);
    }
    this.#parts.meter.refuse('sign_in');
    return refuseWith(UNAUTHENTICATED, request, context);
  }

  #check(request: Write, claim: Claim | undefined, context: OpenContext): Answer<Admission | undefined> {
    const { engine, tokens, signIns, server, meter, address } = this.#parts;
    server.signIns.total++;
    const verdict = claim && tokens.check(claim.projectId, claim.token);
    const grant = typeof verdict === 'object' ? verdict : undefined;
    const seconds = signIns.refusedSeconds(address, grant?.token?.id);
    if (seconds !== undefined) {
      this.#fail();
      return refuseWith(refusedFor(seconds), request, context);
    }
    if (claim && grant && (grant.permissions & (READ | WRITE)) !== 0) {
      const cache = engine.cache(claim.projectId, claim.cacheName);
      if (grant.token) signIns.succeeded(address, grant.token.id);
      confirm(request, context);
      return { cache, grant };
    }
    // Its token is right, and may be so again.
    if (verdict === 'suspended') {
      server.signIns.failed++;
      meter.refuse('sign_in');
      return refuseWith(SUSPENDED, request, context);
    }
    this.#fail();
    // Only a token that nobody has may be a guess.
    const isGuess = !claim || tokens.identify(claim.token) === 'unknown_token';
    const delayMs = isGuess ? signIns.failed(address) : 0;
    if (delayMs === 0) return reject(request, context);
    return delay(delayMs, undefined, { ref: false }).then(() => reject(request, context));
  }

  #fail(): void {
    const { server, meter, onSignInFailure } = this.#parts;
    server.signIns.failed++;
    meter.refuse('sign_in');
    onSignInFailure();
    this.#failures++;
  }
}

interface Claim {
  readonly token: string;
  readonly projectId: string;
  readonly cacheName: string;
}

export const UNAUTHENTICATED = 'CLIENT_ERROR unauthenticated';
const refusedFor = (seconds: number) =>
  `SERVER_ERROR too many failed sign-ins from your address; try again in ${seconds} seconds`;
export const SUSPENDED = 'SERVER_ERROR the project is suspended';

/**
 * Reads what a client signs in with: as the pseudo-item `oauth`, IronCache's `TOKEN PROJECT_ID
 * CACHE_NAME`, where the cache name is the rest and may hold spaces; under that and any other key also
 * the form of memcached's own ASCII authentication, user and password: `PROJECT_ID/CACHE_NAME TOKEN`.
 */
function readClaim(key: string, value: Buffer): Claim | undefined {
  // Other bytes would all become the same character, and caches of different names one.
  if (!isUtf8(value)) return undefined;
  // A token that was read from a file, or piped by `echo`, may have its line's end behind it.
  const text = value.toString('utf8').replace(/\r?\n$/, '');
  const [, project, cache, password] = /^([0-9a-f]{24})\/(.+) ([^ ]+)$/s.exec(text) ?? [];
  if (project && cache && password) return { token: password, projectId: project, cacheName: cache };
  const [, token, projectId, cacheName] = key === 'oauth' ? (/^([^ ]+) ([^ ]+) (.+)$/s.exec(text) ?? []) : [];
  return token && projectId && cacheName ? { token, projectId, cacheName } : undefined;
}

function isPlainSet({ flags }: MetaStorageRequest): boolean {
  return flags.mode === '' || flags.mode === 'S';
}

// In the form of the command that was used. Nothing was stored, so there is no cas.
function confirm(request: Write, context: OpenContext): void {
  if (request.command !== 'ms') {
    reply(context, 'STORED', request.noreply);
  } else if (!request.flags.quiet) {
    context.output.text('HD');
    writeEchoes(context.output, request, 0);
    context.output.text('\r\n');
  }
}

function reject(request: Write, context: OpenContext): undefined {
  refuseWith('CLIENT_ERROR authentication failure', request, context);
}

/** Answers a request that is not carried out. */
export function refuseWith(text: string, request: Request, context: OpenContext): undefined {
  // What ends the connection says why itself.
  const answer = request.command === 'refused' && request.close ? request.reply : text;
  reply(context, answer, isNoreply(request));
}
