import { LruCacheStore } from '../../src/storage/lru-cache.ts';
import { storeContract } from './contract.ts';

const GIB = 1024 ** 3;

storeContract(
  'lru-cache',
  ({ bytesMax = GIB, cachesMax = 1000, now }) => new LruCacheStore({ bytesMax, cachesMax, now }),
);

// Above 1.2 GB the store spreads its items over several maps: four here.
storeContract(
  'lru-cache (in several maps)',
  ({ bytesMax = 4 * GIB, cachesMax = 1000, now }) => new LruCacheStore({ bytesMax, cachesMax, now }),
);
