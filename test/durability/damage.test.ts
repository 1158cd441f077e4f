import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GenerationFile, ItemDirectory, type LogFile } from '../../src/durability/item-directory.ts';
import { repair } from '../../src/durability/repair.ts';
import { restore } from '../../src/durability/restore.ts';
import { NEVER } from '../../src/engine/item.ts';
import { StartError } from '../../src/start-error.ts';
import { ArenaStore } from '../../src/storage/arena.ts';
import { testClock } from '../support/clock.ts';
import { itemsPath, openDurableStore } from '../support/durable-store.ts';
import { stateOf } from '../support/journal-record.ts';

const PROJECT = 'a1'.repeat(12);
const MIB = 1024 * 1024;

// For as many restores as the file has bytes, each of which has the disk sync, while others use it, too.
const RESTORES_TIMEOUT_MS = 120_000;

interface Outcome {
  /** What was restored, or why nothing was. */
  readonly state: string[] | StartError;
  readonly warnings: string[];
  readonly files: string[];
}

async function restored(path: string): Promise<Outcome> {
  const clock = testClock();
  const store = new ArenaStore({ bytesMax: MIB, cachesMax: 10, now: clock.now });
  const warnings: string[] = [];
  try {
    await restore({
      directory: await ItemDirectory.open(path),
      store,
      clock,
      log: { info: () => {}, warn: (_details, message) => void warnings.push(message) },
      progressed: () => {},
      isOver: () => false,
    });
    return { state: await stateOf(store), warnings, files: readdirSync(path).sort() };
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return { state: error, warnings, files: readdirSync(path).sort() };
  }
}

/** A directory on a disk that is full after so much. */
class FullDirectory extends ItemDirectory {
  static async at(path: string): Promise<FullDirectory> {
    await ItemDirectory.open(path);
    return new FullDirectory(path);
  }

  override async create(file: GenerationFile): Promise<LogFile> {
    const made = await super.create(file);
    let writes = 0;
    return {
      ...made,
      write: async (bytes, at) => {
        if (++writes > 3) throw new Error('ENOSPC: no space left on device');
        await made.write(bytes, at);
      },
    };
  }
}

