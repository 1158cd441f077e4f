import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  adminTokenPath,
  type CredentialsFile,
  credentialsFilePath,
  openDirectory,
} from '../../src/auth/credentials-file.ts';
import { Grant } from '../../src/auth/grant.ts';
import { ironFilePath } from '../../src/auth/iron-file.ts';
import { ADMIN, permissionSet } from '../../src/auth/permissions.ts';
import { hashToken } from '../../src/auth/token-book.ts';
import { bookOf } from '../support/credentials.ts';

const NOW = Date.UTC(2030, 0, 1);
const OPTIONS = { firstProject: true, adminToken: true, now: NOW };
const isRoot = process.getuid?.() === 0;

let parent: string;
let dataDir: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'ironcached-credentials-'));
  dataDir = join(parent, 'not', 'there', 'yet');
});
afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const textIn = (path: string) => readFileSync(path, 'utf8');
const jsonIn = (path: string) => JSON.parse(textIn(path));

/** What the first start put down for people, in plain text. */
function plain(): { projectId: string; token: string; admin: string } {
  const { project_id: projectId, token } = jsonIn(ironFilePath(dataDir));
  return { projectId, token, admin: textIn(adminTokenPath(dataDir)).trim() };
}

function everyFile(): [name: string, text: string][] {
  return readdirSync(dataDir)
    .sort()
    .map((name) => [name, textIn(join(dataDir, name))]);
}

describe('the first start', () => {
  test('makes a project with a token that may read and write, and an admin token for all', async () => {
    const { credentials } = await openDirectory(dataDir, OPTIONS);
    const { projectId, token, admin } = plain();
    expect(projectId).toMatch(/^[0-9a-f]{24}$/);
    for (const text of [token, admin]) expect(text).toMatch(/^[\w-]{32}$/);
    const book = bookOf(credentials);
    expect(book.check(projectId, token)).toBeInstanceOf(Grant);
    expect(book.identify(admin)).toMatchObject({ name: 'admin', projects: '*', permissions: ['admin'] });
    expect(book.identify(token)).toMatchObject({ projects: [projectId], permissions: ['read', 'write'] });
  });

  test('makes others in another directory', async () => {
    const here = await openDirectory(dataDir, OPTIONS);
    const there = await openDirectory(join(parent, 'other'), OPTIONS);
    const secrets = ({ credentials: { projects, tokens } }: CredentialsFile) => [
      projects[0]?.id,
      ...tokens.map(({ hash }) => hash),
    ];
    expect(new Set([...secrets(here), ...secrets(there)]).size).toBe(6);
  });

  test('writes files that only their owner can read, in a directory of the same kind', async () => {
    await openDirectory(dataDir, OPTIONS);
    const files = readdirSync(dataDir).sort();
    expect(files).toEqual(['admin-token', 'credentials.json', 'iron.json']);
    for (const file of files) expect([file, modeOf(join(dataDir, file))]).toEqual([file, '600']);
    expect(modeOf(dataDir)).toBe('700');
  });

  test('keeps hashes alone in credentials.json', async () => {
    await openDirectory(dataDir, OPTIONS);
    const { projectId, token, admin } = plain();
    const kept = textIn(credentialsFilePath(dataDir));
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(admin);
    expect(JSON.parse(kept)).toEqual({
      version: 2,
      projects: [
        {
          id: projectId,
          name: 'first',
          status: 'active',
          quotas: { bytes: null, items: null, requests_per_second: null },
          created_at: '2030-01-01T00:00:00.000Z',
        },
      ],
      tokens: [
        {
          id: expect.stringMatching(/^[0-9a-f]{24}$/),
          name: 'first',
          hash: hashToken(token),
          projects: [projectId],
          permissions: ['read', 'write'],
          expires_at: null,
          created_at: '2030-01-01T00:00:00.000Z',
        },
        {
          id: expect.stringMatching(/^[0-9a-f]{24}$/),
          name: 'admin',
          hash: hashToken(admin),
          projects: '*',
          permissions: ['admin'],
          expires_at: null,
          created_at: '2030-01-01T00:00:00.000Z',
        },
      ],
    });
  });

  test('makes no admin token where one is given, and no project where none is wanted', async () => {
    const { credentials } = await openDirectory(dataDir, { ...OPTIONS, adminToken: false });
    expect(credentials.tokens.map(({ name }) => name)).toEqual(['first']);
    const other = await openDirectory(join(parent, 'other'), { ...OPTIONS, firstProject: false });
    expect([other.credentials.projects, other.credentials.tokens.map(({ name }) => name)]).toEqual([
      [],
      ['admin'],
    ]);
  });

  test('uses a directory that is there already', async () => {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'something else'), '');
    await openDirectory(dataDir, OPTIONS);
    expect(readdirSync(dataDir)).toHaveLength(4);
  });

  test('by several processes at once makes one set of credentials', async () => {
    const opened = await Promise.all([1, 2, 3, 4].map(() => openDirectory(dataDir, OPTIONS)));
    expect(new Set(opened.map(({ text }) => text)).size).toBe(1);
    expect(bookOf(opened[0]?.credentials ?? { projects: [], tokens: [] }).identify(plain().admin)).toBeTypeOf(
      'object',
    );
  });

  test('that was broken off before the end is made anew', async () => {
    await openDirectory(dataDir, OPTIONS);
    rmSync(credentialsFilePath(dataDir));
    const { credentials } = await openDirectory(dataDir, OPTIONS);
    const { projectId, token, admin } = plain();
    expect(bookOf(credentials).check(projectId, token)).toBeInstanceOf(Grant);
    expect(bookOf(credentials).identify(admin)).toBeTypeOf('object');
  });
});

