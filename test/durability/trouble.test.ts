import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type GenerationFile, ItemDirectory, type LogFile } from '../../src/durability/item-directory.ts';
import { Refusal } from '../../src/engine/errors.ts';
import { NEVER } from '../../src/engine/item.ts';
import type { JournaledStore } from '../../src/engine/journal.ts';
import { testClock } from '../support/clock.ts';
import { type DurableStore, itemsPath, openDurableStore, reopened } from '../support/durable-store.ts';
import { stateOf } from '../support/journal-record.ts';

const PROJECT = 'a1'.repeat(12);

/** A directory on a disk that fails while a test says so. */
class FaultyDirectory extends ItemDirectory {
  failing: 'write' | 'sync' | 'close' | 'rename' | 'remove' | undefined;
  /** While there is one, a write waits for it. */
  obstacle: Promise<void> | undefined;
  /** How long bringing to disk takes, and writing a megabyte. */
  syncMs = 0;
  msPerMegabyte = 0;
  openFiles = 0;
  /** How often it was asked whether the file is there, which is at every look whether all should be written anew. */
  looks = 0;
  /** What the system has but for what it dropped, when it could not bring it to disk. */
  static async at(path: string): Promise<FaultyDirectory> {
    await ItemDirectory.open(path);
    return new FaultyDirectory(path);
  }

  override rename(from: GenerationFile, to: GenerationFile): Promise<void> {
    if (this.failing === 'rename') return Promise.reject(new Error('EIO: i/o error, rename'));
    return super.rename(from, to);
  }

  override remove(files: readonly GenerationFile[]): Promise<void> {
    if (this.failing === 'remove') return Promise.reject(new Error('EBUSY: resource busy or locked, unlink'));
    return super.remove(files);
  }

  override async create(file: GenerationFile): Promise<LogFile> {
    const made = await super.create(file);
    this.openFiles++;
    let dirty: [at: number, length: number][] = [];
    return {
      ...made,
      isThere: () => {
        this.looks++;
        return made.isThere();
      },
      write: async (bytes, at) => {
        await this.obstacle;
        if (this.failing === 'write') throw new Error('ENOSPC: no space left on device');
        if (this.msPerMegabyte > 0) await delay((this.msPerMegabyte * bytes.length) / 1_000_000);
        await made.write(bytes, at);
        dirty.push([at, bytes.length]);
      },
      sync: async () => {
        const unsynced = dirty;
        dirty = [];
        if (this.syncMs > 0) await delay(this.syncMs);
        if (this.failing !== 'sync') return made.sync();
        // As Linux does: what could not be written is forgotten, and the next sync succeeds.
        for (const [at, length] of unsynced) await made.write(Buffer.alloc(length), at);
        throw new Error('EIO: i/o error');
      },
      close: async () => {
        this.openFiles--;
        await made.close();
        if (this.failing === 'close') throw new Error('EIO: i/o error, close');
      },
    };
  }
}

function set({ engine }: DurableStore, key: string) {
  const value = { value: Buffer.from(`value of ${key}`), kind: 'text', flags: 0, expiresAt: NEVER } as const;
  return engine.cache(PROJECT, 'c').store('set', key, value);
}

/** Resolves with whether what was changed until now is kept. */
function kept({ durability }: DurableStore): Promise<boolean> {
  return new Promise((resolve) => {
    const { gate } = durability;
    if (gate) gate.wait(resolve);
    else resolve(true);
  });
}

