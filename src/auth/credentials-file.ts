import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../files/made-directory.ts';
import { readIfThere, readText, writePrivately } from '../files/private-file.ts';
import { isReadOnce } from '../files/read-once.ts';
import { createProject, createToken } from './credential-changes.ts';
import type { Credentials, Token } from './credentials.ts';
import { formatCredentials } from './credentials-json.ts';
import type { ReadCredentials } from './credentials-reader.ts';
import { whileLocked } from './file-lock.ts';
import { ironFilePath } from './iron-file.ts';

/** A credentials file as it was read, or written. */
export interface CredentialsFile {
  readonly path: string;
  readonly text: string;
  readonly credentials: Credentials;
  /** Why a file of an older form could not be written anew; it serves all the same. */
  readonly unwritable?: unknown;
}

type KnownFile = CredentialsFile & ReadCredentials;

interface DirectoryOptions {
  /** Make a first project with a token, and keep them in iron.json, where there is nothing yet. */
  readonly firstProject: boolean;
  /** Make an admin token, and keep it in a file, where there is nothing yet. */
  readonly adminToken: boolean;
  readonly now: number;
}

export function credentialsFilePath(dataDir: string): string {
  return join(dataDir, 'credentials.json');
}

/** The file with the text of the admin token that the first start made. */
export function adminTokenPath(dataDir: string): string {
  return join(dataDir, 'admin-token');
}

/** The lock that is held while a credentials file is changed. */
export function lockPath(path: string): string {
  return `${path}.lock`;
}

/** `taken`: tokens from elsewhere, whose texts none of the file may have. */
export async function readCredentialsFile(
  path: string,
  taken: readonly Token[] = [],
): Promise<CredentialsFile> {
  return read(path, await readText(path), taken);
}

/**
 * The same, but undefined where it says what it said when it was read last: to check a hundred thousand tokens anew
 * takes half a second.
 */
export async function readIfChanged(
  path: string,
  before: string | undefined,
  taken: readonly Token[],
): Promise<CredentialsFile | undefined> {
  if (isReadOnce(await stat(path))) {
    throw new Error(`${path} is a pipe or a device, which is read at the start alone`);
  }
  const text = await readText(path);
  return text === before ? undefined : read(path, text, taken);
}

/**
 * The credentials of a data directory: those of earlier starts, brought to the present form if need be;
 * or the first ones.
 */
export async function openDirectory(dataDir: string, options: DirectoryOptions): Promise<CredentialsFile> {
  const path = credentialsFilePath(dataDir);
  const make = () => whileLocked(lockPath(path), () => makeCredentials(dataDir, options));
  const known = await readKnown(path);
  if (!known) {
    await makeDirectory(dataDir);
    return make();
  }
  if (!known.outdated) return known;
  return make().catch((unwritable: unknown) => ({ ...known, unwritable }));
}

// Once the lock is held, another process may have made them.
async function makeCredentials(dataDir: string, options: DirectoryOptions): Promise<KnownFile> {
  const path = credentialsFilePath(dataDir);
  const known = await readKnown(path);
  if (known && !known.outdated) return known;
  let credentials = known?.credentials ?? { projects: [], tokens: [] };
  // Texts of tokens first: a crash in between leaves no token whose text nobody knows.
  if (!known && options.firstProject) credentials = await makeFirstProject(dataDir, credentials, options.now);
  if (options.adminToken) credentials = await makeAdminToken(dataDir, credentials, options.now);
  const text = formatCredentials(credentials);
  await writePrivately(path, text);
  return { path, text, credentials, outdated: false };
}

async function makeFirstProject(dataDir: string, before: Credentials, now: number): Promise<Credentials> {
  const { credentials, result: project } = createProject({ name: 'first' }, now)(before);
  const asked = { name: 'first', projects: [project.id], permissions: ['read', 'write'] } as const;
  const made = createToken(asked, now)(credentials);
  const iron = { project_id: project.id, token: made.result.text };
  await writePrivately(ironFilePath(dataDir), `${JSON.stringify(iron, null, 2)}\n`);
  return made.credentials;
}

async function makeAdminToken(dataDir: string, before: Credentials, now: number): Promise<Credentials> {
  const asked = { name: 'admin', projects: '*', permissions: ['admin'] } as const;
  const { credentials, result } = createToken(asked, now)(before);
  await writePrivately(adminTokenPath(dataDir), `${result.text}\n`);
  return credentials;
}

async function readKnown(path: string): Promise<KnownFile | undefined> {
  const text = await readIfThere(path);
  return text === undefined ? undefined : read(path, text);
}

// Only where there is a file: what checks it takes a tenth of a start to load.
async function read(path: string, text: string, taken?: readonly Token[]): Promise<KnownFile> {
  const { readCredentials } = await import('./credentials-reader.ts');
  return { path, text, ...readCredentials(path, text, taken) };
}
