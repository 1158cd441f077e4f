import type { z } from 'zod';
import type { CacheSettings } from '../../engine/cache-settings.ts';
import type { cacheSettings } from './cache-settings-schema.ts';

export function settingsFrom(json: z.output<typeof cacheSettings>): CacheSettings {
  return {
    policy: json.policy,
    quota: { bytesMax: json.quotas.bytes ?? undefined, itemsMax: json.quotas.items ?? undefined },
    defaultExpiresInSeconds: json.default_expires_in ?? undefined,
  };
}

export function settingsJson({ policy, quota, defaultExpiresInSeconds }: CacheSettings) {
  return {
    policy,
    default_expires_in: defaultExpiresInSeconds ?? null,
    quotas: { bytes: quota.bytesMax ?? null, items: quota.itemsMax ?? null },
  };
}
