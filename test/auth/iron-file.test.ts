import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ironFilePath, readIronFile, writeIronFile } from '../../src/auth/iron-file.ts';
import { PROJECT, TOKEN, TWO_PROJECTS } from '../support/credentials.ts';
import { temporaryDirectory } from '../support/service.ts';

const PLAIN = { projectId: PROJECT, token: TOKEN };
const ADDRESS = { protocol: 'http', host: '127.0.0.1', port: 8080 } as const;

let dataDir: string;
let path: string;

beforeEach(() => {
  dataDir = temporaryDirectory();
  path = ironFilePath(dataDir);
});

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);
const jsonIn = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

describe('reading', () => {
  test('finds the project and token that the service made', async () => {
    await writeIronFile(dataDir, PLAIN, ADDRESS);
    expect(await readIronFile(dataDir, TWO_PROJECTS)).toEqual(PLAIN);
  });

  test('finds nothing where there is no file', async () => {
    expect(await readIronFile(dataDir, TWO_PROJECTS)).toBeUndefined();
  });

  test.each([
    ['another token', { project_id: PROJECT, token: 'another' }],
    ['another project', { project_id: 'a1'.repeat(12), token: TOKEN }],
    ['no token', { project_id: PROJECT }],
    ['no object', null],
  ])('does not believe a file with %s', async (_case, content) => {
    writeFileSync(path, JSON.stringify(content));
    expect(await readIronFile(dataDir, TWO_PROJECTS)).toBeUndefined();
  });

  test('says nothing of the token in a damaged file', async () => {
    for (const damaged of [`"${TOKEN}" x`, TOKEN, `{"token": ${TOKEN}}`]) {
      writeFileSync(path, damaged);
      const error = await readIronFile(dataDir, TWO_PROJECTS).catch((reason: Error) => reason.message);
      expect(error).toBe(`${path} is not valid JSON`);
    }
  });
});

describe('writing', () => {
  test('tells clients where the service is, for its owner alone', async () => {
    await writeIronFile(dataDir, PLAIN, ADDRESS);
    expect(jsonIn(path)).toEqual({
      project_id: PROJECT,
      token: TOKEN,
      protocol: 'http',
      host: '127.0.0.1',
      port: 8080,
      scheme: 'http',
      api_version: '1',
    });
    expect(modeOf(path)).toBe('600');
    expect(readdirSync(dataDir)).toEqual(['iron.json']);
  });

  test('happens only when the file would say something else', async () => {
    await writeIronFile(dataDir, PLAIN, ADDRESS);
    const inode = statSync(path).ino;
    await writeIronFile(dataDir, PLAIN, ADDRESS);
    expect(statSync(path).ino).toBe(inode);
    await writeIronFile(dataDir, PLAIN, { ...ADDRESS, port: 9090 });
    expect(jsonIn(path)).toMatchObject({ port: 9090 });
  });

  test('takes away what others could read', async () => {
    rmSync(path, { force: true });
    writeFileSync(path, '{}', { mode: 0o644 });
    await writeIronFile(dataDir, PLAIN, ADDRESS);
    expect(modeOf(path)).toBe('600');
  });
});
