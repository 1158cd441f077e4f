import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Readable, pipeline as startPipeline, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { codeOf, messageOf } from '../../thrown.ts';
import { ControlError } from '../control.ts';

type Pieces = AsyncIterable<Uint8Array>;

/**
 * Writes a file that its owner alone can read, since values may be secrets. It has its name when it is whole
 * and safe on the disk; until then, what was there before stays. A name that ends in .gz is compressed.
 * Throws ControlError, which names the file, where there is no place for it, or no more.
 */
export async function writeDumpFile(path: string, pieces: Pieces, signal: AbortSignal): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new ControlError(`${path} is a directory: name a file in it`);
  const bytes = path.endsWith('.gz') ? startPipeline(pieces, createGzip(), () => {}) : pieces;
  // A file must not take the place of a device or a pipe.
  const write =
    found && !found.isFile()
      ? pipeline(bytes, createWriteStream(path), { signal })
      : writeWhole(path, bytes, signal);
  await write.catch((error: unknown) => {
    throw ofOutput(path, error);
  });
}

async function writeWhole(path: string, bytes: Pieces, signal: AbortSignal): Promise<void> {
  const place = await placeOf(path);
  // The number of a process is no name for it: in containers, others have the same, and one may have been killed.
  const unfinished = join(dirname(place), `.${basename(place)}.${randomBytes(4).toString('hex')}.part`);
  const file = await open(unfinished, 'wx', 0o600);
  try {
    await pipeline(bytes, file.createWriteStream({ flush: true }), { signal });
    await rename(unfinished, place);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

// A link may lead to another disk, with more room, also where nothing is there yet.
async function placeOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const target = codeOf(error) === 'ENOENT' ? await readlink(path).catch(() => undefined) : undefined;
    return target === undefined ? path : placeOf(resolve(await realpath(dirname(path)), target));
  }
}

// What the items come from tells its own failures without a call of the system. That the reader of a pipe has had
// enough is known by its code.
function ofOutput(name: string, error: unknown): unknown {
  const isOutput = error instanceof Error && 'syscall' in error && codeOf(error) !== 'EPIPE';
  return isOutput ? new ControlError(`${name} cannot be written: ${messageOf(error)}`) : error;
}

/** Writes to standard output, or what stands for it, which stays open. Throws ControlError where it takes no more. */
export async function writeDump(
  output: Writable,
  pieces: Pieces | readonly string[],
  signal: AbortSignal,
): Promise<void> {
  // By itself, a pipeline that is told to stop waits until an output that stays open has taken what it has.
  const stopped = once(signal, 'abort').then(() => signal.throwIfAborted());
  const written = pipeline(pieces, output, { end: false }).catch((error: unknown) => {
    throw ofOutput('standard output', error);
  });
  await Promise.race([written, stopped]);
}

/**
 * The bytes of a file, or of standard input; gzip is recognised by its first byte. Throws ControlError, which names the
 * file: otherwise the failure would be taken for one of the server that the bytes go to.
 */
export async function* readDump(source: string | Readable): AsyncGenerator<Buffer> {
  const [name, stream] =
    typeof source === 'string' ? [source, createReadStream(source)] : ['standard input', source];
  try {
    // What Node gives for an input of no kind that it knows, such as a directory, ends without it.
    await Promise.race([once(stream, 'readable'), once(stream, 'end')]);
    const first: Buffer | null = stream.read(1);
    if (first) stream.unshift(first);
    yield* first?.[0] === GZIP ? startPipeline(stream, createGunzip(), () => {}) : stream;
  } catch (error) {
    throw new ControlError(`${name} cannot be read: ${messageOf(error)}`);
  }
}

const GZIP = 0x1f;
