import { hash as digest, timingSafeEqual } from 'node:crypto';
import { type Credentials, covers, type Project, type Token } from './credentials.ts';
import { type Denial, Grant } from './grant.ts';

/** A token as it is looked up: with its grants, one for each project that it was used for. */
interface Entry {
  readonly token: Token;
  readonly hash: Buffer;
  readonly grants: Map<string, Grant>;
}

// How many bytes of a hash the entries are found by; the whole hash is then compared in constant time.
const PREFIX_BYTES = 8;

/**
 * May this token use this project? Both doors ask here. Its projects and tokens can be replaced at any time, and the
 * grants in use change with them. Plain tokens are never kept.
 */
export class TokenBook {
  readonly #now: () => number;
  #projects: ReadonlyMap<string, Project> = new Map();
  #entries: ReadonlyMap<string, readonly Entry[]> = new Map();
  readonly #boundGrants = new Map<string, Grant>();

  /** `now` gives milliseconds since the Unix epoch. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Knows these projects and tokens from now on, and no others. */
  update({ projects, tokens }: Credentials): void {
    this.#projects = new Map(projects.map((project) => [project.id, project]));
    const earlier = new Map([...this.#entries.values()].flat().map((entry) => [entry.token.id, entry]));
    const entries = new Map<string, Entry[]>();
    for (const token of tokens) {
      const known = earlier.get(token.id);
      // The grants of a token go on as long as it has its id and its text.
      const goesOn = known?.token.hash === token.hash;
      if (goesOn) earlier.delete(token.id);
      const grants: Entry['grants'] = goesOn ? known.grants : new Map();
      this.#renew(grants, token);
      const hash = Buffer.from(token.hash, 'hex');
      const prefix = prefixOf(hash);
      entries.set(prefix, [...(entries.get(prefix) ?? []), { token, hash, grants }]);
    }
    for (const { grants } of earlier.values()) {
      for (const grant of grants.values()) grant.withdraw('unknown_token');
    }
    this.#entries = entries;
    for (const [id, grant] of this.#boundGrants) this.#renewBound(id, grant);
  }

  /** The right of this token to use this project now, or why it has none. */
  check(projectId: string, token: string): Grant | Denial {
    const project = this.#projects.get(projectId);
    if (!project) return 'no_such_project';
    const entry = this.#find(token);
    if (!entry) return 'unknown_token';
    const grant = entry.grants.get(projectId) ?? this.#grant(entry, project);
    if (grant) return grant.denial(this.#now()) ?? grant;
    return this.#now() < entry.token.expiresAt ? 'forbidden' : 'expired_token';
  }

  /** Is what was granted earlier still granted? */
  holds(grant: Grant): boolean {
    return grant.denial(this.#now()) === undefined;
  }

  /** Whose text this is, whatever it may do. */
  identify(text: string): Token | 'unknown_token' | 'expired_token' {
    const token = this.#find(text)?.token;
    if (!token) return 'unknown_token';
    return this.#now() < token.expiresAt ? token : 'expired_token';
  }

  /** The right of whoever reaches a listener that is bound to this project. */
  boundGrant(projectId: string): Grant | undefined {
    const known = this.#boundGrants.get(projectId);
    const project = this.#projects.get(projectId);
    if (known || !project) return known;
    const grant = new Grant(project);
    this.#boundGrants.set(projectId, grant);
    return grant;
  }

  #renew(grants: Entry['grants'], token: Token): void {
    for (const [id, grant] of grants) {
      const project = this.#projects.get(id);
      if (project && covers(token, id)) {
        grant.renew(project, token);
      } else {
        grant.withdraw(project ? 'forbidden' : 'no_such_project');
        grants.delete(id);
      }
    }
  }

  #grant({ token, grants }: Entry, project: Project): Grant | undefined {
    if (!covers(token, project.id)) return undefined;
    const grant = new Grant(project, token);
    grants.set(project.id, grant);
    return grant;
  }

  #renewBound(projectId: string, grant: Grant): void {
    const project = this.#projects.get(projectId);
    if (project) grant.renew(project);
    else grant.withdraw('no_such_project');
  }

  #find(text: string): Entry | undefined {
    const hash = digest('sha256', text, 'buffer');
    // Practically never more than one.
    return this.#entries.get(prefixOf(hash))?.find((entry) => timingSafeEqual(entry.hash, hash));
  }
}

/** How a token is kept: its SHA-256, as hex. Tokens are random and long, so a plain hash is enough. */
export function hashToken(token: string): string {
  return digest('sha256', token, 'hex');
}

/** Compares tokens with one that is expected, in a time that tells nothing about it. */
export function tokenMatch(expected: string): (given: string) => boolean {
  const hash = digest('sha256', expected, 'buffer');
  return (given) => timingSafeEqual(digest('sha256', given, 'buffer'), hash);
}

function prefixOf(hash: Buffer): string {
  return hash.latin1Slice(0, PREFIX_BYTES);
}
