import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf } from '../thrown.ts';
import { syncDirectory } from './synced-directory.ts';

/**
 * Writes a file that its owner alone can read, from its first moment on, and all or nothing: whoever
 * reads it, also after a crash at any point, finds the old text or the new one. One writer at a time. Of a text in
 * pieces, each is asked for when those before it are written.
 */
export async function writePrivately(path: string, text: string | Iterable<string>): Promise<void> {
  const unfinished = `${path}.new`;
  // What a crash left may be anybody's to read.
  await rm(unfinished, { force: true });
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await giveToOwner(file, path);
    await writeFile(file, text);
    await file.sync();
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(path));
}

// Root may write files that the service, another user, has to read. Where even root may not give them away, as in some
// containers, root runs the service.
async function giveToOwner(file: FileHandle, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(path).catch(() => stat(dirname(path)));
  await file.chown(uid, gid).catch(() => undefined);
}

/** The text of a file, or undefined where there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The text of a file. Whatever it throws names the file: the system's own words for a directory do not. */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw codeOf(error) === 'EISDIR' ? new Error(`${path} is a directory, and should be a file`) : error;
  }
}
