import { spawn, spawnSync } from 'node:child_process';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Accounts } from '../../src/auth/accounts.ts';
import { readCredentialsFile } from '../../src/auth/credentials-file.ts';
import { formatCredentials } from '../../src/auth/credentials-json.ts';
import { project } from '../support/credentials.ts';
import { temporaryDirectory } from '../support/service.ts';

const PATIENCE = { timeout: 5_000 };

vi.mock('node:fs/promises', async (actual) => {
  const fs = await actual<typeof import('node:fs/promises')>();
  return { ...fs, readFile: vi.fn(fs.readFile), stat: vi.fn(fs.stat) };
});

test('a file that the system does not let be read is looked at again, and told of once', async () => {
  const path = join(temporaryDirectory(), 'credentials.json');
  const write = (ids: string[]) =>
    writeFile(path, formatCredentials({ projects: ids.map((id) => project(id)), tokens: [] }));
  await write([]);
  const logged: string[] = [];
  const log = { info: () => {}, error: (_details: object, message: string) => logged.push(message) };
  const accounts = new Accounts({
    file: await readCredentialsFile(path),
    onChange: () => {},
    hasItems: true,
    log,
  });
  accounts.watch(10);
  const before = vi.mocked(readFile).mock.calls.length;
  const looks = () => vi.mocked(readFile).mock.calls.length - before;
  await vi.waitFor(() => expect(looks()).toBeGreaterThan(0), PATIENCE);
  const noMore = Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  const ids = ['a1'.repeat(12), 'a2'.repeat(12)];
  for (const times of [1, 2]) {
    for (let i = 0; i < 3; i++) vi.mocked(readFile).mockRejectedValueOnce(noMore);
    await write(ids.slice(0, times));
    await vi.waitFor(() => expect(accounts.credentials.projects).toHaveLength(times), PATIENCE);
    expect(looks()).toBeGreaterThan(3 * times);
    // Another time is told of again.
    expect(logged).toHaveLength(times);
  }
  await accounts.close();
});

test('a broken file is told of once, and looked at again when it has changed', async () => {
  const path = join(temporaryDirectory(), 'credentials.json');
  const credentials = { projects: [project('a1'.repeat(12))], tokens: [] };
  await writeFile(path, formatCredentials(credentials));
  const logged: unknown[] = [];
  const log = { info: () => {}, error: (details: object) => logged.push(details) };
  const accounts = new Accounts({ file: await readCredentialsFile(path), onChange: () => {}, log });
  accounts.watch(10);
  // In one step: a look in the middle would find an empty file, and tell of that, too.
  await writeFile(`${path}.new`, 'broken');
  await rename(`${path}.new`, path);
  await vi.waitFor(() => expect(logged).toHaveLength(1), PATIENCE);
  const before = vi.mocked(stat).mock.calls.length;
  await vi.waitFor(() => expect(vi.mocked(stat).mock.calls.length).toBeGreaterThan(before + 4), PATIENCE);
  expect(logged).toHaveLength(1);
  await writeFile(path, formatCredentials({ projects: [], tokens: [] }));
  await vi.waitFor(() => expect(accounts.credentials.projects).toHaveLength(0), PATIENCE);
  await accounts.close();
});

// It gives nothing twice, and who opens it waits for somebody to write to it.
test('a pipe is read at the start alone: to wait for it would hold up all changes, and a stop', async () => {
  const path = join(temporaryDirectory(), 'pipe');
  expect(spawnSync('mkfifo', [path]).status).toBe(0);
  const text = formatCredentials({ projects: [project('a1'.repeat(12))], tokens: [] });
  const [file] = await Promise.all([readCredentialsFile(path), writeFile(path, text)]);
  const writer = spawn('sh', ['-c', 'echo {} > "$0"', path]);
  onTestFinished(() => void writer.kill());
  const logged: unknown[] = [];
  const log = { info: () => {}, error: (details: object) => logged.push(details) };
  const accounts = new Accounts({ file, onChange: () => {}, log });
  const before = vi.mocked(stat).mock.calls.length;
  accounts.watch(10);
  await vi.waitFor(() => expect(vi.mocked(stat).mock.calls.length).toBeGreaterThan(before + 1), PATIENCE);
  expect(logged).toEqual([]);
  await accounts.reload();
  expect(logged).toEqual([
    { err: new Error(`${path} is a pipe or a device, which is read at the start alone`) },
  ]);
  expect(accounts.credentials.projects).toHaveLength(1);
  await accounts.close();
});
