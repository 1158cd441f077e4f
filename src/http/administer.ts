import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Accounts } from '../auth/accounts.ts';
import type { Project, Token } from '../auth/credentials.ts';
import { ADMIN, permissionSet } from '../auth/permissions.ts';
import { NO_SUCH_ENDPOINT, sendError } from './errors.ts';
import type { Gate } from './gate.ts';
import { HttpRefusal } from './http-refusal.ts';
import { refusePermission } from './token-refusals.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose token it is that a request of the control plane came with; null anywhere else. */
    admin: Token | null;
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
    if (project === '' || token === '' || cache === '')
      sendError(reply, { status: 404, msg: NO_SUCH_ENDPOINT });
    else if ((permissions & ADMIN) === 0) refusePermission(reply, permissions, ADMIN);
    else {
      request.admin = admin;
      done();
    }
  };
}

/** What an admin token may see and change: all, or the projects it names and the tokens for these alone. */
export class AdminScope {
  readonly #projects: Token['projects'];

  constructor({ admin }: FastifyRequest) {
    this.#projects = admin?.projects ?? [];
  }

  hasProject(id: string): boolean {
    return this.#projects === '*' || this.#projects.includes(id);
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

/**
 * The project of a path, where the admin may know of it. Throws HttpRefusal 404: whether there is a project
 * that is not its own is not for an admin to know.
 */
export function administeredProject(request: FastifyRequest, { credentials }: Accounts): Project {
  const { project: id } = request.params as { project: string };
  const project = credentials.projects.find((each) => each.id === id);
  if (project && new AdminScope(request).hasProject(id)) return project;
  throw new HttpRefusal(404, NO_SUCH_ENDPOINT);
}
