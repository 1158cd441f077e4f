import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
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
