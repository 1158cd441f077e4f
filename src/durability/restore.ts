import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { Clock, Moment } from '../engine/clock.ts';
import { Refusal } from '../engine/errors.ts';
import type { JournaledStore } from '../engine/journal.ts';
import { StartError } from '../start-error.ts';
import type { DurabilityLogger } from './durability-logger.ts';
import { FILE_HEADER_BYTES } from './file-header.ts';
import { FRAME_HEADER_BYTES } from './frame.ts';
import type { GenerationFile, ItemDirectory } from './item-directory.ts';
import { type Frame, LogReader } from './log-reader.ts';
import { Replay } from './replay.ts';
import { removeSuperseded } from './superseded.ts';
import { cutOff } from './torn-end.ts';

interface RestoreParts {
  readonly directory: ItemDirectory;
  readonly store: JournaledStore;
  readonly clock: Clock & Moment;
  readonly log: Pick<DurabilityLogger, 'info' | 'warn'>;
  /** Told after every frame. */
  readonly progressed: (progress: Progress) => void;
  /** Asked after every frame; true ends it. */
  readonly isOver: () => boolean;
}

export interface Progress {
  readonly items: number;
  readonly bytes: number;
  readonly bytesOfAll: number;
}

/** What was found, and what going on needs to know. */
export interface Restored {
  readonly bytes: number;
  /** Bytes of the last file that says everything by itself, up to there. */
  readonly baseBytes: number;
  readonly nextSequence: number;
  /** To be called once the store tells its changes: plans the clears that were to come. */
  readonly planClears: () => void;
}

/** Puts what the files of a directory say into an empty store. Rejects with StartError. */
export async function restore(parts: RestoreParts): Promise<Restored> {
  const { files, superseded } = await filesToRead(parts);
  let bytesOfAll = 0;
  for (const file of files) bytesOfAll += (await stat(parts.directory.pathOf(file))).size;
  const restored = await new Restoring(parts, files, bytesOfAll).run();
  // Not before: if the base is damaged, a repair has need of them.
  await removeSuperseded(parts, superseded);
  return restored;
}

// The last base and what follows it; and what is older. What was never finished is removed.
async function filesToRead({ directory, log }: RestoreParts) {
  const found = await directory.list();
  const isUsable = ({ kind }: GenerationFile) => kind === 'log' || kind === 'base';
  const unfinished = found.filter((file) => !isUsable(file));
  if (unfinished.length > 0) {
    const details = { files: unfinished.map((file) => directory.pathOf(file)) };
    log.info(details, 'a snapshot or repair that was not finished is removed');
    await directory.remove(unfinished);
  }
  const usable = found.filter(isUsable);
  const start = Math.max(
    0,
    usable.findLastIndex(({ kind }) => kind === 'base'),
  );
  const files = usable.slice(start);
  const [first] = files;
  if (first && first.kind !== 'base' && first.generation !== 1) {
    throw new StartError(
      `${directory.pathOf(first)} goes on where a file ended that is missing: put that back, or have what is there read by ironcached repair`,
    );
  }
  return { files, superseded: usable.slice(0, start) };
}

/** Says in the log how far it is. `started`: by performance.now. */
export function tellProgress(
  log: RestoreParts['log'],
  progress: Progress | undefined,
  started: number,
): void {
  const { items = 0, bytes = 0, bytesOfAll = 0 } = progress ?? {};
  const percent = bytesOfAll === 0 ? 0 : Math.floor((100 * bytes) / bytesOfAll);
  const perSecond = Math.round((1000 * items) / (performance.now() - started));
  log.info({ percent, items, bytes, bytesOfAll, perSecond }, 'restoring items');
}

class Restoring {
  readonly #parts: RestoreParts;
  readonly #files: readonly GenerationFile[];
  readonly #replay: Replay;
  readonly #bytesOfAll: number;
  #bytes = 0;
  #baseBytes = 0;
  #nextSequence = 0;

  constructor(parts: RestoreParts, files: readonly GenerationFile[], bytesOfAll: number) {
    this.#parts = parts;
    this.#files = files;
    this.#replay = new Replay(parts.store, parts.clock);
    this.#bytesOfAll = bytesOfAll;
  }

