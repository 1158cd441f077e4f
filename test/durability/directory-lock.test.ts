import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DirectoryLock } from '../../src/durability/directory-lock.ts';
import { StartError } from '../../src/start-error.ts';
import { temporaryDirectory } from '../support/service.ts';

const compiled = fileURLToPath(new URL('../../dist/durability/directory-lock.js', import.meta.url));

/** Another process that takes the lock and keeps it, until it is killed. */
async function holder(directory: string) {
  const script = `const { DirectoryLock } = await import(process.argv[1]);
    await DirectoryLock.take(process.argv[2]); console.log('taken'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, compiled, directory]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await new Promise<void>((resolve, reject) => {
    child.stdout.once('data', () => resolve());
    child.once('exit', () => reject(new Error('it ended')));
  });
  return async () => {
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  };
}

test('a directory is one process’s until that ends, however it ends', async () => {
  const directory = temporaryDirectory();
  const kill = await holder(directory);
  await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
  await expect(DirectoryLock.take(directory)).rejects.toThrow(
    `another process uses ${directory}: end it, or`,
  );
  await kill();
  const lock = await DirectoryLock.take(directory);
  await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
  await lock?.release();
  await (await DirectoryLock.take(directory))?.release();
  expect(readdirSync(directory)).toEqual([]);
});

test('of many that start at once after a crash, one gets it', async () => {
  for (let round = 0; round < 10; round++) {
    const directory = temporaryDirectory();
    if (round === 0) await (await holder(directory))();
    const locks = await Promise.allSettled(Array.from({ length: 10 }, () => DirectoryLock.take(directory)));
    const taken = locks.flatMap((lock) => (lock.status === 'fulfilled' ? [lock.value] : []));
    expect(taken).toHaveLength(1);
    expect(readdirSync(directory)).toEqual(['lock']);
    await taken[0]?.release();
  }
});

test('its path may be longer than the name of a socket', async () => {
  const directory = join(temporaryDirectory(), 'd'.repeat(120));
  mkdirSync(directory);
  const kill = await holder(directory);
  await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
  await kill();
  await (await DirectoryLock.take(directory))?.release();
});

test.skipIf(process.platform !== 'linux')(
  'another container’s lock is left as it is, and who asks for it leaves nothing behind',
  async () => {
    const directory = temporaryDirectory();
    const before = openFor(directory);
    const lock = await asInAnotherContainer(() => DirectoryLock.take(directory));
    const [changed, open] = [changedAt(directory), openFor(directory)];
    await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
    expect(changedAt(directory)).toBe(changed);
    await vi.waitFor(() => expect(openFor(directory)).toBe(open));
    await lock?.release();
    await (await DirectoryLock.take(directory))?.release();
    await vi.waitFor(() => expect(openFor(directory)).toBe(before));
  },
);

/** Calls without what other containers do not see: the name that Linux gives to one process only. */
async function asInAnotherContainer<T>(call: () => Promise<T>): Promise<T> {
  const platform = vi.spyOn(process, 'platform', 'get').mockReturnValue('freebsd');
  try {
    return await call();
  } finally {
    platform.mockRestore();
  }
}

/** When a lock was last put anywhere. */
function changedAt(directory: string): bigint {
  return statSync(join(directory, 'lock'), { bigint: true }).ctimeNs;
}

/** How many sockets this process has, or what is open of a directory. */
function openFor(directory: string): number {
  const isOne = (fd: string) => {
    try {
      return new RegExp(`^socket:|^${directory}`).test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  };
  return readdirSync('/proc/self/fd').filter(isOne).length;
}

test.skipIf(process.platform !== 'linux')(
  'a lock keeps others off also where its file is removed',
  async () => {
    const directory = temporaryDirectory();
    const lock = await DirectoryLock.take(directory);
    rmSync(join(directory, 'lock'));
    await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
    await lock?.release();
    await (await DirectoryLock.take(directory))?.release();
  },
);

test('a lock is let go also where its directory is gone', async () => {
  const directory = join(temporaryDirectory(), 'items');
  mkdirSync(directory);
  const lock = await DirectoryLock.take(directory);
  rmSync(directory, { recursive: true });
  await lock?.release();
  expect(existsSync(directory)).toBe(false);
});

test('a lock is there as long as its directory is, and another one’s in its place is left alone', async () => {
  const directory = join(temporaryDirectory(), 'items');
  mkdirSync(directory);
  const lock = await DirectoryLock.take(directory);
  expect(await lock?.isThere()).toBe(true);
  renameSync(directory, `${directory}.aside`);
  expect(await lock?.isThere()).toBe(false);
  mkdirSync(directory);
  expect(await lock?.isThere()).toBe(false);
  const other = await DirectoryLock.take(directory);
  await lock?.release();
  expect(readdirSync(directory)).toEqual(['lock']);
  await expect(DirectoryLock.take(directory)).rejects.toThrow(StartError);
  await other?.release();
  expect(readdirSync(directory)).toEqual([]);
});
