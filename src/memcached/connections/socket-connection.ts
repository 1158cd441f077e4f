import type { Socket } from 'node:net';
import type { DirectSocket, DirectWrites } from '../../sockets/direct-writes.ts';
import type { Connection } from './connection.ts';

interface SocketConnectionParts {
  readonly socket: Socket;
  readonly writes: DirectWrites;
  /** Counts what all clients were sent. */
  readonly counted: { written: number };
  /** How long a client may leave unread what waits for it. */
  readonly stallTimeoutMs: number;
  /** How long it may be silent when it is its turn; 0: for ever. */
  readonly idleTimeoutMs: number;
  /** Told when what `needsDrain` spoke of has been taken, where the socket emits no `drain`. */
  readonly drained: () => void;
  /** Told when the last answer was sent. */
  readonly ended: () => void;
  /** Closes the connection, because of a bug. */
  readonly abort: (error: unknown) => void;
}

/** A session's side of a socket. */
export class SocketConnection implements Connection {
  readonly #parts: SocketConnectionParts;
  readonly #socket: Socket;
  readonly #direct: DirectSocket | undefined;
  /** Bytes that were written directly, of which the system has not taken all yet. */
  #queuedBytes = 0;
  /** May anything be waiting for the client? If not, the socket need not be asked. */
  #isBehind = false;
  /** Told when the system has what was written directly. */
  #taken: (() => void) | undefined;
  readonly #whenSent = () => this.#sent();

  constructor(parts: SocketConnectionParts) {
    this.#parts = parts;
    this.#socket = parts.socket;
    this.#direct = parts.writes.open(parts.socket);
  }

  write(bytes: Buffer, taken: () => void): boolean {
    this.#parts.counted.written += bytes.length;
    if (this.waiting() > 0 || !this.#direct) return this.#writeToStream(bytes, taken);
    const written = this.#parts.writes.write(this.#direct, bytes, this.#whenSent);
    if (written === 'not_written') return this.#writeToStream(bytes, taken);
    this.#isBehind = written === 'queued';
    if (this.#isBehind) {
      this.#queuedBytes = bytes.length;
      this.#taken = taken;
    }
    return !this.#isBehind;
  }

  waiting(): number {
    if (!this.#isBehind) return 0;
    const waiting = this.#queuedBytes + this.#socket.writableLength;
    this.#isBehind = waiting > 0;
    return waiting;
  }

  needsDrain(): boolean {
    return this.#isBehind && (this.#queuedBytes > 0 || this.#socket.writableNeedDrain);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    // A client that was sent its last answer still has only so much time to read it.
    if (!this.#socket.writableEnded) this.#socket.setTimeout(this.#parts.idleTimeoutMs);
    this.#socket.resume();
  }

  expectDrain(): void {
    this.#socket.setTimeout(this.#parts.stallTimeoutMs);
  }

  end(): void {
    // Who has ended its side, and was sent everything, needs no end of ours before the close. Node's way to it, and a
    // system call, are a twentieth of a connection that signs in and asks once.
    if (this.#direct && this.#socket.readableEnded && this.#isAllSent()) {
      this.#socket.destroy();
      return;
    }
    this.expectDrain();
    this.#socket.end(this.#parts.ended);
  }

  abort(error: unknown): void {
    this.#parts.abort(error);
  }

  // Others may have written to the socket, too: whoever tells the client why it is not served.
  #isAllSent(): boolean {
    return this.waiting() === 0 && this.#socket.writableLength === 0;
  }

  #writeToStream(bytes: Buffer, taken: () => void): boolean {
    let isDone = false;
    this.#socket.write(bytes, () => {
      if (!isDone) taken();
    });
    this.#isBehind = true;
    isDone = this.waiting() === 0;
    return isDone;
  }

  #sent(): void {
    this.#queuedBytes = 0;
    this.#taken?.();
    this.#taken = undefined;
    if (!this.#socket.writableNeedDrain) this.#parts.drained();
  }
}
