import { z } from 'zod';
import { objectError, quotaSchema } from '../../auth/credential-members.ts';
import { EXPIRES_IN_SECONDS_MAX } from '../schemas.ts';

const expiryError = {
  error: `must be a whole number of seconds from 0 (never) to ${EXPIRES_IN_SECONDS_MAX}, or null for the service's own`,
};

/** The settings of a cache as bodies, answers and the settings file have them. */
export const cacheSettings = z
  .strictObject(
    {
      policy: z.enum(['lru', 'none'], { error: 'must be "lru" or "none"' }).default('lru').meta({
        description:
          'What happens when room is needed: `lru` evicts the least recently used items, `none` evicts nothing and refuses what does not fit',
      }),
      default_expires_in: z
        .int(expiryError)
        .min(0, expiryError)
        .max(EXPIRES_IN_SECONDS_MAX, expiryError)
        .nullable()
        .default(null)
        .meta({
          description:
            'Seconds that an item lives which REST stores without expires_in; 0 is for ever, null as the service is set',
        }),
      quotas: z
        .strictObject(
          { bytes: quotaSchema.default(null), items: quotaSchema.default(null) },
          { error: objectError('bytes, items') },
        )
        .default({ bytes: null, items: null })
        .meta({ description: 'What the cache may hold at most; null is no limit' }),
    },
    { error: objectError('policy, default_expires_in, quotas') },
  )
  .meta({
    id: 'CacheSettings',
    examples: [{ policy: 'none', default_expires_in: 3600, quotas: { bytes: 104_857_600, items: null } }],
  });
