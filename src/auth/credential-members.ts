import { z } from 'zod';
import { PERMISSIONS } from './permissions.ts';

/*
 * What the members of a project and of a token may be, whoever gives them: a file, the REST interface or
 * the command line. No message repeats what was given, since that may be a token in the wrong place.
 */

/** The longest name of a project or a token, in characters. */
const NAME_LENGTH_MAX = 100;

/** The longest life that a token may be given in seconds: ten years. */
export const TOKEN_SECONDS_MAX = 315_360_000;

/** The largest quota of any kind. */
const QUOTA_MAX = Number.MAX_SAFE_INTEGER;

/** 24 lower-case hexadecimal digits: the Ruby client refuses anything else. */
export const idSchema = matching(/^[0-9a-f]{24}$/, 'must be 24 lower-case hexadecimal digits');

// Names are shown on terminals and in logs. Not \p{Cc}, which many languages do not know: the OpenAPI document repeats it.
export const nameSchema = matching(
  new RegExp(`^[^\\x00-\\x1f\\x7f-\\x9f]{1,${NAME_LENGTH_MAX}}$`, 'u'),
  `must be a text of 1 to ${NAME_LENGTH_MAX} characters, without control characters`,
);

export const tokenTextSchema = matching(
  /^[\x21-\x7e]{8,256}$/,
  'must be 8 to 256 printable ASCII characters without spaces',
);

export const tokenHashSchema = matching(
  /^[0-9a-f]{64}$/,
  'must be the SHA-256 of the token, as 64 lower-case hexadecimal digits',
);

export const statusSchema = z.enum(['active', 'suspended'], { error: 'must be "active" or "suspended"' });

const permission = z.enum(PERMISSIONS, { error: 'must be "read", "write" or "admin"' });

export const permissionsSchema = z
  .array(permission, { error: 'must be a list of "read", "write" and "admin"' })
  .min(1, { error: 'must name at least one of "read", "write" and "admin"' })
  .transform((permissions) => PERMISSIONS.filter((each) => permissions.includes(each)));

export const projectsSchema = z.union(
  [
    z
      .array(idSchema)
      .min(1)
      .transform((ids) => [...new Set(ids)]),
    z.literal('*'),
  ],
  {
    error:
      'must be a list of one or more project ids, each of 24 lower-case hexadecimal digits, or "*" for all',
  },
);

const quotaError = { error: `must be a whole number from 1 to ${QUOTA_MAX}, or null for no limit` };

/** Null is no limit. */
export const quotaSchema = z.int(quotaError).min(1, quotaError).max(QUOTA_MAX, quotaError).nullable();

/** What is null or missing is not limited. */
export const quotasSchema = z.strictObject(
  {
    bytes: quotaSchema.optional(),
    items: quotaSchema.optional(),
    requests_per_second: quotaSchema.optional(),
  },
  { error: objectError('bytes, items, requests_per_second') },
);

// RFC 3339 knows four digits of a year, in any zone: what is written in UTC has to be read again.
const [TIME_MIN, TIME_END] = [Date.parse('0000-01-01T00:00:00Z'), Date.UTC(10_000, 0, 1)];

export const timeSchema = z.iso
  .datetime({ offset: true, error: 'must be a time like "2030-12-31T23:59:59Z" (RFC 3339)' })
  .transform((text) => Date.parse(text))
  .refine((time) => time >= TIME_MIN && time < TIME_END, {
    error: 'must be a time in UTC from the year 0000 to 9999',
  });

/** What is said of a value that is no object, or one with members that do not belong there. */
export function objectError(members: string): z.core.$ZodErrorMap {
  return ({ code }) =>
    code === 'unrecognized_keys'
      ? `has a member that is not known; these are: ${members}`
      : `must be an object with the members ${members}`;
}

function matching(pattern: RegExp, error: string) {
  return z.string({ error }).regex(pattern, { error });
}
