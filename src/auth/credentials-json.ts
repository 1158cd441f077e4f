import { hash } from 'node:crypto';
import type { Credentials, Project, Quotas, Token } from './credentials.ts';

/* How projects and tokens are written in files and answers; credentials-reader.ts reads them. */

export function formatCredentials({ projects, tokens, deletedProjects = [] }: Credentials): string {
  const file = {
    version: 2,
    projects: projects.map(projectJson),
    tokens: tokens.map((token) => {
      const { id, name, ...rest } = tokenJson(token);
      return { id, name, hash: token.hash, ...rest };
    }),
    ...(deletedProjects.length > 0 && { deleted_projects: deletedProjects }),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** A project as files and answers show it. */
export function projectJson({ id, name, suspended, quotas, createdAt }: Project) {
  return {
    id,
    name,
    status: suspended ? 'suspended' : 'active',
    quotas: {
      bytes: quotas.bytes ?? null,
      items: quotas.items ?? null,
      requests_per_second: quotas.requestsPerSecond ?? null,
    },
    created_at: timeText(createdAt),
  };
}

/** A token as files and answers show it: without its hash, and its text is not known. */
export function tokenJson({ id, name, projects, permissions, expiresAt, createdAt }: Token) {
  return {
    id,
    name,
    projects,
    permissions,
    expires_at: timeText(expiresAt),
    created_at: timeText(createdAt),
  };
}

/** The quotas of a file or a body; null is no limit. */
export interface QuotasJson {
  readonly bytes?: number | null | undefined;
  readonly items?: number | null | undefined;
  readonly requests_per_second?: number | null | undefined;
}

export function quotasFrom(quotas: QuotasJson): Quotas {
  return {
    bytes: quotas.bytes ?? undefined,
    items: quotas.items ?? undefined,
    requestsPerSecond: quotas.requests_per_second ?? undefined,
  };
}

/** The changes of quotas that are given there: what is missing stays, and null takes a limit away. */
export function quotaChangesFrom(quotas: QuotasJson): Partial<Quotas> {
  const { bytes, items, requests_per_second: requests } = quotas;
  return {
    ...(bytes !== undefined && { bytes: bytes ?? undefined }),
    ...(items !== undefined && { items: items ?? undefined }),
    ...(requests !== undefined && { requestsPerSecond: requests ?? undefined }),
  };
}

/** The id of a token that was given without one, always the same for the same name. */
export function idFromName(name: string): string {
  return hash('sha256', `ironcached token ${name}`, 'hex').slice(0, 24);
}

function timeText(time: number | undefined): string | null {
  return time === undefined || time === Number.POSITIVE_INFINITY ? null : new Date(time).toISOString();
}
