import { join } from 'node:path';
import { parseJsonFile } from '../files/json-file.ts';
import { readIfThere, writePrivately } from '../files/private-file.ts';
import { type Credentials, covers } from './credentials.ts';
import { hashToken } from './token-book.ts';

/** A project's id with a token in plain text. */
export interface PlainCredentials {
  readonly projectId: string;
  readonly token: string;
}

/** Where a client finds the service, as in its iron.json. */
export interface ServiceAddress {
  readonly protocol: 'http' | 'https';
  /** As it stands in a URL, which is what the clients make of it: an IPv6 address has brackets. */
  readonly host: string;
  readonly port: number;
}

/** The file that official clients read, which only its owner can read. */
export function ironFilePath(dataDir: string): string {
  return join(dataDir, 'iron.json');
}

/** The text of an iron.json. */
export function ironFileText({ projectId, token }: PlainCredentials, address: ServiceAddress): string {
  const { protocol, host, port } = address;
  // Ruby's and Go's clients call the protocol `scheme`, and Go's takes no version but a text.
  const where = { protocol, scheme: protocol, host, port, api_version: '1' };
  return `${JSON.stringify({ project_id: projectId, token, ...where }, null, 2)}\n`;
}

/** Writes iron.json. Does nothing when it says so already. */
export async function writeIronFile(
  dataDir: string,
  plain: PlainCredentials,
  address: ServiceAddress,
): Promise<void> {
  const path = ironFilePath(dataDir);
  const text = ironFileText(plain, address);
  if ((await readIfThere(path)) !== text) await writePrivately(path, text);
}

/** The project and token of the iron.json, where they are among the credentials. */
export async function readIronFile(
  dataDir: string,
  credentials: Credentials,
): Promise<PlainCredentials | undefined> {
  const file = await readIronCredentials(dataDir);
  if (!file) return undefined;
  const { projectId, token } = file;
  const hash = hashToken(token);
  const isKnown = credentials.tokens.some((each) => each.hash === hash && covers(each, projectId));
  const exists = credentials.projects.some(({ id }) => id === projectId);
  return isKnown && exists ? file : undefined;
}

/** The project and token of an iron.json as they stand there, if there is one. */
export async function readIronCredentials(dataDir: string): Promise<PlainCredentials | undefined> {
  const { project_id: projectId, token } = await readMembers(dataDir);
  if (typeof projectId !== 'string' || !/^[0-9a-f]{24}$/.test(projectId)) return undefined;
  return typeof token === 'string' ? { projectId, token } : undefined;
}

/** Where an iron.json says that the service is, if there is one. */
export async function readIronAddress(dataDir: string): Promise<ServiceAddress | undefined> {
  const { protocol, host, port } = await readMembers(dataDir);
  if (protocol !== 'http' && protocol !== 'https') return undefined;
  return typeof host === 'string' && Number.isSafeInteger(port)
    ? { protocol, host, port: Number(port) }
    : undefined;
}

// None, where there is no file or no object in it.
async function readMembers(dataDir: string): Promise<Record<string, unknown>> {
  const path = ironFilePath(dataDir);
  const text = await readIfThere(path);
  return (text === undefined ? {} : (parseJsonFile(path, text) ?? {})) as Record<string, unknown>;
}
