import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { StartError } from '../start-error.ts';
import { codeOf } from '../thrown.ts';

const NAME = 'lock';

// Longer paths of sockets are cut, or refused.
const SOCKET_PATH_MAX = 100;

// How often starts at the same moment make way for each other.
const ATTEMPTS = 20;

/** Errors of file systems that know no sockets, such as some network shares. */
const NO_SOCKETS = ['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'ENOSYS'];

/**
 * Keeps a second process off a directory, by a socket in it that is listened on: a killed process leaves one that
 * nobody answers, and the next takes over. (Process ids mean nothing in containers, where everyone is number 1.) On
 * Linux, a name that the system gives to one process only decides between those that start together; but other
 * containers do not see it.
 */
export class DirectoryLock {
  readonly #servers: readonly Server[];
  /** Undefined: a name of the system alone keeps others off. */
  readonly #file: LockFile | undefined;

  private constructor(servers: readonly Server[], file?: LockFile) {
    this.#servers = servers;
    this.#file = file;
  }

  /** Rejects with StartError where another process has it. Undefined: the directory cannot be locked. */
  static async take(directory: string): Promise<DirectoryLock | undefined> {
    if (process.platform === 'win32') return takePipe(directory);
    const handle = await open(directory, 'r');
    let guard: Server | undefined;
    let lock: DirectoryLock | undefined;
    try {
      guard = await takeName(directory, handle);
      lock = await DirectoryLock.#takeFile(directory, handle, guard);
      return lock ?? (guard && DirectoryLock.withoutFile(guard));
    } catch (error) {
      guard?.close();
      throw error;
    } finally {
      if (!lock) await handle.close();
    }
  }

  static async #takeFile(
    directory: string,
    handle: FileHandle,
    guard: Server | undefined,
  ): Promise<DirectoryLock | undefined> {
    const path = join(directory, NAME);
    const own = `${NAME}.${randomBytes(4).toString('hex')}`;
    const server = await listen(socketPath(directory, own, handle));
    if (!server) return undefined;
    try {
      const { ino } = await stat(join(directory, own));
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (await tryLink(join(directory, own), path)) {
          return new DirectoryLock(guard ? [server, guard] : [server], { path, ino, directory: handle });
        }
        if (await isAnswered(socketPath(directory, NAME, handle))) break;
        await removeDead(directory, handle);
      }
      throw taken(directory);
    } catch (error) {
      server.close();
      throw error;
    } finally {
      await rm(join(directory, own), { force: true });
    }
  }

  /** False: in another container, or on another machine, a process that has the same disk is not kept off. */
  get isKnownElsewhere(): boolean {
    return this.#file !== undefined || process.platform === 'win32';
  }

  /** False: the directory was removed, or another is in its place. */
  async isThere(): Promise<boolean> {
    if (!this.#file) return true;
    const { ino } = await this.#file.directory.stat();
    const found = await stat(join(this.#file.path, '..')).catch(() => undefined);
    return found?.ino === ino;
  }

  async release(): Promise<void> {
    if (this.#file) await removeFile(this.#file);
    for (const server of this.#servers) await new Promise((resolve) => server.close(resolve));
  }

  /** A lock without a file, which ends with its process. */
  static withoutFile(server: Server): DirectoryLock {
    return new DirectoryLock([server]);
  }
}

interface LockFile {
  readonly path: string;
  readonly ino: number;
  /** Stays open, so that no other directory gets its number. */
  readonly directory: FileHandle;
}

async function removeFile({ path, ino, directory }: LockFile): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  // Where it stays, on a disk that can only be read by now, it is one that nobody answers.
  if (found?.ino === ino) await rm(path, { force: true }).catch(() => undefined);
  await directory.close();
}

function taken(directory: string): StartError {
  return new StartError(
    `another process uses ${directory}: end it, or name another directory by IRONCACHED_DATA_DIR`,
  );
}

// Undefined: the system has no such names.
async function takeName(directory: string, handle: FileHandle): Promise<Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = await handle.stat();
  try {
    return await listen(`\0ironcached-${dev}-${ino}`);
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw taken(directory);
    return undefined;
  }
}

// Windows has no such sockets, but pipes by name.
async function takePipe(directory: string): Promise<DirectoryLock> {
  const name = createHash('sha256').update(resolve(directory).toLowerCase()).digest('hex');
  try {
    const server = await listen(`\\\\.\\pipe\\ironcached-${name}`);
    if (server) return DirectoryLock.withoutFile(server);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
  }
  throw taken(directory);
}

// Resolves with nothing where there can be no socket.
async function listen(path: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    if (NO_SOCKETS.includes(codeOf(error))) return undefined;
    throw error;
  }
  return server.unref();
}

// On Linux an open directory has a short name, however long its path is.
function socketPath(directory: string, name: string, { fd }: FileHandle): string {
  const path = join(directory, name);
  if (path.length <= SOCKET_PATH_MAX || process.platform !== 'linux') return path;
  return `/proc/self/fd/${fd}/${name}`;
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

// By a rename, which only one of several processes can do. If it was not the dead one but one that was just taken, it
// is put back.
async function removeDead(directory: string, handle: FileHandle): Promise<void> {
  const aside = `${NAME}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(join(directory, NAME), join(directory, aside));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (await isAnswered(socketPath(directory, aside, handle))) {
    await tryLink(join(directory, aside), join(directory, NAME));
  }
  await rm(join(directory, aside), { force: true });
}
