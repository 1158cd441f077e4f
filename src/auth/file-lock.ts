import { randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { readIfThere } from '../files/private-file.ts';
import { codeOf } from '../thrown.ts';

/**
 * A lock is held for milliseconds: one of this age was left by a process that was killed. So was one that is as far
 * in the future, where the clock has been set back since.
 */
const ABANDONED_AFTER_MS = 10_000;
const RETRY_MS = 20;
const PATIENCE_MS = 15_000;

/**
 * Does something that only one process may do at a time, by means of a file that exists meanwhile: the
 * service and the command line change the same files, perhaps in different containers.
 */
export async function whileLocked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const owner = randomBytes(12).toString('hex');
  await take(path, owner);
  try {
    return await work();
  } finally {
    if ((await readIfThere(path)) === owner) await rm(path, { force: true });
  }
}

async function take(path: string, owner: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await tryToTake(path, owner))) {
    await removeAbandoned(path, owner);
    if (Date.now() > deadline) throw new Error(`${path} is held by another process that does not let go`);
    await delay(RETRY_MS);
  }
}

async function tryToTake(path: string, owner: string): Promise<boolean> {
  const file = await openNew(path);
  if (!file) return false;
  try {
    await file.writeFile(owner);
    return true;
  } catch (error) {
    // Nobody else has to wait until it seems abandoned.
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function openNew(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
}

// By a rename, which only one of several processes can do. If it was not the abandoned lock but one that was just
// taken, it is put back.
async function removeAbandoned(path: string, owner: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (!found || Math.abs(Date.now() - found.mtimeMs) < ABANDONED_AFTER_MS) return;
  const aside = `${path}.${owner}`;
  try {
    await rename(path, aside);
    if ((await stat(aside)).ino !== found.ino) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  }
  await rm(aside, { force: true });
}
