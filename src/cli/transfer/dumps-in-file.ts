import type { Origin } from '../../dump/first-and-last-line.ts';
import { isBlank, readLine } from '../../dump/line.ts';
import { LineMistake } from '../../dump/line-mistake.ts';
import { LineSplitter } from '../../dump/line-splitter.ts';
import { ControlError } from '../control.ts';

/** One dump of those that a file has, one behind the other. */
export interface DumpInFile {
  readonly origin: Origin;
  /** The number of its first line in the file; that of the file's first is 1. */
  readonly line: number;
  /** All its lines, many at a time; they end early where the file does. */
  readonly pieces: AsyncIterable<Buffer>;
}

/** Longer than any line that a service takes, whatever its settings. */
const LINE_BYTES_MAX = 1024 * 1024 * 1024;

const PIECE_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);
const LINE_FEED = Buffer.from('\n');

/** A last line is short, and has what most others do not have. */
const LAST_LINE_BYTES_MAX = 200;
const END = '"end"';

/**
 * The dumps of a file. The pieces of each have to be taken before the next is asked for. `onItem` is told of
 * each item as it goes on its way. Throws ControlError where a line should be the first of a dump, and is not, or is
 * too long.
 */
export async function* dumpsIn(
  bytes: AsyncIterable<Buffer>,
  onItem: (bytes: number) => void,
  lineBytesMax = LINE_BYTES_MAX,
): AsyncGenerator<DumpInFile> {
  const lines = new FileLines(bytes, lineBytesMax);
  try {
    for (let first = await lines.next(); first; first = await lines.next()) {
      if (isBlank(first)) continue;
      const line = lines.count;
      yield { origin: originOf(first, line), line, pieces: piecesOf(first, lines, onItem) };
    }
  } finally {
    lines.close();
  }
}

async function* piecesOf(
  first: Buffer,
  lines: FileLines,
  onItem: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let piece: Buffer[] = [first, lines.end];
  let length = first.length + lines.end.length;
  for (let line = await lines.next(); line; line = await lines.next()) {
    const before = length;
    piece.push(line, lines.end);
    length += line.length + lines.end.length;
    if (isLast(line)) break;
    onItem(length - before);
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(piece, length);
    piece = [];
    length = 0;
  }
  yield Buffer.concat(piece, length);
}

/** The lines of a file, one after the other. */
class FileLines {
  /** How many were taken. */
  count = 0;
  /** What ended the line that was taken: nothing, where the file ended. */
  end: Buffer = LINE_FEED;
  readonly #bytes: AsyncIterator<Buffer>;
  readonly #splitter: LineSplitter;
  #ready: Iterator<Buffer, undefined> = [][Symbol.iterator]();
  #isOver = false;

  constructor(bytes: AsyncIterable<Buffer>, lineBytesMax: number) {
    this.#bytes = bytes[Symbol.asyncIterator]();
    this.#splitter = new LineSplitter(lineBytesMax);
  }

  async next(): Promise<Buffer | undefined> {
    for (;;) {
      const line = this.#nextReady();
      if (line) {
        this.count++;
        return line;
      }
      if (this.#isOver) return undefined;
      await this.#readOn();
    }
  }

  /** Not waited for: what is read just now may be long in coming. */
  close(): void {
    void this.#bytes.return?.();
  }

  #nextReady(): Buffer | undefined {
    try {
      return this.#ready.next().value;
    } catch (error) {
      throw inLine(this.count + 1, error);
    }
  }

  async #readOn(): Promise<void> {
    const { value, done } = await this.#bytes.next();
    if (!done) {
      this.#ready = this.#splitter.split(value);
      return;
    }
    this.#isOver = true;
    this.end = NOTHING;
    const rest = this.#splitter.rest();
    if (rest.length > 0) this.#ready = [rest][Symbol.iterator]();
  }
}

function originOf(first: Buffer, line: number): Origin {
  try {
    const read = readLine(first);
    if (read.is === 'first') return read.origin;
    throw new LineMistake('is not the first line of a dump');
  } catch (error) {
    throw inLine(line, error);
  }
}

function inLine(line: number, error: unknown): unknown {
  return error instanceof LineMistake ? new ControlError(`line ${line} ${error.message}`) : error;
}

function isLast(line: Buffer): boolean {
  if (line.length > LAST_LINE_BYTES_MAX || !line.includes(END)) return false;
  try {
    return readLine(line).is === 'last';
  } catch {
    return false;
  }
}
