import { z } from 'zod';
import {
  idSchema,
  nameSchema,
  permissionsSchema,
  projectsSchema,
  quotasSchema,
  statusSchema,
  timeSchema,
  tokenTextSchema,
} from '../auth/credential-members.ts';
import { cacheSettings } from './cache-settings-json.ts';

/*
 * The control plane's bodies and answers, after Iron's own IronAuth API: its projects have `id`, `name`
 * and `status`, its tokens `_id`, `name`, `token` and `admin`.
 */

/** The longest life that a token may be given in seconds: ten years. */
const TOKEN_SECONDS_MAX = 315_360_000;

const EXAMPLE_ID = '4e71843298b1db3f0d0000ab';
const EXAMPLE_TOKEN_ID = '65f2a9b0c4d81e0000000001';

const projectId = idSchema.meta({ description: 'The project id', examples: [EXAMPLE_ID] });
const tokenId = idSchema.meta({ description: 'The id of the token, which is no secret' });

export const projectPath = z.object({ project: projectId });
export const tokenPath = z.object({ token: tokenId.meta({ examples: [EXAMPLE_TOKEN_ID] }) });
export type ProjectPath = z.infer<typeof projectPath>;
export type TokenPath = z.infer<typeof tokenPath>;

/** Which part of a list: what stands behind an id, and how much of it. */
export const listQuery = z.object({
  previous: z
    .string()
    .optional()
    .meta({ description: 'The id of the last one that was listed; none is the beginning' }),
  per_page: z.int().min(1).max(100).default(30).meta({ description: 'How many to list at most' }),
});
export type ListQuery = z.infer<typeof listQuery>;

export const tokenListQuery = listQuery.extend({
  project_id: z.string().optional().meta({ description: 'Only tokens that may use this project' }),
});
export type TokenListQuery = z.infer<typeof tokenListQuery>;

export const authenticationQuery = z.object({
  project_id: z.string().optional().meta({ description: 'The project that the token is to be good for' }),
});
export type AuthenticationQuery = z.infer<typeof authenticationQuery>;

const name = nameSchema.meta({ description: 'A name for people; several may have the same' });
const status = statusSchema.meta({ description: 'A suspended project is kept, and refused to everyone' });
const quotas = quotasSchema.meta({ description: 'What the project may take at most; null is no limit' });

export const newProject = z
  .strictObject({
    name,
    id: projectId.optional().meta({ description: 'For a project that comes from elsewhere; else random' }),
    status: status.optional(),
    quotas: quotas.optional(),
  })
  .meta({ id: 'NewProject', examples: [{ name: 'web', quotas: { bytes: 104_857_600 } }] });

export const projectChange = z
  .strictObject({ name: name.optional(), status: status.optional(), quotas: quotas.optional() })
  .meta({ id: 'ProjectChange', examples: [{ status: 'suspended' }] });

const lifeText = `must be a whole number of seconds from 1 to ${TOKEN_SECONDS_MAX} (ten years)`;

export const newToken = z
  .strictObject({
    name,
    projects: projectsSchema.meta({ description: 'The ids of its projects, or `*` for all' }),
    permissions: permissionsSchema
      .optional()
      .meta({ description: 'What it may do; `read` and `write` unless said otherwise' }),
    admin: z
      .boolean({ error: 'must be true or false' })
      .optional()
      .meta({ description: 'Adds the permission `admin`' }),
    expires_in: z
      .int({ error: lifeText })
      .min(1, { error: lifeText })
      .max(TOKEN_SECONDS_MAX, { error: lifeText })
      .nullish()
      .meta({ description: 'Seconds that it lives; for ever unless said otherwise' }),
    expires_at: timeSchema
      .nullish()
      .meta({ description: 'When it expires (RFC 3339), instead of expires_in' }),
    token: tokenTextSchema
      .optional()
      .meta({ description: 'The text of a token that comes from elsewhere; else random' }),
  })
  .meta({ id: 'NewToken', examples: [{ name: 'web', projects: [EXAMPLE_ID], expires_in: 7_776_000 }] });

const time = z.string().meta({ format: 'date-time' }).nullable();
const quotaAnswer = z.int().nullable();

const exampleProject = {
  id: EXAMPLE_ID,
  name: 'web',
  status: 'active',
  quotas: { bytes: 104_857_600, items: null, requests_per_second: null },
  created_at: '2030-01-01T00:00:00.000Z',
};

const project = z.object({
  id: projectId,
  name: z.string(),
  status: z.enum(['active', 'suspended']),
  quotas: z.object({ bytes: quotaAnswer, items: quotaAnswer, requests_per_second: quotaAnswer }),
  created_at: time,
});

export const projectAnswer = project.meta({ id: 'Project', examples: [exampleProject] });

export const projectList = z
  .object({ projects: z.array(project) })
  .meta({ id: 'ProjectList', examples: [{ projects: [exampleProject] }] });

const exampleToken = {
  id: EXAMPLE_TOKEN_ID,
  _id: EXAMPLE_TOKEN_ID,
  name: 'web',
  projects: [EXAMPLE_ID],
  permissions: ['read', 'write'],
  admin: false,
  expires_at: '2030-04-01T00:00:00.000Z',
  created_at: '2030-01-01T00:00:00.000Z',
};

const token = z.object({
  id: tokenId,
  _id: z.string().meta({ description: 'The id again, as IronAuth calls it' }),
  name: z.string(),
  projects: z.union([z.literal('*'), z.array(z.string())]),
  permissions: z.array(z.enum(['read', 'write', 'admin'])),
  admin: z.boolean(),
  expires_at: time,
  created_at: time,
});

export const tokenAnswer = token.meta({ id: 'Token', examples: [exampleToken] });

export const madeToken = token
  .extend({ token: z.string().meta({ description: 'Its text, which is shown here and never again' }) })
  .meta({ id: 'MadeToken', examples: [{ ...exampleToken, token: 'k7Qm2nYt0bFhXw9sLrVzCe4uPa6JdGi1' }] });

export const tokenList = z
  .object({ tokens: z.array(token) })
  .meta({ id: 'TokenList', examples: [{ tokens: [exampleToken] }] });

export const granted = z.object({}).meta({ id: 'Granted', examples: [{}] });

/** For the OpenAPI document. */
export const controlSchemas = [
  newProject,
  projectChange,
  newToken,
  projectAnswer,
  projectList,
  tokenAnswer,
  madeToken,
  tokenList,
  granted,
  cacheSettings,
] as const;
