import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Grant } from '../auth/grant.ts';
import type { PermissionSet } from '../auth/permissions.ts';
import { sendNotFound } from './errors.ts';
import type { Gate } from './gate.ts';
import { refuseDenied, refusePermission } from './token-refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** By what right the request uses its project; null where it needs none. */
    grant: Grant | null;
    /** The permissions that its route needs. */
    needed: PermissionSet;
  }
}

/**
 * Lets a request pass whose token may use the project in its path, in the way that the route needs, and notes the
 * operation: asking the route again would make a new object with all its options.
 */
export function authenticate(gate: Gate, needed: PermissionSet, operation: string) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    request.operation = operation;
    const { project = '', cache, key } = parametersOf(request);
    const grant = gate.grantFor(project, request, reply);
    if (!grant || gate.isTooFast(grant, reply)) return;
    if ((needed & ~grant.permissions) !== 0) refusePermission(reply, grant.permissions, needed);
    // An empty name is no endpoint, though the router takes it for one.
    else if (cache === '' || key === '') sendNotFound(reply);
    else {
      request.grant = grant;
      request.needed = needed;
      done();
    }
  };
}

/** Answers a request whose right ended while its body came: its token was revoked, say, or may only read now. */
export function refuseIfLapsed(request: FastifyRequest, reply: FastifyReply, now: number): boolean {
  const { grant, needed } = request;
  if (!grant || hasRight(request, now)) return false;
  const denial = grant.denial(now);
  if (denial !== undefined) refuseDenied(reply, denial);
  else refusePermission(reply, grant.permissions, needed);
  return true;
}

/** Does a request that passed still have the right that it needs? */
export function hasRight({ grant, needed }: FastifyRequest, now: number): boolean {
  return !grant || (grant.denial(now) === undefined && (needed & ~grant.permissions) === 0);
}

function parametersOf(request: FastifyRequest): Record<string, string | undefined> {
  return request.params as Record<string, string | undefined>;
}
