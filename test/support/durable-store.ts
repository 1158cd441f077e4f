import { join } from 'node:path';
import { expect } from 'vitest';
import { Durability, type DurabilityParts } from '../../src/durability/durability.ts';
import { ItemDirectory } from '../../src/durability/item-directory.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { JournaledStore } from '../../src/engine/journal.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { type TestClock, testClock } from './clock.ts';
import { stateOf } from './journal-record.ts';
import { temporaryDirectory } from './service.ts';

const MIB = 1024 * 1024;

interface LoggedLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly details: object;
  readonly message: string;
}

export interface DurableStore {
  readonly store: JournaledStore;
  readonly engine: Engine;
  readonly durability: Durability;
  readonly log: LoggedLine[];
  readonly clock: TestClock;
}

interface DurableStoreOptions
  extends Partial<Omit<DurabilityParts, 'directory' | 'store' | 'clock' | 'log'>> {
  readonly path: string;
  readonly clock?: TestClock;
  readonly bytesMax?: number;
  readonly directory?: ItemDirectory;
  /** What is said before items are restored. */
  readonly prepare?: (store: JournaledStore) => void;
}

/** Where a test keeps items. */
export function itemsPath(): string {
  return join(temporaryDirectory(), 'items');
}

/** A store that is kept in a directory, with what was kept there before; not stopped by itself. */
export async function openDurableStore(options: DurableStoreOptions): Promise<DurableStore> {
  const { path, clock = testClock(), bytesMax = 16 * MIB, prepare, ...parts } = options;
  const store = new ArenaStore({ bytesMax, cachesMax: 1000, now: clock.now });
  prepare?.(store);
  const log: LoggedLine[] = [];
  const note = (level: LoggedLine['level']) => (details: object, message: string) =>
    void log.push({ level, details, message });
  const durability = await Durability.open({
    mode: 'log',
    fsync: 'no',
    snapshotIntervalMs: 0,
    compactionBytesMin: 64 * MIB,
    unwrittenBytesMax: 64 * MIB,
    directory: await ItemDirectory.open(path),
    ...parts,
    store,
    clock,
    log: { info: note('info'), warn: note('warn'), error: note('error') },
  });
  try {
    await durability.start();
  } catch (error) {
    await durability.stop();
    throw error;
  }
  const engine = new Engine(store, { valueBytesMax: 8 * MIB, defaultExpiresInSeconds: 0 }, clock);
  return { store, engine, durability, log, clock };
}

/** Stops it and opens it anew, where all has to be as it was. */
export async function reopened(first: DurableStore, options: DurableStoreOptions): Promise<DurableStore> {
  const before = await stateOf(first.store);
  expect(await first.durability.stop()).toBe(true);
  const second = await openDurableStore(options);
  expect(await stateOf(second.store)).toEqual(before);
  return second;
}
