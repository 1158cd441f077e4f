import { ArenaStore } from '../../src/storage/arena.ts';
import { storeContract } from './contract.ts';

const MIB = 1024 ** 2;

storeContract(
  'arena',
  ({ bytesMax = 64 * MIB, cachesMax = 1000, now }) => new ArenaStore({ bytesMax, cachesMax, now }),
);
