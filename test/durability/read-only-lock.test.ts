import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { DirectoryLock } from '../../src/durability/directory-lock.ts';
import { temporaryDirectory } from '../support/service.ts';

vi.mock('node:fs/promises', async (actual) => {
  const fs = await actual<typeof import('node:fs/promises')>();
  return { ...fs, rm: vi.fn(fs.rm) };
});

test('a lock is let go also where its file cannot be removed, since the disk can only be read by now', async () => {
  const directory = temporaryDirectory();
  const lock = await DirectoryLock.take(directory);
  const readOnly = Object.assign(new Error('read-only file system'), { code: 'EROFS' });
  vi.mocked(rm).mockRejectedValueOnce(readOnly);
  await lock?.release();
  await (await DirectoryLock.take(directory))?.release();
  expect(rm).toHaveBeenNthCalledWith(2, join(directory, 'lock'), { force: true });
});
