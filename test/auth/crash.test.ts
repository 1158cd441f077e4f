import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { credentialsFilePath, openDirectory, readCredentialsFile } from '../../src/auth/credentials-file.ts';
import { temporaryDirectory } from '../support/service.ts';

// The compiled files, since this has to be a process of its own.
const dist = fileURLToPath(new URL('../../dist/auth/', import.meta.url));

/** Makes projects without end, and says the id of each when it is kept. */
const WRITER = `
  const [dist, dataDir] = process.argv.slice(1);
  const { Accounts } = await import(dist + 'accounts.js');
  const { openDirectory } = await import(dist + 'credentials-file.js');
  const { createProject } = await import(dist + 'credential-changes.js');
  const file = await openDirectory(dataDir, { firstProject: false, adminToken: true, now: 0 });
  const accounts = new Accounts({ file, onChange: () => {}, log: console });
  for (;;) {
    const { id } = await accounts.change(createProject({ name: 'made before the end' }, 0));
    process.stdout.write(id + ' ');
  }
`;

/** Runs the writer until it has kept some changes, and kills it in the middle of the next. */
async function killedWriter(dataDir: string, changes: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dist, dataDir]);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  child.stdout.on('data', (chunk) => {
    output += chunk;
    if (output.split(' ').length > changes) child.kill('SIGKILL');
  });
  await ended;
  // The last word may be half of one.
  return output.split(' ').slice(0, -1);
}

test('a process that is killed while it writes loses nothing that was kept, and leaves no broken file', {
  timeout: 60_000,
}, async () => {
  const dataDir = temporaryDirectory();
  const kept: string[] = [];
  for (const changes of [1, 2, 3, 5, 8]) {
    kept.push(...(await killedWriter(dataDir, changes)));
    const { credentials } = await readCredentialsFile(credentialsFilePath(dataDir));
    expect(credentials.projects.map(({ id }) => id)).toEqual(expect.arrayContaining(kept));
  }
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.every((id) => /^[0-9a-f]{24}$/.test(id))).toBe(true);
  const leftOver = readdirSync(dataDir).filter(
    (name) => !/^(credentials\.json(\.new|\.lock)?|admin-token)$/.test(name),
  );
  expect(leftOver).toEqual([]);
  await openDirectory(dataDir, { firstProject: false, adminToken: true, now: 0 });
});
