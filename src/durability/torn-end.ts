import { open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncDirectory } from '../files/synced-directory.ts';

const PIECE_BYTES = 1024 * 1024;

/** Cuts a file off, and keeps what was behind in another. */
export async function cutOff(path: string, offset: number, kept: string): Promise<void> {
  const [source, target] = [await open(path, 'r'), await open(kept, 'w', 0o600)];
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    for (let at = offset; ; ) {
      const { bytesRead } = await source.read(piece, 0, piece.length, at);
      if (bytesRead === 0) break;
      // All of it: where the disk becomes full, a single write takes a part and says nothing.
      await target.writeFile(piece.subarray(0, bytesRead));
      at += bytesRead;
    }
    await target.sync();
  } finally {
    await source.close();
    await target.close();
  }
  await syncDirectory(dirname(kept));
  await truncate(path, offset);
}
