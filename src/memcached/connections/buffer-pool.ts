/** How long a buffer replies have at first. */
const STANDARD_BYTES = 256 * 1024;

// Each length of buffers that are kept is twice the one before; what needs more than the last gets a buffer of its own.
const SMALLEST_BYTES = 16 * 1024;
const LARGEST_BYTES = 4 * 1024 * 1024;

// Up to this length, all views of a buffer are kept, since making one takes as long as finding a command's handler; of
// longer ones only the last, since values of one kind often have one length.
const KEPT_VIEW_BYTES_MAX = 512;

/** Some memory for replies on their way, or for a value that comes in pieces. */
export class PooledBuffer {
  readonly bytes: Buffer;
  /** Gives it back. */
  readonly giveBack: () => void;
  readonly #views: Buffer[] = [];
  #longView: Buffer | undefined;

  constructor(length: number, giveBack: (buffer: PooledBuffer) => void) {
    this.bytes = Buffer.allocUnsafeSlow(length);
    this.giveBack = () => giveBack(this);
  }

  /** Its first bytes. */
  first(length: number): Buffer {
    if (length <= KEPT_VIEW_BYTES_MAX) {
      this.#views[length] ??= this.bytes.subarray(0, length);
      return this.#views[length];
    }
    if (this.#longView?.length !== length) this.#longView = this.bytes.subarray(0, length);
    return this.#longView;
  }
}

/**
 * Buffers that sessions share: a silent client has none, and new ones are rarely made. V8 gives their memory back late,
 * and collects everything the more often: without them, a get of 300 KB took twice the processor's time, a set thrice.
 */
export class BufferPool {
  // One always stays, so that V8 does not forget their shape: see LastOfKind.
  readonly #standard = new Spare(STANDARD_BYTES, 1);
  readonly #spares: readonly Spare[] = lengths().map((length) =>
    length === STANDARD_BYTES ? this.#standard : new Spare(length, 0),
  );

  /** A buffer for so many bytes, or for replies of usual length. Give it back, once. */
  take(bytes?: number): PooledBuffer {
    if (bytes === undefined) return this.#standard.take();
    const spare = this.#spares.find(({ length }) => bytes <= length);
    return spare?.take() ?? new PooledBuffer(bytes, () => undefined);
  }

  /** Lets go of what was not needed since this was called last. */
  trim(): void {
    for (const spare of this.#spares) spare.trim();
  }
}

function lengths(): number[] {
  const all = [];
  for (let length = SMALLEST_BYTES; length <= LARGEST_BYTES; length *= 2) all.push(length);
  return all;
}

/** Buffers of one length that nobody uses. */
class Spare {
  readonly length: number;
  readonly #least: number;
  readonly #buffers: PooledBuffer[] = [];
  /** The fewest that there were at any time since the last trim. */
  #fewest = 0;
  readonly #give = (buffer: PooledBuffer) => {
    this.#buffers.push(buffer);
  };

  constructor(length: number, least: number) {
    this.length = length;
    this.#least = least;
  }

  take(): PooledBuffer {
    const buffer = this.#buffers.pop();
    this.#fewest = Math.min(this.#fewest, this.#buffers.length);
    return buffer ?? new PooledBuffer(this.length, this.#give);
  }

  trim(): void {
    this.#buffers.splice(0, Math.max(this.#fewest - this.#least, 0));
    this.#fewest = this.#buffers.length;
  }
}
