import { chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readIfThere, readText, writePrivately } from '../../src/files/private-file.ts';
import { temporaryDirectory } from '../support/service.ts';

const NOBODY = 65_534;

test('what its owner alone can read takes the place of what was there', async () => {
  const path = join(temporaryDirectory(), 'file');
  writeFileSync(path, 'old', { mode: 0o644 });
  await writePrivately(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

// As container engines make where the file to be mounted is missing.
test('a directory in place of a file is named', async () => {
  const path = temporaryDirectory();
  for (const read of [readIfThere, readText]) {
    await expect(read(path)).rejects.toThrow(`${path} is a directory, and should be a file`);
  }
});

test.skipIf(process.getuid?.() !== 0)(
  'what root writes stays its owner’s, or is that of its directory',
  async () => {
    const directory = temporaryDirectory();
    chownSync(directory, NOBODY, NOBODY);
    const [made, changed] = [join(directory, 'made'), join(directory, 'changed')];
    writeFileSync(changed, 'old');
    chownSync(changed, 1, 1);
    for (const path of [made, changed]) await writePrivately(path, 'new');
    expect(statSync(made)).toMatchObject({ uid: NOBODY, gid: NOBODY });
    expect(statSync(changed)).toMatchObject({ uid: 1, gid: 1 });
  },
);

test('what cannot be written leaves nothing behind', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'file');
  mkdirSync(path);
  await expect(writePrivately(path, 'text')).rejects.toThrow('EISDIR');
  expect(readdirSync(directory)).toEqual(['file']);
});