describe('of a log of five changes', () => {
  let path = '';
  /** The state before any change and after each. */
  const states: string[][] = [];
  /** How long the file was then. */
  const lengths: number[] = [];
  let whole: Buffer;

  beforeAll(async () => {
    path = join(mkdtempSync(join(tmpdir(), 'ironcached-test-')), 'items');
    const { store, engine, durability } = await openDurableStore({ path, fsync: 'always' });
    const cache = engine.cache(PROJECT, 'c');
    const note = async () => {
      await new Promise((resolve) => durability.gate?.wait(resolve));
      states.push(await stateOf(store));
      lengths.push(readFileSync(join(path, '000001.log')).length);
    };
    await note();
    for (const change of [
      () => cache.store('set', 'a', { value: Buffer.from('one'), kind: 'text', flags: 0, expiresAt: NEVER }),
      () =>
        cache.calculate('n', { rule: 'signed', delta: 41n }, { initial: { value: 41n, expiresAt: NEVER } }),
      () => cache.delete('a'),
      () => cache.touch('n', testClock().now() + 60_000),
      () =>
        cache.store('set', 'b', { value: Buffer.alloc(50, 'b'), kind: 'bytes', flags: 7, expiresAt: NEVER }),
    ]) {
      await change();
      await note();
    }
    await durability.stop();
    whole = readFileSync(join(path, '000001.log'));
  });

  afterAll(() => rmSync(join(path, '..'), { recursive: true }));

  function copyWith(bytes: Buffer): string {
    const copy = itemsPath();
    mkdirSync(copy);
    writeFileSync(join(copy, '000001.log'), bytes);
    return copy;
  }

  test('each is a frame of its own', () => {
    expect(new Set(lengths).size).toBe(6);
    expect(whole.length).toBeGreaterThan(lengths.at(-1) ?? 0);
  });

  test('what is left after any truncation is what was there after some change, and the rest is kept aside', {
    timeout: RESTORES_TIMEOUT_MS,
  }, async () => {
    for (let length = 0; length < whole.length; length++) {
      const { state, warnings, files } = await restored(copyWith(whole.subarray(0, length)));
      const changes = lengths.filter((each) => each <= length).length - 1;
      expect(state).toEqual(changes < 0 ? [] : states[changes]);
      const isBetween = length !== (lengths[changes] ?? 36);
      expect([length, warnings.length]).toEqual([length, isBetween ? 1 : 0]);
      if (isBetween && length > 36) expect(files).toEqual(['000001.log', '000001.torn']);
    }
  });

  test('no flipped bit gives a wrong answer: the start is refused, or the end is cut off with a warning', {
    timeout: RESTORES_TIMEOUT_MS,
  }, async () => {
    let refused = 0;
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      const { state, warnings } = await restored(copyWith(bytes));
      if (state instanceof StartError) {
        refused++;
        expect(state.message).toMatch(/000001\.log cannot be read: .*ironcached repair$/);
      } else {
        // Only the frame of the stop, which has nothing in it, may go.
        expect([at, state]).toEqual([at, states.at(-1)]);
        expect(warnings).toHaveLength(1);
      }
    }
    expect(refused).toBe(lengths.at(-1));
  });

  function without(change: number): Buffer {
    return Buffer.concat([whole.subarray(0, lengths[change - 1]), whole.subarray(lengths[change])]);
  }

  test('a change that is missing between others is damage, though each of these is intact', async () => {
    for (let change = 1; change < lengths.length; change++) {
      const { state } = await restored(copyWith(without(change)));
      expect(String(state)).toMatch(/cannot be read: something is missing before byte/);
    }
  });

  test('what was told of a cache that a repair could not find is left out, with a warning', async () => {
    const path = copyWith(without(1));
    await repair(await ItemDirectory.open(path));
    const { state, warnings } = await restored(path);
    expect([state, warnings]).toEqual([[], ['items of unknown caches were left out']]);
  });

  test('a newer format is refused, and says so, also by a repair, which would leave it out', async () => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(2, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 32)), 32);
    const path = copyWith(bytes);
    const reason = `${join(path, '000001.log')} has the format 2, and this release reads up to 1: a newer one wrote it, and has to read it`;
    expect(String((await restored(path)).state)).toBe(`StartError: ${reason}`);
    await expect(repair(await ItemDirectory.open(path))).rejects.toThrow(reason);
    expect(readFileSync(join(path, '000001.log'))).toEqual(bytes);
  });

  test('what the system cannot read is named, also by a repair', async () => {
    const path = copyWith(whole);
    mkdirSync(join(path, '000500.log'));
    const reason = `${join(path, '000500.log')} cannot be read: EISDIR`;
    await expect(restored(path)).rejects.toThrow(reason);
    await expect(repair(await ItemDirectory.open(path))).rejects.toThrow(reason);
  });

  test('what was not on disk yet when the system failed is cut off, also with holes in it', async () => {
    // Frames that do not say that those before them were on disk; items so large have one each.
    const other = itemsPath();
    const { engine, durability } = await openDurableStore({ path: other, fsync: 'everysec' });
    const cache = engine.cache(PROJECT, 'c');
    const sizes: number[] = [];
    for (let i = 0; i < 4; i++) {
      await cache.store('set', `k${i}`, {
        value: Buffer.alloc(600_000, 'v'),
        kind: 'bytes',
        flags: 0,
        expiresAt: NEVER,
      });
    }
    for (;;) {
      sizes[0] = readFileSync(join(other, '000001.log')).length;
      if ((sizes[0] ?? 0) > 1_200_000) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    const copy = copyWith(readFileSync(join(other, '000001.log')).fill(0, 200_000, 200_100));
    await durability.stop();
    const { state, warnings, files } = await restored(copy);
    // The cache itself, which an earlier frame told of.
    expect(state).toHaveLength(1);
    expect(warnings).toEqual([
      'the end of what was written last is damaged, as after a crash: it is cut off',
    ]);
    expect(files).toContain('000001.torn');
  });
});

