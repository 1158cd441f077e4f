import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Accounts } from '../../auth/accounts.ts';
import type { Change } from '../../auth/credential-changes.ts';
import type { Project, Token } from '../../auth/credentials.ts';
import { ADMIN, permissionSet } from '../../auth/permissions.ts';
import { NO_SUCH_ENDPOINT, sendNotFound } from '../errors.ts';
import type { Gate } from '../gate.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { refusePermission } from '../token-refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The token that a request of the control plane came with, as it is now; null anywhere else. Throws HttpRefusal
     * where its right has ended meanwhile.
     */
    admin: (() => Token) | null;
  }
}

/** Lets a request pass whose token may administer: all projects, or at least its own. */
export function administer(gate: Gate) {
  return (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const admin = gate.tokenFor(request, reply);
    if (!admin) return;
    const { project, token, cache } = request.params as Record<string, string | undefined>;
    const permissions = permissionSet(admin.permissions);
    // An empty name is no endpoint, though the router takes it for one.
    if (project === '' || token === '' || cache === '') sendNotFound(reply);
    else if ((permissions & ADMIN) === 0) refusePermission(reply, permissions, ADMIN);
    else {
      request.admin = () => adminStill(gate, request);
      done();
    }
  };
}

// While a body came, or others' changes were made, the token may have been revoked.
function adminStill(gate: Gate, request: FastifyRequest): Token {
  const token = gate.identify(request);
  if (typeof token === 'string' || (permissionSet(token.permissions) & ADMIN) === 0) {
    throw new HttpRefusal(403, 'This token may not administer any more. Use another.');
  }
  return token;
}

/** What an admin token may see and change, as it is now: all, or the projects it names and the tokens for these alone. */
export class AdminScope {
  // Of thousands of projects, looking for each of a token's in a list would hold everyone up.
  readonly #projects: '*' | ReadonlySet<string>;

  constructor({ admin }: Pick<FastifyRequest, 'admin'>) {
    const projects = admin?.().projects ?? [];
    this.#projects = projects === '*' ? projects : new Set(projects);
  }

  hasProject(id: string): boolean {
    return this.#projects === '*' || this.#projects.has(id);
  }

  hasToken({ projects }: Pick<Token, 'projects'>): boolean {
    if (projects === '*') return this.#projects === '*';
    return projects.every((id) => this.hasProject(id));
  }

  /** Throws HttpRefusal 403 to whoever is not the admin of all projects. */
  requireAll(): void {
    if (this.#projects === '*') return;
    throw new HttpRefusal(
      403,
      'Only an admin token of all projects may do this. Ask whoever runs this service.',
    );
  }
}

/** A change that is made only if its admin has the right to when it is its turn: `check` throws if not. */
export function asAdmin<R>(
  request: FastifyRequest,
  check: (scope: AdminScope) => void,
  change: Change<R>,
): Change<R> {
  return (credentials) => {
    check(new AdminScope(request));
    return change(credentials);
  };
}

/**
 * The project of a path, if the admin may know of it. Throws HttpRefusal 404: an admin must not learn whether there is
 * a project that is not its own.
 */
export function administeredProject(request: FastifyRequest, { credentials }: Accounts): Project {
  const { project: id } = request.params as { project: string };
  const project = credentials.projects.find((each) => each.id === id);
  if (project && new AdminScope(request).hasProject(id)) return project;
  throw new HttpRefusal(404, NO_SUCH_ENDPOINT);
}
