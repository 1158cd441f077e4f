import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { hashToken, type ProjectTokens } from './token-book.ts';

/** 24 lower-case hexadecimal digits: the Ruby client refuses anything else. */
export const projectIdSchema = z.string().regex(/^[0-9a-f]{24}$/, '24 lower-case hexadecimal digits');

const fileSchema = z.object({
  version: z.literal(1),
  projects: z.array(
    z.object({ id: projectIdSchema, tokenHashes: z.array(z.string().regex(/^[0-9a-f]{64}$/)).min(1) }),
  ),
});

// Official clients read a file of this form and name, so it also tells them where the service is.
const ironFileSchema = z.looseObject({ project_id: projectIdSchema, token: z.string() });

/** A project's id with a token in plain text. */
export interface PlainCredentials {
  readonly projectId: string;
  readonly token: string;
}

export interface Credentials {
  readonly projects: readonly ProjectTokens[];
  /** The first project with its token, where the plain token is known: to show, or to sign in with. */
  readonly plain: PlainCredentials | undefined;
}

/** Where a client finds the service, as in its iron.json. */
export interface ServiceAddress {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export function credentialsFilePath(dataDir: string): string {
  return join(dataDir, 'credentials.json');
}

/** The file with the plain token, which only its owner can read. */
export function ironFilePath(dataDir: string): string {
  return join(dataDir, 'iron.json');
}

/** Credentials given from outside: nothing is written. */
export function givenCredentials(plain: PlainCredentials): Credentials {
  return { projects: [{ id: plain.projectId, tokenHashes: [hashToken(plain.token)] }], plain };
}

/** Reads the credentials of earlier starts, or makes a project with a random token at the first. */
export function loadCredentials(dataDir: string): Credentials {
  const path = credentialsFilePath(dataDir);
  const text = readIfThere(path);
  if (text === undefined) return makeCredentials(dataDir);
  const file = fileSchema.safeParse(parseJson(path, text));
  if (!file.success) {
    throw new Error(`${path} is not a credentials file of ironcached: ${z.prettifyError(file.error)}`);
  }
  return { projects: file.data.projects, plain: readPlain(dataDir, file.data.projects) };
}

/** Writes iron.json for the official clients. Does nothing when it says so already. */
export function writeIronFile(dataDir: string, plain: PlainCredentials, address: ServiceAddress): void {
  const path = ironFilePath(dataDir);
  const { protocol, host, port } = address;
  // Ruby's and Go's clients call the protocol `scheme`, and Go's takes no version but a text.
  const where = { protocol, scheme: protocol, host, port, api_version: '1' };
  const content = { project_id: plain.projectId, token: plain.token, ...where };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  if (readIfThere(path) !== text) writePrivately(path, text);
}

function makeCredentials(dataDir: string): Credentials {
  const plain = { projectId: randomBytes(12).toString('hex'), token: randomBytes(24).toString('base64url') };
  const credentials = givenCredentials(plain);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  // The token first: a crash in between leaves no project whose token nobody knows.
  writePrivately(
    ironFilePath(dataDir),
    JSON.stringify({ project_id: plain.projectId, token: plain.token }, null, 2),
  );
  const file = { version: 1, projects: credentials.projects };
  writePrivately(credentialsFilePath(dataDir), `${JSON.stringify(file, null, 2)}\n`);
  return credentials;
}

function readPlain(dataDir: string, projects: readonly ProjectTokens[]): PlainCredentials | undefined {
  const path = ironFilePath(dataDir);
  const text = readIfThere(path);
  const file = text === undefined ? undefined : ironFileSchema.safeParse(parseJson(path, text)).data;
  if (!file) return undefined;
  const project = projects.find(({ id }) => id === file.project_id);
  const known = project?.tokenHashes.includes(hashToken(file.token));
  return known ? { projectId: file.project_id, token: file.token } : undefined;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words quote the text, which may be a token.
    throw new Error(`${path} is not valid JSON`);
  }
}

// All or nothing, and from its first moment readable by the owner alone.
function writePrivately(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}.new`;
  writeFileSync(unfinished, text, { mode: 0o600, flush: true });
  renameSync(unfinished, path);
}
