// Each write costs some 0.1 ms beside what it writes, since another thread does it; with more than one frame in the
// processor's cache, what is written next would come from memory.
const STANDARD_BYTES = 512 * 1024;

// What is kept for later: as much as may wait to be brought to disk, and some more.
const SPARE_MAX = 40;

/** Room for frames, which is used again once they are written. */
export class FrameRoom {
  readonly #spare: Buffer[] = [];

  /** At least so much. */
  take(bytes: number): Buffer {
    if (bytes > STANDARD_BYTES) return Buffer.allocUnsafeSlow(bytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(STANDARD_BYTES);
  }

  /** Gives back room of which a frame was made. */
  give({ buffer, byteOffset }: Buffer): void {
    if (byteOffset !== 0 || buffer.byteLength !== STANDARD_BYTES || this.#spare.length >= SPARE_MAX) return;
    this.#spare.push(Buffer.from(buffer));
  }
}
