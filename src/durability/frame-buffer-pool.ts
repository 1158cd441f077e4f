// Large, since each write costs some 0.1 ms besides (another thread does it); small enough that the frame stays in the
// processor's cache.
const STANDARD_BYTES = 512 * 1024;

// How many are kept for later: as much as may wait to be brought to disk, and some more.
const SPARE_MAX = 40;

/** Buffers of frames, which are used again once those are written. */
export class FrameBufferPool {
  readonly #spare: Buffer[] = [];

  /** At least so much. */
  take(bytes: number): Buffer {
    if (bytes > STANDARD_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(STANDARD_BYTES);
  }

  /** Gives back a buffer of which a frame was made. */
  give({ buffer, byteOffset }: Buffer): void {
    if (byteOffset !== 0 || buffer.byteLength !== STANDARD_BYTES || this.#spare.length >= SPARE_MAX) return;
    this.#spare.push(Buffer.from(buffer));
  }
}
