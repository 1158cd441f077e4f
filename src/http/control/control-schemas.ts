import { id, type NamedSchema, object, projectId, reference, text } from '../schemas.ts';

/*
 * The control plane's queries, bodies and answers, after Iron's own IronAuth API: its projects have `id`,
 * `name` and `status`, its tokens `_id`, `name`, `token` and `admin`.
 */

const EXAMPLE_ID = '4e71843298b1db3f0d0000ab';
const EXAMPLE_TOKEN_ID = '65f2a9b0c4d81e0000000001';

const tokenId = { ...id, description: 'The id of the token, which is no secret' };

export const tokenPath = object({ token: { ...tokenId, examples: [EXAMPLE_TOKEN_ID] } });

export interface TokenPath {
  readonly token: string;
}

/** Which part of a list: what stands behind an id, and how much of it. */
export const listQuery = {
  type: 'object',
  properties: {
    previous: {
      description: 'The id of the last one that was listed; none is the beginning',
      type: 'string',
    },
    per_page: {
      default: 30,
      description: 'How many to list at most',
      type: 'integer',
      minimum: 1,
      maximum: 100,
    },
  },
} as const;
export interface ListQuery {
  readonly previous?: string;
  readonly per_page: number;
}

export const tokenListQuery = {
  type: 'object',
  properties: {
    ...listQuery.properties,
    project_id: { description: 'Only tokens that may use this project', type: 'string' },
  },
} as const;
export interface TokenListQuery extends ListQuery {
  readonly project_id?: string;
}

export const authenticationQuery = {
  type: 'object',
  properties: {
    project_id: { description: 'The project that the token is to be good for', type: 'string' },
  },
} as const;
export interface AuthenticationQuery {
  readonly project_id?: string;
}

/** The bodies that zod checks, by name; what they are is told by control-bodies.ts. */
export const newProject: NamedSchema = { $id: 'NewProject' };
export const projectChange: NamedSchema = { $id: 'ProjectChange' };
export const newToken: NamedSchema = { $id: 'NewToken' };
export const cacheSettings: NamedSchema = { $id: 'CacheSettings' };

const time = { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] };
const quota = {
  anyOf: [{ type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER }, { type: 'null' }],
};

const exampleProject = {
  id: EXAMPLE_ID,
  name: 'web',
  status: 'active',
  quotas: { bytes: 104_857_600, items: null, requests_per_second: null },
  created_at: '2030-01-01T00:00:00.000Z',
};

export const projectAnswer: NamedSchema = {
  $id: 'Project',
  ...object({
    id: projectId,
    name: text,
    status: { type: 'string', enum: ['active', 'suspended'] },
    quotas: object({ bytes: quota, items: quota, requests_per_second: quota }),
    created_at: time,
  }),
  examples: [exampleProject],
};

export const projectList: NamedSchema = {
  $id: 'ProjectList',
  ...object({ projects: { type: 'array', items: reference(projectAnswer) } }),
  examples: [{ projects: [exampleProject] }],
};

const tokenMembers = {
  id: tokenId,
  _id: { ...text, description: 'The id again, as IronAuth calls it' },
  name: text,
  projects: {
    // In this order: some generators of clients understand nothing behind a constant.
    anyOf: [
      { type: 'array', items: text },
      { type: 'string', const: '*' },
    ],
  },
  permissions: { type: 'array', items: { type: 'string', enum: ['read', 'write', 'admin'] } },
  admin: { type: 'boolean' },
  expires_at: time,
  created_at: time,
};

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

export const tokenAnswer: NamedSchema = { $id: 'Token', ...object(tokenMembers), examples: [exampleToken] };

export const madeToken: NamedSchema = {
  $id: 'MadeToken',
  ...object({
    ...tokenMembers,
    token: { ...text, description: 'Its text, which is shown here and never again' },
  }),
  examples: [{ ...exampleToken, token: 'k7Qm2nYt0bFhXw9sLrVzCe4uPa6JdGi1' }],
};

export const tokenList: NamedSchema = {
  $id: 'TokenList',
  ...object({ tokens: { type: 'array', items: reference(tokenAnswer) } }),
  examples: [{ tokens: [exampleToken] }],
};

export const granted: NamedSchema = { $id: 'Granted', type: 'object', properties: {}, examples: [{}] };

/** The answers, in the order of the document. */
export const controlAnswers: readonly NamedSchema[] = [
  projectAnswer,
  projectList,
  tokenAnswer,
  madeToken,
  tokenList,
  granted,
];
