import type { RefusalCode } from '../engine/errors.ts';

/** What memcached clients are told where the engine refuses. */
export const REFUSAL_REPLIES: Record<RefusalCode, string> = {
  cache_name_too_long: 'CLIENT_ERROR the cache name is too long',
  value_too_large: 'SERVER_ERROR object too large for cache',
  out_of_memory: 'SERVER_ERROR out of memory storing object',
  over_quota: 'SERVER_ERROR out of memory storing object',
  too_many_caches: 'SERVER_ERROR the project has too many caches',
  store_unavailable: 'SERVER_ERROR changes cannot be kept now, reading goes on; try again later',
};
