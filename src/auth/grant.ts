import type { Project, Token } from './credentials.ts';
import { type PermissionSet, permissionSet, READ, WRITE } from './permissions.ts';

/** Why a token may not use a project. `forbidden`: it is known, and has no right to this one. */
export type Denial = 'no_such_project' | 'unknown_token' | 'expired_token' | 'forbidden' | 'suspended';

/**
 * The right to use a project, by a token or by a listener that is bound to it. The token book keeps one
 * for each pair and changes it with the token and the project: whoever holds a grant asks for its
 * denial before each piece of work, and may count by it.
 */
export class Grant {
  /** As it is now, or was when it was deleted. */
  project: Project;
  /** Undefined: a bound listener, which needs none. */
  token: Token | undefined;
  permissions: PermissionSet = READ | WRITE;
  #denial: Denial | undefined;
  #expiresAt = Number.POSITIVE_INFINITY;

  constructor(project: Project, token?: Token) {
    this.project = project;
    this.renew(project, token);
  }

  /** Why it cannot be used at this time, if so. */
  denial(now: number): Denial | undefined {
    return now < this.#expiresAt ? this.#denial : 'expired_token';
  }

  renew(project: Project, token?: Token): void {
    this.project = project;
    this.token = token;
    this.#denial = project.suspended ? 'suspended' : undefined;
    if (!token) return;
    this.permissions = permissionSet(token.permissions);
    this.#expiresAt = token.expiresAt;
  }

  /** Ends it: the token was revoked or lost this project, or the project was deleted. */
  withdraw(denial: Denial): void {
    this.#denial = denial;
  }
}
