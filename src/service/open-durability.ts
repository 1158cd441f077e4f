import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import type { Durability } from '../durability/durability.ts';
import type { DurabilityLogger } from '../durability/durability-logger.ts';
import type { ItemDirectory } from '../durability/item-directory.ts';
import type { Clock, Moment } from '../engine/clock.ts';
import type { JournaledStore } from '../engine/journal.ts';
import { StartError } from '../start-error.ts';
import { messageOf } from '../thrown.ts';

const LEFT =
  'items that were kept before are not read, and would come back as they were then: remove them if they are out of date';

interface OpenDurabilityParts {
  readonly store: JournaledStore;
  readonly clock: Clock & Moment;
  readonly log: DurabilityLogger;
}

/** Where the items of a data directory are kept. */
export function itemDirectoryPath(dataDir: string): string {
  return join(dataDir, 'items');
}

/** Opens the directory that keeps the items, where the settings ask for it. Throws StartError. */
export async function openDurability(
  config: Config,
  parts: OpenDurabilityParts,
): Promise<Durability | undefined> {
  const { durability: mode, fsync, logCompactionMin, logMaxUnwritten, snapshotInterval } = config;
  const path = itemDirectoryPath(config.dataDir);
  if (mode === 'none') {
    if (existsSync(path)) parts.log.warn({ directory: path }, LEFT);
    return undefined;
  }
  // What is not asked for is not loaded.
  const { Durability } = await import('../durability/durability.ts');
  return Durability.open({
    ...parts,
    directory: await openDirectory(path),
    mode,
    fsync,
    snapshotIntervalMs: snapshotInterval * 1000,
    compactionBytesMin: logCompactionMin,
    unwrittenBytesMax: logMaxUnwritten,
  });
}

async function openDirectory(path: string): Promise<ItemDirectory> {
  const { ItemDirectory } = await import('../durability/item-directory.ts');
  try {
    return await ItemDirectory.open(path);
  } catch (error) {
    const reason = messageOf(error);
    throw new StartError(
      `the items cannot be kept in ${path}: ${reason}. Let this user write there, name another directory by ${settings.dataDir.variable}, or do without by ${settings.durability.variable}=none`,
    );
  }
}