test.each(['write', 'sync'] as const)(
  'while the disk fails to %s, writes are refused, reads go on, and nothing is acknowledged; then all goes on',
  async (failing) => {
    const path = itemsPath();
    const directory = await FaultyDirectory.at(path);
    const parts = await openDurableStore({ path, directory, fsync: 'always' });
    set(parts, 'before');
    expect(await kept(parts)).toBe(true);
    directory.failing = failing;
    set(parts, 'unacknowledged');
    expect(await kept(parts)).toBe(false);
    expect(() => set(parts, 'refused')).toThrow(Refusal);
    expect(() => set(parts, 'refused')).toThrow(/changes cannot be kept on disk now \((ENOSPC|EIO)/);
    expect(() => parts.engine.cache(PROJECT, 'c').delete('before')).toThrow(Refusal);
    expect(await parts.engine.cache(PROJECT, 'c').peek('before')).toBeDefined();
    await nextTurn();
    expect(parts.durability.gate?.isOpen).toBe(true);
    expect(await kept(parts)).toBe(false);
    expect(parts.durability.figures.failures).toBeGreaterThan(0);
    expect(parts.log.filter(({ level }) => level === 'error')).toHaveLength(1);
    directory.failing = undefined;
    await vi.waitFor(() => set(parts, 'after'), { timeout: 10_000 });
    expect(await kept(parts)).toBe(true);
    expect(parts.log.map(({ message }) => message)).toContain('changes are kept on disk again');
    const restarted = await reopened(parts, { path });
    expect(await stateOf(restarted.store)).toHaveLength(1 + 3);
    await restarted.durability.stop();
  },
);

test('an answer that was about to leave as the disk failed does not confirm what was changed before', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, fsync: 'always' });
  set(parts, 'kept');
  expect(await kept(parts)).toBe(true);
  directory.failing = 'write';
  set(parts, 'unacknowledged');
  // By the end of the turn, where answers leave together, the write has failed.
  await nextTurn();
  expect(parts.durability.figures.failures).toBe(1);
  expect(parts.durability.gate?.isOpen).toBe(false);
  expect(await kept(parts)).toBe(false);
  expect(parts.durability.gate?.isOpen).toBe(true);
  directory.failing = undefined;
  await parts.durability.stop();
});

test('how long changes wait to be kept is told from the oldest of them on, and begins anew when all are', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, fsync: 'always' });
  const now = vi.spyOn(performance, 'now');
  onTestFinished(() => now.mockRestore());
  const at = async (ms: number, change?: string) => {
    now.mockReturnValue(ms);
    if (change) await set(parts, change);
    const { lagBytes, lagSeconds } = parts.durability.figures;
    return [lagBytes > 0, lagSeconds];
  };
  for (const [begin, key] of [
    [1000, 'a'],
    [60_000, 'b'],
  ] as const) {
    let goOn = () => {};
    directory.obstacle = new Promise((resolve) => {
      goOn = resolve;
    });
    expect(await at(begin - 500)).toEqual([false, 0]);
    expect(await at(begin, key)).toEqual([true, 0]);
    expect(await at(begin + 2000, `another ${key}`)).toEqual([true, 2]);
    expect(await at(begin + 3000)).toEqual([true, 3]);
    goOn();
    expect(await kept(parts)).toBe(true);
    expect(await at(begin + 4000)).toEqual([false, 0]);
  }
  await parts.durability.stop();
});

test('what a cache is called is written once a file, and not with each of its items', async () => {
  const path = itemsPath();
  const parts = await openDurableStore({ path, fsync: 'always' });
  const { durability } = parts;
  const written: number[] = [];
  for (const key of ['a', 'b', 'c']) {
    const { fileBytes } = durability.figures;
    set(parts, key);
    expect(await kept(parts)).toBe(true);
    written.push(durability.figures.fileBytes - fileBytes);
  }
  const [first = 0, second = 0, third] = written;
  expect(second).toBe(third);
  expect(first).toBeGreaterThan(second + PROJECT.length / 2);
  await durability.stop();
});

test('a file that cannot be closed holds nothing up for longer than that fails', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, fsync: 'always', compactionBytesMin: 0 });
  directory.failing = 'close';
  // The files are written anew within a second, into another.
  await vi.waitFor(() => expect(() => set(parts, 'x')).toThrow(/cannot be kept on disk now \(EIO/), {
    timeout: 10_000,
  });
  directory.failing = undefined;
  await vi.waitFor(() => set(parts, 'after'), { timeout: 10_000 });
  expect(await kept(parts)).toBe(true);
  expect(await parts.durability.stop()).toBe(true);
  const restarted = await openDurableStore({ path });
  expect(await restarted.engine.cache(PROJECT, 'c').get('after')).toBeDefined();
  await restarted.durability.stop();
});

