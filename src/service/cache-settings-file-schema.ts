import { z } from 'zod';
import { idSchema, objectError } from '../auth/credential-members.ts';
import { cacheSettings } from '../http/control/cache-settings-schema.ts';

const entry = z.strictObject(
  { project_id: idSchema, cache: z.string(), ...cacheSettings.shape },
  { error: objectError('project_id, cache, policy, default_expires_in, quotas') },
);

/** The file that keeps how operators set single caches. */
export const cacheSettingsFileSchema = z.strictObject(
  { version: z.literal(1, { error: 'must be 1' }), caches: z.array(entry) },
  { error: objectError('version, caches') },
);
