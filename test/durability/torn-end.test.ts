import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cutOff } from '../../src/durability/torn-end.ts';
import { temporaryDirectory } from '../support/service.ts';

test.each([0, 1, 3_000_000])(
  'a file is cut off, and what was behind is kept: all but %i bytes',
  async (offset) => {
    const directory = temporaryDirectory();
    const [path, kept] = [join(directory, '000001.log'), join(directory, '000001.torn')];
    // More than is copied at a time, and no multiple of it.
    const bytes = Buffer.from(Uint32Array.from({ length: 900_000 }, (_, i) => i).buffer);
    writeFileSync(path, bytes);
    // Of an earlier crash.
    writeFileSync(kept, Buffer.alloc(4_000_000));
    await cutOff(path, offset, kept);
    expect(readFileSync(path).equals(bytes.subarray(0, offset))).toBe(true);
    expect(readFileSync(kept).equals(bytes.subarray(offset))).toBe(true);
  },
);

test('what is kept of a file is for nobody else to read', async () => {
  const directory = temporaryDirectory();
  const [path, kept] = [join(directory, '000001.log'), join(directory, '000001.torn')];
  writeFileSync(path, 'somebodys value');
  await cutOff(path, 0, kept);
  expect(statSync(kept).mode & 0o777).toBe(0o600);
});

test('what was behind is on disk, with its name, before it is cut off', async () => {
  const directory = temporaryDirectory();
  const [path, kept] = [join(directory, '000001.log'), join(directory, '000001.torn')];
  writeFileSync(path, 'begin and end');
  const synced: unknown[] = [];
  await watchSyncs((what) => synced.push([what, statSync(path).size, statSync(kept).size]));
  await cutOff(path, 5, kept);
  expect(synced).toEqual([
    ['file', 13, 8],
    ['directory', 13, 8],
  ]);
});

/** Has `look` called whenever something is brought to disk. */
async function watchSyncs(look: (what: 'file' | 'directory') => void): Promise<void> {
  const file = await open(process.execPath);
  const { sync } = Object.getPrototypeOf(file);
  const watched = vi.spyOn(Object.getPrototypeOf(file), 'sync').mockImplementation(async function (
    this: unknown,
  ) {
    look((await (this as FileHandle).stat()).isDirectory() ? 'directory' : 'file');
    return sync.call(this);
  });
  onTestFinished(() => watched.mockRestore());
  await file.close();
}
