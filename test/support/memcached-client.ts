import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Bytes of the text protocol, as one character per byte. */
export type Bytes = string;

// Far above what any answer takes; a test that waits longer has found a hang.
const ANSWER_TIMEOUT_MS = 5_000;

// Of a long message only the two ends are worth a packet per byte; between them is a value.
const BYTEWISE_BYTES = 600;
const PIECE_BYTES = 1_021;

/** A memcached client that knows nothing: it sends bytes and shows what came back. */
export class MemcachedClient {
  readonly socket: Socket;
  // What came and was not taken is #buffer[#start, #end).
  #buffer = Buffer.alloc(1024);
  #start = 0;
  #end = 0;
  #closed = false;
  #news: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#keep(chunk);
      this.#news();
    });
    // A server that closes while we still send resets the connection: that is a close, too.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#close());
    socket.on('end', () => this.#close());
  }

  static connect(port: number, options: { allowHalfOpen?: boolean } = {}): Promise<MemcachedClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...options });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new MemcachedClient(socket));
      });
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What came and was not taken yet. */
  get unread(): Bytes {
    return this.#buffer.toString('latin1', this.#start, this.#end);
  }

  /** How many bytes came and were not taken yet. */
  get unreadLength(): number {
    return this.#end - this.#start;
  }

  send(bytes: Bytes): void {
    if (!this.socket.destroyed) this.socket.write(bytes, 'latin1');
  }

  /** Sends each byte as a packet of its own (but for the middle of what is long). */
  async sendByteByByte(bytes: Bytes): Promise<void> {
    for (const piece of pieces(bytes)) {
      this.send(piece);
      await nextTurn();
    }
  }

  /** Takes the next bytes, as many as were expected; the rest as it is if the connection closes. */
  take(length: number): Promise<Bytes> {
    return this.#takeWhen(() => (this.unreadLength >= length ? length : undefined));
  }

  /** Takes everything up to the first `mark`, and that. */
  takeThrough(mark: Bytes): Promise<Bytes> {
    let searched = 0;
    return this.#takeWhen(() => {
      const unread = this.#buffer.subarray(this.#start, this.#end);
      const at = unread.indexOf(mark, searched, 'latin1');
      searched = Math.max(0, unread.length - mark.length);
      return at < 0 ? undefined : at + mark.length;
    });
  }

  line(): Promise<Bytes> {
    return this.takeThrough('\r\n');
  }

  /** Sends a command that is answered with one line. */
  ask(bytes: Bytes): Promise<Bytes> {
    this.send(bytes);
    return this.line();
  }

  /** Waits for the connection's end and takes what came before it. */
  rest(): Promise<Bytes> {
    return this.#takeWhen(() => (this.#closed ? this.unreadLength : undefined));
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #takeWhen(ready: () => number | undefined): Promise<Bytes> {
    const deadline = setTimeout(() => {
      late = true;
      this.#news();
    }, ANSWER_TIMEOUT_MS);
    let late = false;
    try {
      for (;;) {
        const length = ready() ?? (this.#closed ? this.unreadLength : undefined);
        if (length !== undefined) return this.#shift(length);
        if (late) throw new Error(`no answer within ${ANSWER_TIMEOUT_MS} ms; so far ${shown(this.unread)}`);
        await new Promise<void>((resolve) => {
          this.#news = resolve;
        });
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  #shift(length: number): Bytes {
    const taken = this.#buffer.toString('latin1', this.#start, this.#start + length);
    this.#start += length;
    return taken;
  }

  #keep(chunk: Buffer): void {
    if (this.#end + chunk.length > this.#buffer.length) {
      const larger = Buffer.alloc(2 * (this.unreadLength + chunk.length));
      this.#end = this.#buffer.copy(larger, 0, this.#start, this.#end);
      this.#start = 0;
      this.#buffer = larger;
    }
    this.#end += chunk.copy(this.#buffer, this.#end);
  }

  #close(): void {
    this.#closed = true;
    this.#news();
  }
}

/** Bytes as a person reads them, cut where they get long. */
function shown(bytes: Bytes): string {
  const text = JSON.stringify(bytes);
  return text.length <= 300 ? text : `${text.slice(0, 200)} … ${text.slice(-80)} (${bytes.length} bytes)`;
}

function* pieces(bytes: Bytes): Generator<Bytes> {
  const headEnd = bytes.length <= 2 * BYTEWISE_BYTES ? bytes.length : BYTEWISE_BYTES;
  const tailStart = Math.max(headEnd, bytes.length - BYTEWISE_BYTES);
  for (let i = 0; i < headEnd; i++) yield bytes.charAt(i);
  for (let i = headEnd; i < tailStart; i += PIECE_BYTES)
    yield bytes.slice(i, Math.min(i + PIECE_BYTES, tailStart));
  for (let i = tailStart; i < bytes.length; i++) yield bytes.charAt(i);
}
