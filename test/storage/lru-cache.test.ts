import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { storeContract } from './contract.ts';

const GIB = 1024 ** 3;

storeContract(
  'lru-cache',
  ({ bytesMax = GIB, cachesMax = 1000, now }) => new LruCacheStore({ bytesMax, cachesMax, now }),
);