  async run(): Promise<Restored> {
    for (const [i, file] of this.#files.entries()) await this.#readFile(i, file);
    this.#replay.finish();
    const { strays } = this.#replay;
    if (strays > 0) this.#parts.log.warn({ items: strays }, 'items of unknown caches were left out');
    return {
      bytes: this.#bytes,
      baseBytes: this.#baseBytes,
      nextSequence: this.#nextSequence,
      planClears: () => this.#replay.planClears(),
    };
  }

  // One is open at a time: there may be more of them than the system lets be open, after a night of starts that failed.
  async #readFile(i: number, file: GenerationFile): Promise<void> {
    const reader = await LogReader.open(this.#parts.directory.pathOf(file));
    try {
      await this.#read(reader, i, file);
    } finally {
      await reader.close();
    }
  }

  async #read(reader: LogReader, i: number, file: GenerationFile): Promise<void> {
    const path = this.#parts.directory.pathOf(file);
    const { header } = reader;
    const isLast = i === this.#files.length - 1;
    if (typeof header === 'string' && isLast && file.kind === 'log' && reader.size <= FILE_HEADER_BYTES) {
      await this.#removeEmpty(file, path);
      return;
    }
    if (typeof header === 'string') throw unreadable(path, header);
    if (i === 0) this.#nextSequence = header.firstSequence;
    if (header.firstSequence !== this.#nextSequence || header.generation !== file.generation) {
      throw unreadable(path, 'it does not go on where the file before it ended');
    }
    await this.#readFrames(reader, path);
    if (file.kind === 'base' && !this.#replay.isComplete) {
      throw unreadable(
        path,
        `only the first ${reader.offset} of ${reader.size} bytes can be, and more is needed`,
      );
    }
    if (reader.offset < reader.size) await this.#judgeEnd(reader, file, isLast);
    if (isLast) await reader.sync();
  }

  // A crash may leave the last file without its header: then nothing was written to it yet.
  async #removeEmpty(file: GenerationFile, path: string): Promise<void> {
    this.#parts.log.warn({ file: path }, 'a file that a crash left without anything in it is removed');
    await this.#parts.directory.remove([file]);
  }

  async #readFrames(reader: LogReader, path: string): Promise<void> {
    const before = this.#bytes;
    let following = await reader.next();
    while (following) {
      const frame = following;
      const { offset } = reader;
      if (frame.sequence !== this.#nextSequence) {
        throw unreadable(path, `something is missing before byte ${frame.offset}`);
      }
      following = await reader.next();
      this.#nextSequence++;
      this.#replayFrame(frame, path, following?.begunAt);
      this.#bytes = before + offset;
      if (this.#replay.isComplete && this.#baseBytes === 0) this.#baseBytes = offset;
      const { progressed, isOver } = this.#parts;
      progressed({ items: this.#replay.items, bytes: this.#bytes, bytesOfAll: this.#bytesOfAll });
      if (isOver()) throw new StartError('stopped while the items were restored');
    }
  }

  #replayFrame(frame: Frame, path: string, endedBy: number | undefined): void {
    try {
      this.#replay.frame(frame.body, frame, endedBy);
    } catch (error) {
      if (error instanceof Refusal) {
        throw new StartError(
          `the items do not fit, since some may not make room (${error.message}): raise IRONCACHED_MEMORY_LIMIT`,
        );
      }
      if (error instanceof RangeError) throw unreadable(path, `byte ${frame.offset}: ${error.message}`);
      throw error;
    }
  }

  // A crash cuts short only what was written last and is not known to be on disk. Anything else is damage.
  async #judgeEnd(reader: LogReader, file: GenerationFile, isLast: boolean): Promise<void> {
    const { directory, log } = this.#parts;
    const path = directory.pathOf(file);
    const { offset } = reader;
    let readable = 0;
    let isDamage = !isLast;
    for (let frame = await reader.search(); frame; frame = await reader.search()) {
      readable += FRAME_HEADER_BYTES + frame.body.length;
      isDamage ||= frame.kept === 0 || frame.kept > this.#nextSequence;
    }
    if (isDamage) {
      const behind = readable > 0 ? `; ${readable} bytes behind that are readable` : '';
      throw unreadable(path, `it is damaged at byte ${offset} of ${reader.size}${behind}`);
    }
    const kept = directory.tornPathOf(file);
    await cutOff(path, offset, kept);
    log.warn(
      { file: path, bytes: reader.size - offset, readable, kept },
      'the end of what was written last is damaged, as after a crash: it is cut off',
    );
  }
}

function unreadable(path: string, reason: string): StartError {
  return new StartError(
    `${path} cannot be read: ${reason}. Put a copy back, or have what is readable saved by ironcached repair`,
  );
}