describe('the next start', () => {
  test('has the same credentials, and writes nothing', async () => {
    const first = await openDirectory(dataDir, OPTIONS);
    const before = everyFile();
    const inode = statSync(credentialsFilePath(dataDir)).ino;
    expect(await openDirectory(dataDir, { ...OPTIONS, now: NOW + 1 })).toEqual(first);
    expect(everyFile()).toEqual(before);
    expect(statSync(credentialsFilePath(dataDir)).ino).toBe(inode);
  });
});

describe('credentials of version 1', () => {
  const [first, second] = ['a1'.repeat(12), 'b2'.repeat(12)];
  const projects = [
    { id: first, tokenHashes: [hashToken('one'), hashToken('two'), hashToken('of both')] },
    { id: second, tokenHashes: [hashToken('of both'), hashToken('three')] },
  ];

  beforeEach(() => {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(credentialsFilePath(dataDir), JSON.stringify({ version: 1, projects }), { mode: 0o600 });
    writeFileSync(ironFilePath(dataDir), JSON.stringify({ project_id: first, token: 'one' }), {
      mode: 0o600,
    });
  });

  function expectAllRights({ credentials }: CredentialsFile): void {
    const book = bookOf(credentials);
    const rights = [first, second].map((id) =>
      ['one', 'two', 'of both', 'three'].filter((text) => book.check(id, text) instanceof Grant),
    );
    expect(rights).toEqual([
      ['one', 'two', 'of both'],
      ['of both', 'three'],
    ]);
  }

  test('keep every token, and get an admin token, in the form of today', async () => {
    const iron = textIn(ironFilePath(dataDir));
    expectAllRights(await openDirectory(dataDir, OPTIONS));
    expect(jsonIn(credentialsFilePath(dataDir)).version).toBe(2);
    expect(modeOf(credentialsFilePath(dataDir))).toBe('600');
    expect(textIn(ironFilePath(dataDir))).toBe(iron);
    const again = await openDirectory(dataDir, OPTIONS);
    expectAllRights(again);
    const admin = bookOf(again.credentials).identify(plain().admin);
    expect(typeof admin === 'object' && permissionSet(admin.permissions)).toBe(ADMIN);
  });

  test('serve as they are where they cannot be written anew', async () => {
    mkdirSync(join(dataDir, 'credentials.json.new'));
    const opened = await openDirectory(dataDir, OPTIONS);
    expect(opened.unwritable).toBeInstanceOf(Error);
    expectAllRights(opened);
    expect(jsonIn(credentialsFilePath(dataDir)).version).toBe(1);
  });

  test.skipIf(isRoot)('serve as they are in a directory without the right to write', async () => {
    chmodSync(dataDir, 0o500);
    try {
      expectAllRights(await openDirectory(dataDir, OPTIONS));
    } finally {
      chmodSync(dataDir, 0o700);
    }
  });
});

test('a damaged file is told by name, and left as it is', async () => {
  await openDirectory(dataDir, OPTIONS);
  const path = credentialsFilePath(dataDir);
  writeFileSync(path, '{"version": 2, "projects": [');
  const before = everyFile();
  await expect(openDirectory(dataDir, OPTIONS)).rejects.toThrow(`${path} is not valid JSON`);
  expect(everyFile()).toEqual(before);
});
