import { write } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { chown, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeDirectory } from '../files/made-directory.ts';
import { syncDirectory } from '../files/synced-directory.ts';
import { codeOf } from '../thrown.ts';
import { DirectoryLock } from './directory-lock.ts';

/**
 * A `log` goes on where the file before it ended, a `base` is complete by itself, a `partial` was to become one, and a
 * `repair` was, too, of what the files before it say.
 */
type FileKind = 'log' | 'base' | 'partial' | 'repair';

/** A file of the directory; generations are numbered in the order of their making. */
export interface GenerationFile {
  readonly generation: number;
  readonly kind: FileKind;
}

/** A file that is being written. */
export interface LogFile {
  /** All of it, at a place in the file; may be called again for what failed. */
  write(bytes: Buffer, at: number): Promise<void>;
  /** Resolves when everything written is on disk. */
  sync(): Promise<void>;
  /** False: it was removed, or its directory was, so that no start will find it. It may have become a base. */
  isThere(): Promise<boolean>;
  close(): Promise<void>;
}

const NAME = /^(\d{6,})\.(log|base|partial|repair)$/;

/** The directory in which items are kept, whatever is in its files. */
export class ItemDirectory {
  readonly path: string;
  #lock: DirectoryLock | undefined;

  protected constructor(path: string) {
    this.path = path;
  }

  /** Makes the directory if need be. Rejects where it cannot be written. */
  static async open(path: string): Promise<ItemDirectory> {
    await makeDirectory(path);
    const probe = join(path, `.writable-${process.pid}`);
    await (await open(probe, 'w', 0o600)).close();
    await rm(probe, { force: true });
    return new ItemDirectory(path);
  }

  /** Takes it for this process. Rejects with StartError where another has it. Undefined: it cannot be locked. */
  async take(): Promise<DirectoryLock | undefined> {
    this.#lock = await DirectoryLock.take(this.path);
    return this.#lock;
  }

  async release(): Promise<void> {
    await this.#lock?.release();
  }

  pathOf({ generation, kind }: GenerationFile): string {
    return join(this.path, `${String(generation).padStart(6, '0')}.${kind}`);
  }

  /** Where the cut-off end of a file is kept. */
  tornPathOf(file: GenerationFile): string {
    return this.pathOf(file).replace(/\w+$/, 'torn');
  }

  /** The files of items, oldest first. */
  async list(): Promise<GenerationFile[]> {
    const names = await readdir(this.path);
    const files = names.flatMap((name): GenerationFile[] => {
      const [, number, kind] = NAME.exec(name) ?? [];
      return number === undefined ? [] : [{ generation: Number(number), kind: kind as FileKind }];
    });
    return files.sort((a, b) => a.generation - b.generation);
  }

  /** Makes a file, or empties the one that is there. */
  async create(file: GenerationFile): Promise<LogFile> {
    await this.#takeAgain();
    const path = this.pathOf(file);
    const handle = await open(path, 'w', 0o600);
    let ino: number;
    try {
      ({ ino } = await handle.stat());
      await this.sync();
    } catch (error) {
      await handle.close();
      throw error;
    }
    return {
      write: (bytes, at) => writeAll(handle, bytes, at),
      sync: () => handle.datasync(),
      isThere: async () => (await isFile(path, ino)) || isFile(this.pathOf({ ...file, kind: 'base' }), ino),
      close: () => handle.close(),
    };
  }

  async rename(from: GenerationFile, to: GenerationFile): Promise<void> {
    await rename(this.pathOf(from), this.pathOf(to));
    await this.sync();
  }

  /**
   * Gives a file to the owner of another: root may repair what is the service's, which is another user and has to read
   * it. Where even root may not give it away, as in some containers, it is root who runs the service.
   */
  async giveToOwnerOf(other: GenerationFile, file: GenerationFile): Promise<void> {
    if (process.getuid?.() !== 0) return;
    const { uid, gid } = await stat(this.pathOf(other));
    await chown(this.pathOf(file), uid, gid).catch(() => undefined);
  }

  async remove(files: readonly GenerationFile[]): Promise<void> {
    for (const file of files) {
      await rm(this.pathOf(file), { force: true });
      await rm(this.tornPathOf(file), { force: true });
    }
  }

  // Another directory in place of this one may be another process's, or have been.
  async #takeAgain(): Promise<void> {
    if (!this.#lock || (await this.#lock.isThere())) return;
    const lock = await DirectoryLock.take(this.path);
    if ((await this.list()).length > 0) {
      await lock?.release();
      throw new Error(`${this.path} is another directory now, with items of its own`);
    }
    await this.#lock.release();
    this.#lock = lock;
  }

  /** Brings its new names to disk. */
  sync(): Promise<void> {
    return syncDirectory(this.path);
  }
}

async function isFile(path: string, ino: number): Promise<boolean> {
  try {
    return (await stat(path)).ino === ino;
  } catch (error) {
    return codeOf(error) !== 'ENOENT';
  }
}

// By the callback, since Node's own promise costs several times as much.
function writeAll({ fd }: FileHandle, bytes: Buffer, at: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const writeFrom = (done: number) =>
      write(fd, bytes, done, bytes.length - done, at + done, (error, bytesWritten) => {
        if (error) reject(error);
        else if (done + bytesWritten < bytes.length) writeFrom(done + bytesWritten);
        else resolve();
      });
    writeFrom(0);
  });
}
