import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import type { JournaledStore } from '../engine/journal.ts';
import { StartError } from '../start-error.ts';
import { ArenaStore } from '../storage/arena.ts';
import { LruCacheStore } from '../storage/lru-cache.ts';
import { messageOf } from '../thrown.ts';
import { memoryLimit } from './memory-limit.ts';

interface OpenedStore {
  readonly store: JournaledStore;
  /** What all items may take, in bytes. */
  readonly bytesMax: number;
}

/** Opens the store that the settings ask for. Throws StartError where there is not so much memory. */
export function openStore(config: Config, now: () => number): OpenedStore {
  const { variable } = settings.memoryLimit;
  const bytesMax = orStartError(variable, () => memoryLimit(config));
  const options = { bytesMax, cachesMax: config.maxCaches, now };
  const reason = `${variable}: this machine cannot promise so much memory`;
  const store = orStartError(reason, () =>
    config.store === 'arena' ? new ArenaStore(options) : new LruCacheStore(options),
  );
  return { store, bytesMax };
}

function orStartError<T>(reason: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new StartError(`${reason}: ${messageOf(error)}`);
  }
}