describe('where files are removed while the service runs', () => {
  test('all is written anew, since what goes on into them would be lost to the next start', async () => {
    const path = itemsPath();
    const parts = await openDurableStore({ path, fsync: 'always' });
    set(parts, 'before');
    expect(await kept(parts)).toBe(true);
    rmSync(join(path, '000001.log'));
    set(parts, 'meanwhile');
    expect(await kept(parts)).toBe(true);
    await vi.waitFor(() => expect(readdirSync(path)).toContain('000002.base'), { timeout: 10_000 });
    // Once is enough.
    await delay(2_500);
    expect(parts.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'the file of changes was removed, or its directory: all is written anew',
    ]);
    expect(parts.durability.figures.failures).toBe(1);
    expect(readdirSync(path).sort()).toEqual(['000002.base', 'lock']);
    const restarted = await reopened(parts, { path });
    expect(await stateOf(restarted.store)).toHaveLength(1 + 2);
    await restarted.durability.stop();
  });

  test('with their directory, writes are refused until it is there again, and another’s is left alone', async () => {
    const path = itemsPath();
    const parts = await openDurableStore({ path, fsync: 'always' });
    set(parts, 'before');
    expect(await kept(parts)).toBe(true);
    rmSync(path, { recursive: true });
    await vi.waitFor(() => expect(() => set(parts, 'x')).toThrow(/cannot be kept .*ENOENT/), {
      timeout: 10_000,
    });
    const other = await openDurableStore({ path });
    await vi.waitFor(() => expect(() => set(parts, 'x')).toThrow(/cannot be kept .*another process uses/), {
      timeout: 10_000,
    });
    expect(readdirSync(path).sort()).toEqual(['000001.log', 'lock']);
    await other.durability.stop();
    await vi.waitFor(() => expect(() => set(parts, 'x')).toThrow(/is another directory now, with items/), {
      timeout: 10_000,
    });
    expect(readdirSync(path)).toEqual(['000001.log']);
    rmSync(path, { recursive: true });
    mkdirSync(path);
    await vi.waitFor(() => set(parts, 'after'), { timeout: 10_000 });
    expect(await kept(parts)).toBe(true);
    await vi.waitFor(() => expect(readdirSync(path).sort()).toEqual(['000002.base', 'lock']), {
      timeout: 10_000,
    });
    await expect(openDurableStore({ path })).rejects.toThrow(/another process uses/);
    const restarted = await reopened(parts, { path });
    await restarted.durability.stop();
  });
});

test.each([0, 3_600_000])(
  'files that could not be written anew are so after a minute, not over and over until the disk is full (clock set by %i ms)',
  async (step) => {
    const path = itemsPath();
    const directory = await FaultyDirectory.at(path);
    const compactionBytesMin = step === 0 ? 0 : 1_000_000;
    const parts = await openDurableStore({ path, directory, compactionBytesMin });
    const { clock } = parts;
    const failures = () => parts.log.filter(({ level }) => level === 'error').length;
    directory.failing = 'rename';
    set(parts, 'k');
    clock.step(step);
    await vi.waitFor(() => expect(failures()).toBe(1), { timeout: 10_000 });
    const { looks } = directory;
    await vi.waitFor(() => expect(directory.looks).toBeGreaterThan(looks + 1), { timeout: 10_000 });
    expect(failures()).toBe(1);
    directory.failing = undefined;
    clock.advance(60_000);
    await vi.waitFor(
      () => expect(readdirSync(path).filter((name) => /\.\w+$/.test(name))).toEqual(['000003.base']),
      {
        timeout: 10_000,
      },
    );
    await parts.durability.stop();
  },
);

