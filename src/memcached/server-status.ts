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

/** The memcached whose text protocol this server speaks: some clients read the version. */
export const MEMCACHED_VERSION = '1.6.18';
