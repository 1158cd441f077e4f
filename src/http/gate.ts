import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Token } from '../auth/credentials.ts';
import type { Denial, Grant } from '../auth/grant.ts';
import type { TokenBook } from '../auth/token-book.ts';
import { clientAddress } from '../limits/client-address.ts';
import type { FailedSignIns } from '../limits/failed-sign-ins.ts';
import type { RequestRates } from '../limits/request-rate.ts';
import { refuseAddress, refuseDenied, refuseMetrics, refuseRate, refuseToken } from './token-refusals.ts';

const SCHEMES = /^(?:oauth|bearer) +(\S+) *$/i;

export interface GateParts {
  readonly tokens: TokenBook;
  readonly signIns: FailedSignIns;
  readonly rates: RequestRates;
}

/** Where requests show their tokens. One that may not pass is answered here. */
export class Gate {
  readonly #parts: GateParts;
  /** By which token each connection passed last. */
  readonly #passed = new WeakMap<Socket, string>();
  /** What each connection was granted last. */
  readonly #granted = new WeakMap<Socket, Granted>();

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  /** By what right a request uses a project; undefined: by none. `refuse` answers why. */
  grantFor(
    projectId: string,
    request: FastifyRequest,
    reply: FastifyReply,
    refuse = refuseDenied,
  ): Grant | undefined {
    const granted = this.#grantedBefore(projectId, request);
    if (granted) return granted;
    const text = neededToken(request, reply);
    if (text === undefined) return undefined;
    const verdict = this.#parts.tokens.check(projectId, text);
    if (typeof verdict === 'string') return this.#deny(verdict, request, reply, refuse);
    if (this.#isTurnedAway(verdict.token?.id, request, reply)) return undefined;
    this.#rememberGrant(verdict, request);
    return verdict;
  }

  /** May a request read the metrics, by a token that is right for them? */
  admitsToMetrics(
    isRight: (token: string) => boolean,
    request: FastifyRequest,
    reply: FastifyReply,
  ): boolean {
    const text = neededToken(request, reply);
    if (text === undefined) return false;
    // It may be nobody's, and has the path for an id.
    if (isRight(text)) return !this.#isTurnedAway(request.routeOptions.url, request, reply);
    const verdict = this.#parts.tokens.identify(text);
    if (typeof verdict === 'string') this.#deny(verdict, request, reply);
    else this.#deny('forbidden', request, reply, refuseMetrics);
    return false;
  }

  /** Whose token a request came with, whatever it may do; undefined: nobody's. */
  tokenFor(request: FastifyRequest, reply: FastifyReply): Token | undefined {
    const text = neededToken(request, reply);
    if (text === undefined) return undefined;
    const verdict = this.#parts.tokens.identify(text);
    if (typeof verdict === 'string') return this.#deny(verdict, request, reply);
    return this.#isTurnedAway(verdict.id, request, reply) ? undefined : verdict;
  }

  /** Whose token it is now that a request came with which passed before. */
  identify(request: FastifyRequest): Token | 'unknown_token' | 'expired_token' {
    return this.#parts.tokens.identify(tokenOf(request) ?? '');
  }

  /** Counts a request; true: there are too many. */
  isTooFast(grant: Grant, reply: FastifyReply): boolean {
    const refusal = this.#parts.rates.of(grant)?.take(1);
    if (refusal) refuseRate(reply, refusal);
    return refusal !== undefined;
  }

  // Most requests come over a connection whose last one had the same token, for the same project. A grant
  // ends when its token is revoked, so that nothing has to be forgotten here.
  #grantedBefore(projectId: string, { raw, headers }: FastifyRequest): Grant | undefined {
    const last = this.#granted.get(raw.socket);
    if (!last || last.grant.project.id !== projectId || !isSame(last.authorization, headers.authorization)) {
      return undefined;
    }
    // A proxy sends several clients' requests over one connection.
    if ('x-forwarded-for' in headers) return undefined;
    return this.#parts.tokens.holds(last.grant) ? last.grant : undefined;
  }

  // Only for a token in the header: one in the URL may be another next time.
  #rememberGrant(grant: Grant, { raw, headers: { authorization } }: FastifyRequest): void {
    if (authorization !== undefined && tokenIn(authorization) !== undefined) {
      this.#granted.set(raw.socket, { authorization, grant });
    }
  }

  // While its address is refused, a right token is turned away like any other: it might have been guessed.
  #isTurnedAway(tokenId: string | undefined, request: FastifyRequest, reply: FastifyReply): boolean {
    const { signIns } = this.#parts;
    if (signIns.isRefusing) {
      const seconds = signIns.refusedSeconds(clientAddress(request.ip), tokenId);
      if (seconds !== undefined) {
        refuseAddress(reply, seconds);
        return true;
      }
    }
    if (tokenId !== undefined) this.#remember(tokenId, request);
    return false;
  }

  #remember(tokenId: string, request: FastifyRequest): void {
    const { socket } = request.raw;
    // A proxy sends several clients' requests over one connection.
    const isKnown = this.#passed.get(socket) === tokenId && !('x-forwarded-for' in request.headers);
    if (isKnown) return;
    this.#passed.set(socket, tokenId);
    this.#parts.signIns.succeeded(clientAddress(request.ip), tokenId);
  }

  // Answers why a request may not pass. Only a token that nobody has may be a guess.
  #deny(denial: Denial, request: FastifyRequest, reply: FastifyReply, refuse = refuseDenied): undefined {
    if (this.#isTurnedAway(undefined, request, reply)) return;
    const isGuess = denial === 'unknown_token';
    const delayMs = isGuess ? this.#parts.signIns.failed(clientAddress(request.ip)) : 0;
    if (delayMs > 0) setTimeout(() => refuse(reply, denial), delayMs);
    else refuse(reply, denial);
  }
}

interface Granted {
  /** The header as it was sent. It stays in memory as long as its connection, and nowhere else. */
  readonly authorization: string;
  readonly grant: Grant;
}

// In a time that reveals nothing about the known text.
function isSame(known: string, given: string | undefined): boolean {
  if (given?.length !== known.length) return false;
  let difference = 0;
  for (let i = 0; i < known.length; i++) difference |= known.charCodeAt(i) ^ given.charCodeAt(i);
  return difference === 0;
}

// Answers a request that came without one.
function neededToken(request: FastifyRequest, reply: FastifyReply): string | undefined {
  const text = tokenOf(request);
  if (text === undefined) refuseToken(reply, 'A token is needed');
  return text;
}

/**
 * The token that a request came with, in the header `Authorization: OAuth TOKEN` (or `Bearer`) or as
 * `?oauth=TOKEN`; the header wins.
 */
export function tokenOf(request: FastifyRequest): string | undefined {
  const { authorization } = request.headers;
  const fromHeader = authorization === undefined ? undefined : tokenIn(authorization);
  if (fromHeader !== undefined) return fromHeader;
  const { oauth } = request.query as Record<string, string | string[] | undefined>;
  const fromQuery = typeof oauth === 'string' ? oauth : oauth?.[0];
  return fromQuery || undefined;
}

function tokenIn(authorization: string): string | undefined {
  return SCHEMES.exec(authorization)?.[1];
}
