/** A session's side of its socket. */
export interface Connection {
  /** Sends bytes. True: it is done with them, so that they may be overwritten; else it calls `taken` once it is. */
  write(bytes: Buffer, taken: () => void): boolean;
  /** Bytes given to `write` that the client has not taken yet. */
  waiting(): number;
  /** Are they so many that `drained` will be called once there are none? */
  needsDrain(): boolean;
  /** Stops reading what the client sends, or goes on. */
  pause(): void;
  resume(): void;
  /** From here on the client has only so much time to take what waits for it; nothing goes on before. */
  expectDrain(): void;
  /** Sends what is waiting, then closes. */
  end(): void;
  /** Closes at once, because of a bug. */
  abort(error: unknown): void;
}
