import { hash as digest, timingSafeEqual } from 'node:crypto';

/** A project and the SHA-256 hashes (hex) of the tokens that may use it. */
export interface ProjectTokens {
  readonly id: string;
  readonly tokenHashes: readonly string[];
}

export type Verdict = 'granted' | 'no_such_project' | 'unknown_token' | 'forbidden';

/** May this token use this project? Both doors ask here. Plain tokens are never kept. */
export class TokenBook {
  readonly #hashesByProject: ReadonlyMap<string, readonly Buffer[]>;

  constructor(projects: readonly ProjectTokens[]) {
    this.#hashesByProject = new Map(
      projects.map(({ id, tokenHashes }) => [id, tokenHashes.map((hash) => Buffer.from(hash, 'hex'))]),
    );
  }

  check(projectId: string, token: string): Verdict {
    const hashes = this.#hashesByProject.get(projectId);
    if (!hashes) return 'no_such_project';
    const hash = digest('sha256', token, 'buffer');
    if (matchesAny(hash, hashes)) return 'granted';
    return matchesAny(hash, [...this.#hashesByProject.values()].flat()) ? 'forbidden' : 'unknown_token';
  }
}

/** How a token is kept: its SHA-256, as hex. Tokens are random and long, so a plain hash is enough. */
export function hashToken(token: string): string {
  return digest('sha256', token, 'hex');
}

// Looks at every hash, in constant time each, so that the time taken tells nothing about them.
function matchesAny(hash: Buffer, hashes: readonly Buffer[]): boolean {
  let found = false;
  for (const candidate of hashes) found = timingSafeEqual(hash, candidate) || found;
  return found;
}
