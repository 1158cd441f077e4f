import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Credentials,
  credentialsFilePath,
  givenCredentials,
  ironFilePath,
  loadCredentials,
  type PlainCredentials,
  writeIronFile,
} from '../../src/auth/credentials-file.ts';
import { hashToken, TokenBook } from '../../src/auth/token-book.ts';

const ADDRESS = { protocol: 'http', host: '127.0.0.1', port: 8080 } as const;

let parent: string;
let dataDir: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'ironcached-credentials-'));
  dataDir = join(parent, 'not', 'there', 'yet');
});
afterEach(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const jsonIn = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

function plainOf({ plain }: Credentials): PlainCredentials {
  if (!plain) throw new Error('the plain token is not known');
  return plain;
}

describe('the first start', () => {
  test('makes a project of 24 hexadecimal digits with a long random token that is granted', () => {
    const credentials = loadCredentials(dataDir);
    const { projectId, token } = plainOf(credentials);
    expect(projectId).toMatch(/^[0-9a-f]{24}$/);
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(new TokenBook(credentials.projects).check(projectId, token)).toBe('granted');
  });

  test('makes others in another directory', () => {
    const here = plainOf(loadCredentials(dataDir));
    const there = plainOf(loadCredentials(join(parent, 'other')));
    expect(there.projectId).not.toBe(here.projectId);
    expect(there.token).not.toBe(here.token);
  });

  test('writes two files that only their owner can read, in a directory of the same kind', () => {
    loadCredentials(dataDir);
    expect(readdirSync(dataDir).sort()).toEqual(['credentials.json', 'iron.json']);
    expect(modeOf(credentialsFilePath(dataDir))).toBe('600');
    expect(modeOf(ironFilePath(dataDir))).toBe('600');
    expect(modeOf(dataDir)).toBe('700');
  });

  test('writes the plain token to iron.json, and its hash alone to credentials.json', () => {
    const { projectId, token } = plainOf(loadCredentials(dataDir));
    expect(jsonIn(ironFilePath(dataDir))).toEqual({ project_id: projectId, token });
    expect(jsonIn(credentialsFilePath(dataDir))).toEqual({
      version: 1,
      projects: [{ id: projectId, tokenHashes: [hashToken(token)] }],
    });
    expect(readFileSync(credentialsFilePath(dataDir), 'utf8')).not.toContain(token);
  });

  test('uses a directory that is there already', () => {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'something else'), '');
    loadCredentials(dataDir);
    expect(readdirSync(dataDir)).toHaveLength(3);
  });
});

describe('the next start', () => {
  test('has the same credentials, and writes nothing', () => {
    const first = loadCredentials(dataDir);
    const files = [credentialsFilePath(dataDir), ironFilePath(dataDir)];
    const before = files.map((path) => [readFileSync(path, 'utf8'), statSync(path).mtimeMs]);
    expect(loadCredentials(dataDir)).toEqual(first);
    expect(files.map((path) => [readFileSync(path, 'utf8'), statSync(path).mtimeMs])).toEqual(before);
  });

  test('has several projects, each with its tokens, where the file was written so', () => {
    loadCredentials(dataDir);
    const projects = [
      { id: 'a1'.repeat(12), tokenHashes: [hashToken('one'), hashToken('two')] },
      { id: 'b2'.repeat(12), tokenHashes: [hashToken('three')] },
    ];
    writeFileSync(credentialsFilePath(dataDir), JSON.stringify({ version: 1, projects }));
    expect(loadCredentials(dataDir)).toEqual({ projects, plain: undefined });
  });

  test('knows no plain token when iron.json is away, and goes on without', () => {
    const { projects } = loadCredentials(dataDir);
    rmSync(ironFilePath(dataDir));
    expect(loadCredentials(dataDir)).toEqual({ projects, plain: undefined });
  });

  test.each([
    ['another token', (plain: PlainCredentials) => ({ project_id: plain.projectId, token: 'another' })],
    ['another project', ({ token }: PlainCredentials) => ({ project_id: 'a1'.repeat(12), token })],
    ['no token', ({ projectId }: PlainCredentials) => ({ project_id: projectId })],
  ])('does not believe an iron.json with %s', (_case, contentFor) => {
    const plain = plainOf(loadCredentials(dataDir));
    writeFileSync(ironFilePath(dataDir), JSON.stringify(contentFor(plain)));
    expect(loadCredentials(dataDir).plain).toBeUndefined();
  });
});

