import { z } from 'zod';
import { KEY_LENGTH_MAX } from '../engine/limits.ts';

/** The longest time an item may be given, in seconds: 30 days. */
export const EXPIRES_IN_SECONDS_MAX = 2_592_000;

const expiresInText = `expires_in must be a whole number of seconds from 1 to ${EXPIRES_IN_SECONDS_MAX} (30 days); absent, null or 0, the default of the service applies`;

/** The 24 digits that name a project, and a cache for as long as it lives. */
const idSchema = z
  .string()
  .regex(/^[0-9a-f]{24}$/)
  .meta({ description: '24 lower-case hexadecimal digits' });

const projectId = idSchema.meta({ description: 'The project id', examples: ['4e71843298b1db3f0d0000ab'] });
const cacheName = z
  .string()
  .min(1)
  .meta({
    description: 'The name of the cache, percent-encoded; %2F is part of the name',
    examples: ['sessions'],
  });
const itemKey = z
  .string()
  .min(1)
  .max(KEY_LENGTH_MAX)
  .meta({
    description: 'The key of the item, percent-encoded; %2F is part of the key',
    examples: ['user:42'],
  });

export const projectPath = z.object({ project: projectId });
export const cachePath = projectPath.extend({ cache: cacheName });
export const itemPath = cachePath.extend({ key: itemKey });
export type ProjectPath = z.infer<typeof projectPath>;
export type CachePath = z.infer<typeof cachePath>;
export type ItemPath = z.infer<typeof itemPath>;

/** Which page of a list, and how long a page is. */
export const pageQuery = z.object({
  page: z
    .int()
    .min(0)
    .max(100)
    .default(0)
    .meta({ description: 'Which page; the first is 0', examples: [0] }),
  per_page: z
    .int()
    .min(1)
    .max(100)
    .default(30)
    .meta({ description: 'Caches on a page', examples: [30] }),
});
export type PageQuery = z.infer<typeof pageQuery>;

export const casSchema = z.union([z.string().regex(/^\d{1,20}$/), integer64(0)]).meta({
  description:
    'cas must be a whole number from 0 to 18446744073709551615, as a string or a number: the version that the stored item must have',
  examples: ['1042'],
});

/** The members of a PUT's body that are checked as they are; the rest is read by hand, digit for digit. */
export const putOptionsSchema = z.object({
  expires_in: z
    .int({ error: expiresInText })
    .min(1, { error: expiresInText })
    .max(EXPIRES_IN_SECONDS_MAX, { error: expiresInText })
    .optional()
    .meta({ description: expiresInText, examples: [3600] }),
  add: z
    .boolean({ error: 'add must be true or false' })
    .optional()
    .meta({ description: 'Store only if there is no item under this key' }),
  replace: z
    .boolean({ error: 'replace must be true or false' })
    .optional()
    .meta({ description: 'Store only if there is an item under this key' }),
});

export const putBody = z
  .object({
    value: z.unknown().meta({
      description: 'What to store: text or any other JSON value; it comes back unchanged, digit for digit',
    }),
    ...putOptionsSchema.shape,
    cas: casSchema.optional(),
  })
  .meta({ id: 'NewItem', examples: [{ value: 'Hello', expires_in: 3600 }] });

export const amountSchema = integer64().meta({
  description: 'amount must be a whole number from -9223372036854775808 to 9223372036854775807',
  examples: [1],
});

export const incrementBody = z
  .object({ amount: amountSchema })
  .meta({ id: 'Increment', examples: [{ amount: 1 }] });

export const message = z
  .object({ msg: z.string().meta({ description: 'What happened, or what to do' }) })
  .meta({ id: 'Message' });

export const item = z
  .object({
    cache: z.string(),
    key: z.string(),
    value: z
      .unknown()
      .meta({ description: 'As it was stored; a number for bytes that read like an integer' }),
    cas: z.string().meta({ description: 'The version of the item, for a conditional PUT' }),
    flags: z.int().min(0).max(0xffff_ffff).meta({ description: 'As a memcached client set them; else 0' }),
    expires: z.string().meta({
      format: 'date-time',
      description: 'When the item expires (RFC 3339, UTC); 9999-01-01T00:00:00Z is never',
    }),
  })
  .meta({
    id: 'Item',
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
  });

export const incremented = z
  .object({
    msg: z.literal('Added'),
    value: integer64().meta({ description: 'The number after the addition' }),
  })
  .meta({ id: 'Incremented', examples: [{ msg: 'Added', value: 43 }] });

/** Whether what a dump has may replace what is there. */
export const loadQuery = z.object({
  mode: z
    .enum(['set', 'add'])
    .default('set')
    .meta({
      description:
        'What becomes of items that are there already: set replaces them, add leaves them as they are',
      examples: ['set'],
    }),
});
export type LoadQuery = z.infer<typeof loadQuery>;

