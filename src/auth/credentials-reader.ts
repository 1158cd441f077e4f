import { z } from 'zod';
import { parseJsonFile } from '../files/json-file.ts';
import {
  idSchema,
  nameSchema,
  objectError,
  permissionsSchema,
  projectsSchema,
  quotasSchema,
  statusSchema,
  timeSchema,
  tokenHashSchema,
  tokenTextSchema,
} from './credential-members.ts';
import type { Credentials, Project, Token } from './credentials.ts';
import { idFromName, quotasFrom } from './credentials-json.ts';
import { listOf, mistakesIn } from './schema-mistakes.ts';
import { hashToken } from './token-book.ts';

/*
 * The text of a credentials file. The service writes version 2; a person may write it, too, and leave
 * out what has a default. Version 1, of the first releases, is read as well.
 */

const projectSchema = z.strictObject(
  {
    id: idSchema,
    name: nameSchema.optional(),
    status: statusSchema.optional(),
    quotas: quotasSchema.optional(),
    created_at: timeSchema.nullish(),
  },
  { error: objectError('id, name, status, quotas, created_at') },
);

const tokenSchema = z.strictObject(
  {
    id: idSchema.optional(),
    name: nameSchema,
    hash: tokenHashSchema.optional(),
    token: tokenTextSchema.optional(),
    projects: projectsSchema,
    permissions: permissionsSchema.optional(),
    expires_at: timeSchema.nullish(),
    created_at: timeSchema.nullish(),
  },
  { error: objectError('id, name, hash or token, projects, permissions, expires_at, created_at') },
);

const fileSchema = z.strictObject(
  {
    version: z.literal(2),
    projects: z.array(projectSchema, { error: 'must be a list of projects' }),
    tokens: z.array(tokenSchema, { error: 'must be a list of tokens' }),
    deleted_projects: z.array(idSchema, { error: 'must be a list of project ids' }).optional(),
  },
  { error: objectError('version, projects, tokens, deleted_projects') },
);

const firstFileSchema = z.object({
  version: z.literal(1),
  projects: z.array(z.object({ id: idSchema, tokenHashes: z.array(tokenHashSchema).min(1) })),
});

const versionSchema = z.object(
  { version: z.union([z.literal(1), z.literal(2)], { error: 'must be 2 (or 1)' }) },
  { error: objectError('version, projects, tokens') },
);

export interface ReadCredentials {
  readonly credentials: Credentials;
  /** Is it an older form, which the service may write anew? */
  readonly outdated: boolean;
}

/**
 * Throws an error that names the mistakes, and nothing of any token but the names of those that are `taken`: none of
 * the file may have their texts.
 */
export function readCredentials(path: string, text: string, taken: readonly Token[] = []): ReadCredentials {
  const json = parseJsonFile(path, text);
  const { version } = valid(path, versionSchema.safeParse(json));
  if (version === 1) {
    return { credentials: fromFirstVersion(valid(path, firstFileSchema.safeParse(json))), outdated: true };
  }
  const file = valid(path, fileSchema.safeParse(json));
  const mistakes = contradictionsIn(file, taken);
  if (mistakes.length > 0) throw notCredentials(path, mistakes);
  const credentials = {
    projects: file.projects.map(projectFrom),
    tokens: file.tokens.map(tokenFrom),
    ...(file.deleted_projects && { deletedProjects: file.deleted_projects }),
  };
  return { credentials, outdated: false };
}

function projectFrom({ id, name, status, quotas, created_at }: z.output<typeof projectSchema>): Project {
  return {
    id,
    name: name ?? id,
    suspended: status === 'suspended',
    quotas: quotasFrom(quotas ?? {}),
    createdAt: created_at ?? undefined,
  };
}

function tokenFrom(token: z.output<typeof tokenSchema>): Token {
  return {
    id: token.id ?? idFromName(token.name),
    name: token.name,
    hash: token.hash ?? hashToken(token.token ?? ''),
    projects: token.projects,
    permissions: token.permissions ?? USUAL_RIGHTS.permissions,
    expiresAt: token.expires_at ?? USUAL_RIGHTS.expiresAt,
    createdAt: token.created_at ?? undefined,
  };
}

// The first version knew tokens by their hashes alone, and one of two projects as two.
function fromFirstVersion({ projects }: z.output<typeof firstFileSchema>): Credentials {
  const tokens = new Map<string, Token>();
  for (const { id, tokenHashes } of projects) {
    for (const [index, hash] of tokenHashes.entries()) {
      const name = `token ${index + 1} of ${id}`;
      const known = tokens.get(hash) ?? { id: idFromName(name), name, hash, projects: [], ...USUAL_RIGHTS };
      tokens.set(hash, { ...known, projects: [...new Set([...known.projects, id])] });
    }
  }
  return {
    projects: projects.map(({ id }) => ({ id, name: id, suspended: false, quotas: {} })),
    tokens: [...tokens.values()],
  };
}

const USUAL_RIGHTS = { permissions: ['read', 'write'], expiresAt: Number.POSITIVE_INFINITY } as const;

function contradictionsIn(
  { projects, tokens }: z.output<typeof fileSchema>,
  taken: readonly Token[],
): string[] {
  const ids = new Set(projects.map(({ id }) => id));
  const hashes = tokens.map(({ hash, token }) => hash ?? (token && hashToken(token)));
  return [
    ...repeated(projects.map(({ id }) => id)).map((i) => `projects[${i}].id is that of another project`),
    ...tokens.flatMap((token, i) => {
      if ((token.hash === undefined) === (token.token === undefined)) {
        return [`tokens[${i}] must have either hash or token`];
      }
      const named = token.projects === '*' ? [] : token.projects;
      return named.flatMap((id, j) =>
        ids.has(id) ? [] : [`tokens[${i}].projects[${j}] is no project here`],
      );
    }),
    ...repeated(tokens.map(({ id, name }) => id ?? idFromName(name))).map((i) =>
      tokens[i]?.id === undefined
        ? `tokens[${i}].name is that of another token; use another, or give both an id`
        : `tokens[${i}].id is that of another token`,
    ),
    ...repeated(hashes).map((i) => `tokens[${i}] has the same text as another token`),
    ...taken.flatMap(({ name, hash }) =>
      hashes.flatMap((other, i) => (other === hash ? [`tokens[${i}] has the same text as ${name}`] : [])),
    ),
  ];
}

/** Where a value stands that has come before. */
function repeated(values: readonly (string | undefined)[]): number[] {
  const seen = new Set<string>();
  return values.flatMap((value, index) => {
    if (value === undefined) return [];
    if (seen.has(value)) return [index];
    seen.add(value);
    return [];
  });
}

function valid<T>(path: string, result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data;
  throw notCredentials(path, mistakesIn(result.error.issues));
}

function notCredentials(path: string, mistakes: readonly string[]): Error {
  return new Error(`${path} is not a credentials file of ironcached: ${listOf(mistakes)}`);
}