test.each(['log', 'snapshot'] as const)(
  'with %s, a file whose place another has taken keeps nothing from going on where it cannot be removed, and is told of',
  async (mode) => {
    const path = itemsPath();
    const clock = testClock();
    const directory = await FaultyDirectory.at(path);
    const options = { path, directory, clock, mode };
    const told = ({ log }: DurableStore) => log.filter(({ level }) => level !== 'info');
    const warning = { level: 'warn', details: { file: join(path, '000001.log') } };
    const first = await openDurableStore(options);
    set(first, 'k');
    directory.failing = 'remove';
    if (mode === 'log') {
      clock.step(20_000);
      await vi.waitFor(() => expect(first.log.at(-1)).toMatchObject({ message: 'all items are saved' }), {
        timeout: 10_000,
      });
    }
    const second = await reopened(first, options);
    expect(told(first)).toMatchObject([warning]);
    expect(told(second)).toMatchObject([warning]);
    directory.failing = undefined;
    const third = await reopened(second, options);
    expect(told(third)).toEqual([]);
    expect(readdirSync(path)).not.toContain('000001.log');
    await third.durability.stop();
  },
);

test('a stop while the disk fails does not hang, and says so', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, fsync: 'everysec' });
  set(parts, 'kept');
  await vi.waitFor(() => expect(parts.durability.figures.lagBytes).toBe(0), { timeout: 10_000 });
  directory.failing = 'write';
  set(parts, 'lost');
  expect(await parts.durability.stop()).toBe(false);
  expect(directory.openFiles).toBe(0);
  expect(parts.log.map(({ message }) => message)).toContain('the last changes could not be kept');
  const restarted = await openDurableStore({ path });
  expect(await restarted.engine.cache(PROJECT, 'c').get('kept')).toBeDefined();
  await restarted.durability.stop();
});

test.each(['log', 'snapshot'] as const)('a start while the disk fails is refused, with %s', async (mode) => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  directory.failing = 'write';
  await expect(openDurableStore({ path, directory, mode })).rejects.toThrow(/cannot be written: ENOSPC/);
  expect(directory.openFiles).toBe(0);
});

test('a snapshot is given up where changes come faster than the disk takes them, and refuses nothing', async () => {
  const path = itemsPath();
  const large = { value: Buffer.alloc(1_000_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
  const options = { path, mode: 'snapshot', bytesMax: 64 * 1024 * 1024 } as const;
  const first = await openDurableStore(options);
  for (let i = 0; i < 30; i++) await first.engine.cache(PROJECT, 'c').store('set', `k${i}`, large);
  await first.durability.stop();

  const directory = await FaultyDirectory.at(path);
  const limits = { unwrittenBytesMax: 5_000_000, snapshotIntervalMs: 200 };
  const second = await openDurableStore({ ...options, ...limits, directory });
  let goOn = () => {};
  directory.obstacle = new Promise((resolve) => {
    goOn = resolve;
  });
  const failures = () => second.log.filter(({ level }) => level === 'error');
  // Ten megabytes after the snapshot began, and then what is on its way may be written.
  while (second.durability.figures.lagBytes === 0) await delay(1);
  for (let i = 0; i < 10; i++) {
    await second.engine.cache(PROJECT, 'c').store('set', 'changed', large);
    await delay(5);
  }
  goOn();
  directory.obstacle = undefined;
  await vi.waitFor(() => expect(failures()).toHaveLength(1), { timeout: 10_000 });
  expect(failures()).toMatchObject([{ details: { err: new Error('the disk is too slow') } }]);
  expect(await second.durability.stop()).toBe(true);
  const restarted = await openDurableStore(options);
  expect(await restarted.engine.totals()).toMatchObject({ items: 31 });
  await restarted.durability.stop();
});

test('a snapshot that fails refuses nothing, and leaves the one before', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const first = await openDurableStore({ path, mode: 'snapshot' });
  set(first, 'a');
  await first.durability.stop();
  const second = await openDurableStore({ path, directory, mode: 'snapshot' });
  directory.failing = 'write';
  set(second, 'b');
  await second.durability.stop();
  expect(second.log.filter(({ level }) => level === 'error')).toHaveLength(1);
  expect((await directory.list()).filter(({ kind }) => kind === 'partial')).toEqual([]);
  const third = await openDurableStore({ path, mode: 'snapshot' });
  expect(await third.engine.cache(PROJECT, 'c').get('a')).toBeDefined();
  expect(await third.engine.cache(PROJECT, 'c').get('b')).toBeUndefined();
  await third.durability.stop();
});

test('who waits until a change is kept is told by the first snapshot that succeeds', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, mode: 'snapshot', snapshotIntervalMs: 20 });
  const { durability } = parts;
  directory.failing = 'write';
  set(parts, 'a');
  const told = vi.fn();
  void durability.kept().then(told);
  await vi.waitFor(() => expect(durability.figures.failures).toBeGreaterThan(1), { timeout: 10_000 });
  expect(told).not.toHaveBeenCalled();
  directory.failing = undefined;
  await vi.waitFor(() => expect(told).toHaveBeenCalledWith(true), { timeout: 10_000 });
  await durability.stop();
});

