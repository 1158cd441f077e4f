/** What `stats` tells of the server as a whole. Nothing here is about any one tenant. */
export interface ServerStatus {
  readonly startedAt: number;
  readonly version: string;
  readonly maxConnections: number;
  address: { host: string; port: number };
  readonly valueBytesMax: number;
  readonly memoryBytesMax: number;
  readonly idleTimeoutSeconds: number;
  readonly connections: { current: number; total: number; rejected: number };
  readonly bytes: { read: number; written: number };
  readonly signIns: { total: number; failed: number };
}

/**
 * Where a count of bytes begins that soon reaches 2³¹: at −0, which to V8 is no small integer. A property that has only
 * held small integers is stored as one, and when it outgrows that, all compiled code that knows the object is thrown
 * away: once all clients together had sent 2 GB, requests waited for up to 23 ms.
 */
export const NO_BYTES = -0;

/** The memcached whose text protocol this server speaks: some clients read the version. */
export const MEMCACHED_VERSION = '1.6.18';
