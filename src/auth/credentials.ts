import type { Permission } from './permissions.ts';

/** What a project may take at most. What is undefined is not limited for the project alone. */
export interface Quotas {
  readonly bytes?: number | undefined;
  readonly items?: number | undefined;
  readonly requestsPerSecond?: number | undefined;
}

export interface Project {
  /** 24 lower-case hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** Nobody may use it for now; its items stay. */
  readonly suspended: boolean;
  readonly quotas: Quotas;
  /** Milliseconds since the Unix epoch; unknown where a person wrote the file. */
  readonly createdAt?: number | undefined;
}

export interface Token {
  /** 24 lower-case hexadecimal digits, which are no secret: logs and metrics may name them. */
  readonly id: string;
  readonly name: string;
  /** The SHA-256 of its text, as hexadecimal digits. The text itself is not kept. */
  readonly hash: string;
  /** The ids of its projects; `*` is all, those to come as well. */
  readonly projects: '*' | readonly string[];
  readonly permissions: readonly Permission[];
  /** Milliseconds since the Unix epoch; Infinity is never. */
  readonly expiresAt: number;
  readonly createdAt?: number | undefined;
}

/** All projects and tokens, at one time. Never changed: a change makes another. */
export interface Credentials {
  readonly projects: readonly Project[];
  readonly tokens: readonly Token[];
  /**
   * The ids of deleted projects, whose items are to go wherever they are; those of a project that is just not named
   * for a while stay. A project that is made again stays in this list until its old items are gone.
   */
  readonly deletedProjects?: readonly string[];
}

/** Projects that were deleted and made again by the same id. What the deleted ones had is still to go. */
export function remadeProjects({ projects, deletedProjects = [] }: Credentials): string[] {
  if (deletedProjects.length === 0) return [];
  const ids = new Set(projects.map(({ id }) => id));
  return deletedProjects.filter((id) => ids.has(id));
}

/** When a project was made, by which it is told from others that had its id before. */
export function madeAt({ projects }: Credentials, projectId: string): number | undefined {
  return projects.find(({ id }) => id === projectId)?.createdAt;
}

/** Was a missing project deleted, rather than just not named for now? */
export function wasDeleted({ deletedProjects = [] }: Credentials, projectId: string): boolean {
  return deletedProjects.includes(projectId);
}

export function covers({ projects }: Token, projectId: string): boolean {
  return projects === '*' || projects.includes(projectId);
}
