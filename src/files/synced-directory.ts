import { open } from 'node:fs/promises';

/**
 * Brings a directory to disk: only then are new names in it certain to survive a power failure. Not every system can
 * do that.
 */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
