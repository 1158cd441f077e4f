import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Grant } from '../auth/grant.ts';
import type { PermissionSet } from '../auth/permissions.ts';
import type { TokenBook } from '../auth/token-book.ts';
import { NO_SUCH_ENDPOINT, sendError } from './errors.ts';
import { refuseDenied, refusePermission, refuseToken } from './token-refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** By what right the request uses its project; null where it needs none. */
    grant: Grant | null;
  }
}

const SCHEMES = /^(?:oauth|bearer) +(\S+) *$/i;

/** Lets a request pass whose token may use the project in its path, in the way that is needed there. */
export function authenticate(tokens: TokenBook, needed: PermissionSet) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const { project = '', cache, key } = parametersOf(request);
    const token = tokenOf(request);
    if (token === undefined) {
      refuseToken(reply, 'A token is needed');
      return;
    }
    const grant = tokens.check(project, token);
    if (typeof grant === 'string') refuseDenied(reply, grant);
    else if ((needed & ~grant.permissions) !== 0) refusePermission(reply, grant.permissions, needed);
    // An empty name is no endpoint, though the router takes it for one.
    else if (cache === '' || key === '') sendError(reply, { status: 404, msg: NO_SUCH_ENDPOINT });
    else {
      request.grant = grant;
      done();
    }
  };
}

/**
 * The token that a request came with, in the header `Authorization: OAuth TOKEN` (or `Bearer`) or as
 * `?oauth=TOKEN`; the header wins.
 */
export function tokenOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  const fromHeader = header === undefined ? undefined : SCHEMES.exec(header)?.[1];
  if (fromHeader !== undefined) return fromHeader;
  const { oauth } = request.query as Record<string, string | string[] | undefined>;
  const fromQuery = typeof oauth === 'string' ? oauth : oauth?.[0];
  return fromQuery || undefined;
}

function parametersOf(request: FastifyRequest): Record<string, string | undefined> {
  return request.params as Record<string, string | undefined>;
}