test('the files are written anew also while the disk has no pause, since one client writes when another waits', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const parts = await openDurableStore({ path, directory, fsync: 'always', compactionBytesMin: 1_000_000 });
  const { durability } = parts;
  directory.syncMs = 10;
  await whileChanged(parts, 1_000, async () => {
    // By then the clients have come apart.
    while (durability.figures.fileBytes < 500_000) await delay(1);
    for (let i = 0; i < 10_000; i++) set(parts, `k${i}`);
    while (durability.figures.savedAt === undefined) await delay(1);
  });
  await durability.stop();
});

test('the files are written anew also where clients would fill the disk faster than it writes, and stay small', async () => {
  const path = itemsPath();
  const directory = await FaultyDirectory.at(path);
  const limits = { bytesMax: 64_000_000, unwrittenBytesMax: 16_000_000, compactionBytesMin: 1_000_000 };
  const parts = await openDurableStore({ path, directory, ...limits });
  directory.msPerMegabyte = 10;
  const { durability } = parts;
  await whileChanged(parts, 1_000_000, async () => {
    await vi.waitFor(() => expect(durability.figures.savedAt).toBeDefined(), { timeout: 10_000 });
  });
  // What all items take, as much of changes, and what may wait to be written.
  const { bytes } = await parts.store.totals();
  expect(durability.figures.savedBytes).toBeLessThan(2 * bytes + 24_000_000);
  await durability.stop();
});

test('a process that was stopped for a while goes on at once to write the files anew', async () => {
  const path = itemsPath();
  let visits = 0;
  const prepare = (store: JournaledStore) => {
    const { visit } = store;
    store.visit = (from, visitor) => {
      if (++visits === 500) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
      return visit.call(store, from, visitor);
    };
  };
  const parts = await openDurableStore({ path, fsync: 'everysec', compactionBytesMin: 300_000, prepare });
  for (let i = 0; i < 20_000; i++) set(parts, `k${i}`);
  let isOver = false;
  const others = (async () => {
    while (!isOver) await nextTurn();
  })();
  await vi.waitFor(() => expect(parts.durability.figures.savedAt).toBeDefined(), { timeout: 10_000 });
  isOver = true;
  await others;
  expect(visits).toBeGreaterThan(500);
  await parts.durability.stop();
});

/** Does something while clients change items, each as soon as its last change is acknowledged. */
async function whileChanged(parts: DurableStore, bytes: number, work: () => Promise<void>): Promise<void> {
  const value = { value: Buffer.alloc(bytes), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
  let isOver = false;
  const clients = Array.from({ length: 8 }, async (_, i) => {
    for (let n = 0; !isOver; n++) {
      await parts.engine.cache(PROJECT, 'c').store('set', `k${i} ${n % 5}`, value);
      await kept(parts);
      await delay(3 * i);
    }
  });
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(clients);
  }
}

test('clients wait for their answers where more is unwritten than may be', async () => {
  const path = itemsPath();
  const parts = await openDurableStore({ path, fsync: 'no', unwrittenBytesMax: 100_000 });
  const value = { value: Buffer.alloc(300_000), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
  for (let i = 0; i < 5; i++) parts.engine.cache(PROJECT, 'c').store('set', `k${i}`, value);
  expect(parts.durability.gate?.isOpen).toBe(false);
  expect(await kept(parts)).toBe(true);
  await nextTurn();
  expect(parts.durability.gate?.isOpen).toBe(true);
  await parts.durability.stop();
});
