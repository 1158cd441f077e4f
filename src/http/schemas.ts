import { CACHE_NAME_LENGTH_MAX, KEY_LENGTH_MAX } from '../engine/limits.ts';

/*
 * What the OpenAPI document tells of paths, queries, bodies and answers: JSON schema as it stands there.
 * Bodies are read by hand (put-request.ts and others) or checked by zod (control-bodies.ts); queries are
 * checked by what is said here (query.ts).
 */

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A body or an answer, which the document lists by its name. */
export interface NamedSchema extends JsonSchema {
  readonly $id: string;
}

/** The longest time an item may be given, in seconds: 30 days. */
export const EXPIRES_IN_SECONDS_MAX = 2_592_000;

/** What members must be, for the document and for whoever sends something else. */
export const EXPIRES_IN_TEXT = `expires_in must be a whole number of seconds from 1 to ${EXPIRES_IN_SECONDS_MAX} (30 days); absent, null or 0, the default of the service applies`;
export const CAS_TEXT =
  'cas must be a whole number from 0 to 18446744073709551615, as a string or a number: the version that the stored item must have';
export const AMOUNT_TEXT = 'amount must be a whole number from -9223372036854775808 to 9223372036854775807';

/** The 24 digits that name a project, a token, and a cache for as long as it lives. */
export const id = { type: 'string', pattern: '^[0-9a-f]{24}$' };

export const projectId = { ...id, description: 'The project id', examples: ['4e71843298b1db3f0d0000ab'] };
const cacheName = {
  type: 'string',
  minLength: 1,
  maxLength: CACHE_NAME_LENGTH_MAX,
  description: 'The name of the cache, percent-encoded; %2F is part of the name',
  examples: ['sessions'],
};
const itemKey = {
  type: 'string',
  minLength: 1,
  maxLength: KEY_LENGTH_MAX,
  description: 'The key of the item, percent-encoded; %2F is part of the key',
  examples: ['user:42'],
};

export const text = { type: 'string' };
export const count = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const integer64 = { type: 'integer', format: 'int64' };

export const projectPath = object({ project: projectId });
export const cachePath = object({ project: projectId, cache: cacheName });
export const itemPath = object({ project: projectId, cache: cacheName, key: itemKey });

export interface ProjectPath {
  readonly project: string;
}
export interface CachePath extends ProjectPath {
  readonly cache: string;
}
export interface ItemPath extends CachePath {
  readonly key: string;
}

/** Which page of a list, and how long a page is. */
export const pageQuery = {
  type: 'object',
  properties: {
    previous: {
      // Without an example: the page at /docs would ask for what is behind that.
      description: 'The name that the page before ended with: pages count from behind it',
      type: 'string',
    },
    page: {
      default: 0,
      description: 'Which page; the first is 0',
      examples: [0],
      type: 'integer',
      minimum: 0,
      maximum: 100,
    },
    per_page: {
      default: 30,
      description: 'Caches on a page',
      examples: [30],
      type: 'integer',
      minimum: 1,
      maximum: 100,
    },
  },
} as const;
export interface PageQuery {
  readonly previous?: string;
  readonly page: number;
  readonly per_page: number;
}

// Clients that always send every member mean "not given" by null.
const FLAG = [{ type: 'boolean' }, { type: 'null' }];

export const putBody: NamedSchema = {
  $id: 'NewItem',
  type: 'object',
  properties: {
    value: {
      description: 'What to store: text or any other JSON value; it comes back unchanged, digit for digit',
    },
    expires_in: {
      description: EXPIRES_IN_TEXT,
      examples: [3600],
      anyOf: [{ type: 'integer', minimum: 0, maximum: EXPIRES_IN_SECONDS_MAX }, { type: 'null' }],
    },
    add: { description: 'Store only if there is no item under this key', anyOf: FLAG },
    replace: { description: 'Store only if there is an item under this key', anyOf: FLAG },
    cas: {
      anyOf: [
        { type: 'string', pattern: '^\\d{1,20}$' },
        // Without a maximum: as a number, the document could only name one that is too large.
        { type: 'integer', format: 'uint64', minimum: 0 },
        { type: 'null' },
      ],
      description: CAS_TEXT,
      examples: ['1042'],
    },
  },
  required: ['value'],
  examples: [{ value: 'Hello', expires_in: 3600 }],
};

export const incrementBody: NamedSchema = {
  $id: 'Increment',
  ...object({ amount: { ...integer64, description: AMOUNT_TEXT, examples: [1] } }),
  examples: [{ amount: 1 }],
};

export const message: NamedSchema = {
  $id: 'Message',
  ...object({ msg: { ...text, description: 'What happened, or what to do' } }),
};

export const flags = {
  type: 'integer',
  minimum: 0,
  maximum: 0xffff_ffff,
  description: 'As a memcached client set them; else 0',
};

export const item: NamedSchema = {
  $id: 'Item',
  ...object({
    cache: text,
    key: text,
    value: { description: 'As it was stored; a number for bytes that read like an integer' },
    cas: { ...text, description: 'The version of the item, for a conditional PUT' },
    flags,
    expires: {
      ...text,
      format: 'date-time',
      description: 'When the item expires (RFC 3339, UTC); 9999-01-01T00:00:00Z is never',
    },
  }),
  examples: [
    {
      cache: 'sessions',
      key: 'user:42',
      value: 'Hello',
      cas: '1042',
      flags: 0,
      expires: '9999-01-01T00:00:00Z',
    },
  ],
};

export const incremented: NamedSchema = {
  $id: 'Incremented',
  ...object({
    msg: { ...text, const: 'Added' },
    value: { ...integer64, description: 'The number after the addition' },
  }),
  examples: [{ msg: 'Added', value: 43 }],
};

const listedCache = {
  id: { ...id, description: 'The id of the cache, for as long as it lives' },
  project_id: projectId,
  name: text,
};

const exampleCache = {
  id: '65f2a9b0c4d81e0000000001',
  project_id: '4e71843298b1db3f0d0000ab',
  name: 'sessions',
};

export const cacheList: NamedSchema = {
  $id: 'CacheList',
  type: 'array',
  items: object(listedCache),
  examples: [[exampleCache]],
};

export const cacheInfo: NamedSchema = {
  $id: 'Cache',
  ...object({
    ...listedCache,
    size: { ...count, description: 'How many live items the cache has, exactly' },
    data_size: { ...count, description: 'How many bytes they take' },
  }),
  examples: [{ ...exampleCache, size: 42, data_size: 18_765 }],
};

export const versionInfo: NamedSchema = {
  $id: 'Version',
  ...object({ version: text }),
  examples: [{ version: '0.1.0' }],
};

export const health: NamedSchema = {
  $id: 'Health',
  ...object({ status: { type: 'string', enum: ['live', 'ready'] } }),
  examples: [{ status: 'ready' }],
};

export const metricsText: NamedSchema = {
  $id: 'Metrics',
  type: 'string',
  description: "Prometheus' text format, version 0.0.4",
  examples: ['# TYPE ironcached_hits_total counter\nironcached_hits_total 42\n'],
};

/** The bodies and answers, in the order of the document. */
export const namedSchemas: readonly NamedSchema[] = [
  putBody,
  incrementBody,
  item,
  incremented,
  cacheList,
  cacheInfo,
  message,
  versionInfo,
  health,
  metricsText,
];

/** An object that has all of these members. */
export function object(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties) };
}

/** A schema by its name, so that a generated client has one type for it wherever it stands. */
export function reference({ $id }: NamedSchema): JsonSchema {
  return { $ref: `${$id}#` };
}