const base64 = z.string().meta({ format: 'byte' });

/** Told for the document alone: the lines are read by src/dump. */
const itemLine = z
  .object({
    key: z.string().optional().meta({ description: 'The key, where it is UTF-8' }),
    key_base64: base64.optional().meta({ description: 'The key, where it is not' }),
    kind: z.enum(['text', 'number', 'json', 'bytes']).default('text').meta({
      description:
        'What the value is by REST: a string, a number, other JSON; bytes is what a memcached client stored',
    }),
    value: z.string().optional().meta({
      description:
        'The value as text, whatever its kind, where it is UTF-8: the digits of a number, the text of JSON',
    }),
    value_base64: base64.optional().meta({ description: 'The value, where it is not' }),
    flags: item.shape.flags.default(0),
    expires: z.string().optional().meta({
      format: 'date-time',
      description: 'When the item expires (RFC 3339); absent: never. One that has expired is passed over',
    }),
    stale: z.boolean().default(false).meta({ description: 'Out of date, by a meta delete of memcached' }),
  })
  .meta({ id: 'ItemLine', examples: [{ key: 'user:42', kind: 'text', value: 'Hello' }] });

export const dumpText = z.string().meta({
  id: 'Dump',
  description:
    'A JSON object a line, in UTF-8: the first has the format and its version, then comes one for each item ' +
    '(see ItemLine), and the last has their number. Without that, the dump was cut off.',
  examples: [
    '{"format":"ironcached items","version":1,"project":"4e71843298b1db3f0d0000ab","cache":"sessions","at":"2030-01-15T12:00:00.000Z"}\n' +
      '{"key":"user:42","kind":"text","value":"Hello","expires":"2030-01-15T13:00:00.000Z"}\n' +
      '{"key":"visits","kind":"number","value":"9007199254740993"}\n' +
      '{"end":true,"items":2}\n',
  ],
});

export const loadReport = z
  .object({
    msg: z.literal('Loaded.'),
    loaded: z.int().min(0).meta({ description: 'How many items were stored' }),
    expired: z.int().min(0).meta({ description: 'How many had expired' }),
    kept: z
      .int()
      .min(0)
      .meta({ description: 'How many were there already, and stayed as they are (mode add)' }),
    refused: z
      .array(
        z.object({
          msg: z.string().meta({ description: 'Why' }),
          items: z.int().min(1).meta({ description: 'How many' }),
          line: z.int().min(1).meta({ description: 'The line of the first of them' }),
        }),
      )
      .meta({ description: 'What does not fit the limits of this service' }),
  })
  .meta({
    id: 'LoadReport',
    examples: [
      {
        msg: 'Loaded.',
        loaded: 2,
        expired: 1,
        kept: 0,
        refused: [{ msg: 'a value may have at most 1048576 bytes', items: 1, line: 4 }],
      },
    ],
  });

const cacheId = idSchema.meta({ description: 'The id of the cache, for as long as it lives' });

export const listedCache = z.object({ id: cacheId, project_id: projectId, name: z.string() });

const exampleCache = {
  id: '65f2a9b0c4d81e0000000001',
  project_id: '4e71843298b1db3f0d0000ab',
  name: 'sessions',
};

export const cacheList = z.array(listedCache).meta({ id: 'CacheList', examples: [[exampleCache]] });

export const cacheInfo = listedCache
  .extend({
    size: z.int().min(0).meta({ description: 'How many live items the cache has, exactly' }),
    data_size: z.int().min(0).meta({ description: 'How many bytes they take' }),
  })
  .meta({ id: 'Cache', examples: [{ ...exampleCache, size: 42, data_size: 18_765 }] });

export const versionInfo = z
  .object({ version: z.string() })
  .meta({ id: 'Version', examples: [{ version: '0.1.0' }] });

export const health = z
  .object({ status: z.enum(['live', 'ready']) })
  .meta({ id: 'Health', examples: [{ status: 'ready' }] });

export const metricsText = z.string().meta({
  id: 'Metrics',
  description: "Prometheus' text format, version 0.0.4",
  examples: ['# TYPE ironcached_hits_total counter\nironcached_hits_total 42\n'],
});

/** The bodies and answers, which the OpenAPI document lists by name. */
export const namedSchemas = [
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
  itemLine,
  dumpText,
  loadReport,
] as const;

// zod's integers end at 2^53; what they hold is read from their digits instead.
function integer64(minimum?: number): z.ZodType {
  return z.unknown().meta({ type: 'integer', format: 'int64', ...(minimum !== undefined && { minimum }) });
}
