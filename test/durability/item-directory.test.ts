import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ItemDirectory } from '../../src/durability/item-directory.ts';
import { temporaryDirectory } from '../support/service.ts';

const LOG = { generation: 1, kind: 'log' } as const;

test('a directory of items is made with those above it, for nobody else, and is empty', async () => {
  const above = join(temporaryDirectory(), 'data');
  const { path } = await ItemDirectory.open(join(above, 'items'));
  expect([above, path].map((each) => statSync(each).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(readdirSync(path)).toEqual([]);
});

test.skipIf(process.platform !== 'linux')(
  'one that cannot be written is told when it is opened',
  async () => {
    await expect(ItemDirectory.open('/proc')).rejects.toThrow('ENOENT');
  },
);

test('its files are listed in the order of their making, and nothing else is', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  for (const name of ['1000000.log', '999999.base', '000002.partial', '000003.repair']) {
    writeFileSync(join(directory.path, name), '');
  }
  for (const name of ['000001.torn', '00001.log', 'x000001.log', '000001.log.bak', '000001log', 'lock']) {
    writeFileSync(join(directory.path, name), '');
  }
  const files = await directory.list();
  expect(files).toEqual([
    { generation: 2, kind: 'partial' },
    { generation: 3, kind: 'repair' },
    { generation: 999_999, kind: 'base' },
    { generation: 1_000_000, kind: 'log' },
  ]);
  expect(files.map((file) => existsSync(directory.pathOf(file)))).toEqual([true, true, true, true]);
});

test('a file is for nobody else to read, and is emptied where it is there', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  for (const text of ['the first', 'next']) {
    const file = await directory.create(LOG);
    // As after a failure, which left the last of it unwritten.
    await file.write(Buffer.from(text), 2);
    await file.write(Buffer.from('> '), 0);
    await file.sync();
    await file.close();
    expect(readFileSync(directory.pathOf(LOG), 'latin1')).toBe(`> ${text}`);
  }
  expect(statSync(directory.pathOf(LOG)).mode & 0o777).toBe(0o600);
});

test('a file is there until it is removed, or another has its name, also once it has become a base', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  const partial = { generation: 2, kind: 'partial' } as const;
  const base = { generation: 2, kind: 'base' } as const;
  const file = await directory.create(partial);
  expect(await file.isThere()).toBe(true);
  await directory.rename(partial, base);
  expect(await file.isThere()).toBe(true);
  renameSync(directory.pathOf(base), join(directory.path, 'aside'));
  expect(await file.isThere()).toBe(false);
  writeFileSync(directory.pathOf(base), '');
  writeFileSync(directory.pathOf(partial), '');
  expect(await file.isThere()).toBe(false);
  rmSync(directory.path, { recursive: true });
  expect(await file.isThere()).toBe(false);
  await file.close();
});

test('where the system does not tell whether a file is there, it is not taken for removed', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  const file = await directory.create(LOG);
  rmSync(directory.pathOf(LOG));
  symlinkSync(directory.pathOf(LOG), directory.pathOf(LOG));
  expect(await file.isThere()).toBe(true);
  await file.close();
});

test('files are removed with what was cut off of them, and be they gone', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  const others = [
    { generation: 2, kind: 'log' },
    { generation: 3, kind: 'base' },
  ] as const;
  writeFileSync(directory.pathOf(LOG), '');
  writeFileSync(directory.tornPathOf(LOG), '');
  for (const other of others) writeFileSync(directory.pathOf(other), '');
  await directory.remove([{ generation: 7, kind: 'log' }, LOG, others[1]]);
  expect(readdirSync(directory.path)).toEqual(['000002.log']);
});

test('new names are on disk when they are there, and what is written once that is asked for', async () => {
  const directory = await ItemDirectory.open(temporaryDirectory());
  const probe = await open(process.execPath);
  const handles = Object.getPrototypeOf(probe);
  await probe.close();
  const [sync, datasync] = [vi.spyOn(handles, 'sync'), vi.spyOn(handles, 'datasync')];
  onTestFinished(() => {
    for (const spy of [sync, datasync]) spy.mockRestore();
  });
  const syncs = () => [sync.mock.calls.length, datasync.mock.calls.length];
  const partial = { generation: 1, kind: 'partial' } as const;
  const file = await directory.create(partial);
  expect(syncs()).toEqual([1, 0]);
  await file.sync();
  expect(syncs()).toEqual([1, 1]);
  await file.close();
  await directory.rename(partial, { generation: 1, kind: 'base' });
  expect(syncs()).toEqual([2, 1]);
});
