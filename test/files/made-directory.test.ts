import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory } from '../../src/files/made-directory.ts';
import { temporaryDirectory } from '../support/service.ts';

test('a directory and those above it are made for their owner alone, also by several at once', async () => {
  const top = temporaryDirectory();
  const paths = ['a', 'a/b', 'a/b/c/', 'a/b/c/d'].map((path) => join(top, path));
  await Promise.all([...paths, ...paths].reverse().map(makeDirectory));
  expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700, 0o700, 0o700]);
});

test('one that is there stays as it is, also where a link leads to it', async () => {
  const [there, link] = ['there', 'link'].map((name) => join(temporaryDirectory(), name)) as [string, string];
  mkdirSync(there);
  chmodSync(there, 0o755);
  symlinkSync(there, link);
  for (const path of [there, link, `${link}/`, join(link, 'new')]) await makeDirectory(path);
  expect([there, join(there, 'new')].map((path) => statSync(path).mode & 0o777)).toEqual([0o755, 0o700]);
});

test('a file in its place, or above it, is told of', async () => {
  const file = join(temporaryDirectory(), 'file');
  writeFileSync(file, '');
  await expect(makeDirectory(file)).rejects.toMatchObject({ code: 'EEXIST', path: file });
  await expect(makeDirectory(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});
