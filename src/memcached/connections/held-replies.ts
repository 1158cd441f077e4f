import type { CommitGate } from '../../engine/commit-gate.ts';
import type { Connection } from './connection.ts';

// Up to here replies are copied while they wait, since the buffer that they were gathered in is much larger.
const COPIED_BYTES_MAX = 16 * 1024;

interface HeldRepliesParts {
  readonly connection: Connection;
  readonly gate: CommitGate;
  /** Told when no reply waits any more. */
  readonly released: () => void;
}

/**
 * A connection whose replies wait until the changes they confirm are kept. If these cannot be kept, it is closed
 * without the replies, so that the client does not know whether its changes were made.
 */
export class HeldReplies implements Connection {
  readonly #parts: HeldRepliesParts;
  readonly #held: { readonly bytes: Buffer; readonly taken: () => void }[] = [];
  #heldBytes = 0;
  #isEnding = false;
  #isDropped = false;

  constructor(parts: HeldRepliesParts) {
    this.#parts = parts;
  }

  write(bytes: Buffer, taken: () => void): boolean {
    const { connection, gate } = this.#parts;
    if (this.#isDropped) return true;
    if (this.#held.length === 0 && gate.isOpen) return connection.write(bytes, taken);
    const isCopied = bytes.length <= COPIED_BYTES_MAX;
    this.#held.push(isCopied ? { bytes: Buffer.from(bytes), taken: NOTHING } : { bytes, taken });
    this.#heldBytes += bytes.length;
    gate.wait((isKept) => (isKept ? this.#release() : this.#drop()));
    return isCopied;
  }

  waiting(): number {
    return this.#parts.connection.waiting() + this.#heldBytes;
  }

  needsDrain(): boolean {
    return this.#parts.connection.needsDrain();
  }

  pause(): void {
    this.#parts.connection.pause();
  }

  resume(): void {
    this.#parts.connection.resume();
  }

  expectDrain(): void {
    this.#parts.connection.expectDrain();
  }

  end(): void {
    if (this.#held.length > 0) this.#isEnding = true;
    else this.#parts.connection.end();
  }

  abort(error: unknown): void {
    this.#parts.connection.abort(error);
  }

  // What waited first: the gate tells in the order in which it was asked.
  #release(): void {
    const next = this.#held.shift();
    if (!next) return;
    const { bytes, taken } = next;
    const { connection, released } = this.#parts;
    this.#heldBytes -= bytes.length;
    if (connection.write(bytes, taken)) taken();
    if (this.#held.length > 0) return;
    if (this.#isEnding) connection.end();
    else if (!connection.needsDrain()) released();
  }

  #drop(): void {
    if (this.#isDropped) return;
    this.#isDropped = true;
    for (const { taken } of this.#held.splice(0)) taken();
    this.#heldBytes = 0;
    this.#parts.connection.end();
  }
}

const NOTHING = () => undefined;