describe('files', () => {
  async function withTwoFiles(): Promise<string> {
    const path = itemsPath();
    for (let start = 0; start < 2; start++) {
      const { engine, durability } = await openDurableStore({ path });
      await engine.cache(PROJECT, 'c').store('set', `k${start}`, {
        value: Buffer.from('v'),
        kind: 'text',
        flags: 0,
        expiresAt: NEVER,
      });
      await durability.stop();
    }
    return path;
  }

  test('that follow each other are read one after the other', async () => {
    const { state } = await restored(await withTwoFiles());
    expect(state).toHaveLength(3);
  });

  test('of which the first is missing are refused', async () => {
    const path = await withTwoFiles();
    copyFileSync(join(path, '000002.log'), join(path, '000003.log'));
    writeFileSync(join(path, '000001.log'), '');
    const { state } = await restored(path);
    expect(String(state)).toMatch(/000001\.log cannot be read/);
    unlinkSync(join(path, '000001.log'));
    expect(String((await restored(path)).state)).toMatch(
      /000002\.log goes on where a file ended that is missing/,
    );
  });

  test('of which one in the middle is cut short are refused', async () => {
    const path = await withTwoFiles();
    const file = join(path, '000001.log');
    truncateSync(file, readFileSync(file).length - 1);
    expect(String((await restored(path)).state)).toMatch(/000001\.log cannot be read: it is damaged/);
  });

  test('of which one in the middle is missing are refused', async () => {
    const path = await withTwoFiles();
    await (await openDurableStore({ path })).durability.stop();
    unlinkSync(join(path, '000002.log'));
    expect(String((await restored(path)).state)).toMatch(
      /000003\.log cannot be read: it does not go on where the file before it ended/,
    );
  });

  test.skipIf(process.platform !== 'linux')(
    'are open one at a time, however many starts that failed have left, and so many are written anew',
    async () => {
      const path = itemsPath();
      for (let i = 0; i < 101; i++) await (await openDurableStore({ path })).durability.stop();
      const open = () =>
        readdirSync('/proc/self/fd').filter((fd) => {
          try {
            return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
          } catch {
            return false;
          }
        });
      // The last start has written them anew but for its own.
      expect(readdirSync(path)).toHaveLength(1);
      for (let i = 0; i < 20; i++) await (await openDurableStore({ path })).durability.stop();
      const opened: number[] = [];
      const clock = testClock();
      await restore({
        directory: await ItemDirectory.open(path),
        store: new ArenaStore({ bytesMax: MIB, cachesMax: 10, now: clock.now }),
        clock,
        log: { info: () => {}, warn: () => {} },
        progressed: () => void opened.push(open().length),
        isOver: () => false,
      });
      expect(opened.length).toBeGreaterThan(20);
      expect(new Set(opened)).toEqual(new Set([1]));
    },
  );

  test('that nobody had brought to disk are damaged, too, where something whole follows', async () => {
    const path = itemsPath();
    const { engine, durability } = await openDurableStore({ path, fsync: 'no' });
    const draft = { value: Buffer.from('v'), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    await engine.cache(PROJECT, 'c').store('set', 'a', draft);
    await durability.stop();
    const file = join(path, '000001.log');
    const bytes = readFileSync(file);
    const at = bytes.indexOf('a1a1');
    bytes[at] = 0;
    writeFileSync(file, bytes);
    expect(String((await restored(path)).state)).toMatch(/is damaged at byte .* behind that are readable/);
  });

  test('that a crash left without a header are removed, but none that holds everything', async () => {
    const path = await withTwoFiles();
    writeFileSync(join(path, '000003.log'), Buffer.alloc(36));
    const { warnings, files } = await restored(path);
    expect([warnings, files]).toEqual([
      [expect.stringContaining('without anything in it')],
      ['000001.log', '000002.log'],
    ]);
    writeFileSync(join(path, '000003.base'), Buffer.alloc(36));
    expect(String((await restored(path)).state)).toMatch(/000003\.base cannot be read/);
  });

  test('that a snapshot did not finish are removed', async () => {
    const path = await withTwoFiles();
    writeFileSync(join(path, '000003.partial'), 'half of');
    expect((await restored(path)).files).not.toContain('000003.partial');
  });

  test('that a whole one has superseded are not used by a repair, either', async () => {
    const path = itemsPath();
    const first = await openDurableStore({ path });
    const value = { value: Buffer.from('v'), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    for (const key of ['deleted', 'kept']) await first.engine.cache(PROJECT, 'c').store('set', key, value);
    await first.durability.stop();
    const before = readFileSync(join(path, '000001.log'));
    // What was a log is a snapshot from the next stop on.
    const second = await openDurableStore({ path, mode: 'snapshot' });
    await second.engine.cache(PROJECT, 'c').delete('deleted');
    await second.durability.stop();
    writeFileSync(join(path, '000001.log'), before);
    expect((await restored(path)).files).not.toContain('000001.log');
    writeFileSync(join(path, '000001.log'), before);
    expect(await repair(await ItemDirectory.open(path))).toMatchObject({ bytesLost: 0 });
    const { state } = await restored(path);
    expect(String(state)).toContain('kept');
    expect(String(state)).not.toContain('deleted');
  });

  test('that one which is damaged was to supersede are there for a repair, though a start came first', async () => {
    const path = await withTwoFiles();
    const before = ['000001.log', '000002.log'].map((name) => readFileSync(join(path, name)));
    await (await openDurableStore({ path, mode: 'snapshot' })).durability.stop();
    const [base = ''] = readdirSync(path);
    const bytes = readFileSync(join(path, base));
    writeFileSync(join(path, base), bytes.fill(0, bytes.length - 20));
    // As after a crash between the two.
    for (const [i, kept] of before.entries()) writeFileSync(join(path, `00000${i + 1}.log`), kept);
    const { state, files } = await restored(path);
    expect(String(state)).toMatch(/\.base cannot be read/);
    expect(files).toEqual(['000001.log', '000002.log', base]);
    await repair(await ItemDirectory.open(path));
    expect((await restored(path)).state).toHaveLength(3);
  });

  test('that a repair left, which did not come to its end, change nothing of the next', async () => {
    const path = itemsPath();
    for (const value of ['first', 'second']) {
      const { engine, durability } = await openDurableStore({ path });
      const draft = { value: Buffer.from(value), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
      await engine.cache(PROJECT, 'c').store('set', 'k', draft);
      await durability.stop();
    }
    const full = await FullDirectory.at(path);
    await expect(repair(full)).rejects.toThrow('ENOSPC');
    expect(readdirSync(path)).toHaveLength(3);
    await repair(await ItemDirectory.open(path));
    expect(readdirSync(path).sort()).toEqual(['000001.log.damaged', '000002.log.damaged', '000003.base']);
    const { state } = await restored(path);
    expect(String(state)).toContain('second');
  });

  test('of which a repair could not read that a cache was deleted do not mix it with the next of its name', async () => {
    const path = itemsPath();
    const draft = { value: Buffer.from('v'), kind: 'bytes', flags: 0, expiresAt: NEVER } as const;
    for (let start = 0; start < 3; start++) {
      const { engine, durability } = await openDurableStore({ path });
      const cache = engine.cache(PROJECT, 'c');
      if (start === 1) await cache.drop();
      else await cache.store('set', `k${start}`, draft);
      await durability.stop();
    }
    writeFileSync(join(path, '000002.log'), 'no header any more');
    await repair(await ItemDirectory.open(path));
    const { state } = await restored(path);
    expect(String(state)).toContain('k2');
    expect(String(state)).not.toContain('k0');
  });

  test.skipIf(process.getuid?.() !== 0)('that root repairs stay those of their owner', async () => {
    const path = itemsPath();
    const { durability } = await openDurableStore({ path });
    await durability.stop();
    chownSync(join(path, '000001.log'), 65534, 65533);
    const repaired = await repair(await ItemDirectory.open(path));
    expect(statSync(repaired?.file as string)).toMatchObject({ uid: 65534, gid: 65533 });
  });

  test('that say everything are refused where they do not', async () => {
    const path = itemsPath();
    const { engine, durability } = await openDurableStore({ path, mode: 'snapshot' });
    for (let i = 0; i < 3; i++) {
      await engine.cache(PROJECT, 'c').store('set', `k${i}`, {
        value: Buffer.alloc(200_000, 'v'),
        kind: 'bytes',
        flags: 0,
        expiresAt: NEVER,
      });
    }
    await durability.stop();
    const file = join(path, '000002.base');
    expect(existsSync(file)).toBe(true);
    truncateSync(file, 250_000);
    expect(String((await restored(path)).state)).toMatch(/000002\.base cannot be read: only the first/);
  });
});