describe('a damaged file', () => {
  test.each([
    ['', 'is not valid JSON'],
    ['{"version": 1, "projects": [', 'is not valid JSON'],
    ['[]', 'is not a credentials file of ironcached'],
    ['{"version": 2, "projects": []}', 'version'],
    ['{"version": 1}', 'projects'],
    [`{"version": 1, "projects": [{"id": "XYZ", "tokenHashes": ["${'0'.repeat(64)}"]}]}`, 'projects[0].id'],
    [`{"version": 1, "projects": [{"id": "${'a1'.repeat(12)}", "tokenHashes": ["abc"]}]}`, 'tokenHashes[0]'],
    [`{"version": 1, "projects": [{"id": "${'a1'.repeat(12)}", "tokenHashes": []}]}`, 'tokenHashes'],
  ])('of the form %j is told by name and reason, and left as it is', (damaged, reason) => {
    loadCredentials(dataDir);
    const path = credentialsFilePath(dataDir);
    writeFileSync(path, damaged);
    const iron = readFileSync(ironFilePath(dataDir), 'utf8');
    expect(() => loadCredentials(dataDir)).toThrow(path);
    expect(() => loadCredentials(dataDir)).toThrow(reason);
    expect(readFileSync(path, 'utf8')).toBe(damaged);
    expect(readFileSync(ironFilePath(dataDir), 'utf8')).toBe(iron);
  });

  test('says nothing of the token that it holds', () => {
    const { token } = plainOf(loadCredentials(dataDir));
    const path = ironFilePath(dataDir);
    for (const damaged of [`"${token}" x`, token, `{"token": ${token}}`]) {
      writeFileSync(path, damaged);
      expect(() => loadCredentials(dataDir)).toThrow(`${path} is not valid JSON`);
      expect(() => loadCredentials(dataDir)).not.toThrow(token.slice(0, 4));
      expect(readFileSync(path, 'utf8')).toBe(damaged);
    }
  });
});

describe('credentials given from outside', () => {
  test('are granted, with the token known and kept as a hash', () => {
    const plain = { projectId: 'a1'.repeat(12), token: 'from outside' };
    const credentials = givenCredentials(plain);
    expect(credentials).toEqual({
      projects: [{ id: plain.projectId, tokenHashes: [hashToken('from outside')] }],
      plain,
    });
  });
});

describe('iron.json', () => {
  test('tells the official clients where the service is, and is still believed', () => {
    const credentials = loadCredentials(dataDir);
    const plain = plainOf(credentials);
    writeIronFile(dataDir, plain, ADDRESS);
    expect(jsonIn(ironFilePath(dataDir))).toEqual({
      project_id: plain.projectId,
      token: plain.token,
      protocol: 'http',
      host: '127.0.0.1',
      port: 8080,
      scheme: 'http',
      api_version: '1',
    });
    expect(modeOf(ironFilePath(dataDir))).toBe('600');
    expect(readdirSync(dataDir)).toHaveLength(2);
    expect(loadCredentials(dataDir)).toEqual(credentials);
  });

  test('is written anew only when it would say something else', () => {
    const plain = plainOf(loadCredentials(dataDir));
    writeIronFile(dataDir, plain, ADDRESS);
    const inode = statSync(ironFilePath(dataDir)).ino;
    writeIronFile(dataDir, plain, ADDRESS);
    expect(statSync(ironFilePath(dataDir)).ino).toBe(inode);
    writeIronFile(dataDir, plain, { ...ADDRESS, port: 9090 });
    expect(jsonIn(ironFilePath(dataDir))).toMatchObject({ port: 9090 });
  });

  test('that others could read is theirs no more', () => {
    const plain = plainOf(loadCredentials(dataDir));
    rmSync(ironFilePath(dataDir));
    writeFileSync(ironFilePath(dataDir), '{}', { mode: 0o644 });
    writeIronFile(dataDir, plain, ADDRESS);
    expect(modeOf(ironFilePath(dataDir))).toBe('600');
  });
});
