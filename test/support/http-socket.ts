import { connect, type Socket } from 'node:net';

/** One answer as it came over the wire. */
interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A plain TCP connection to the REST port, for what no HTTP client would send. */
export class HttpSocket {
  readonly socket: Socket;
  /** By which the connection failed. */
  error: Error | undefined;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    this.socket.on('error', (error) => {
      this.error = error;
      this.#end();
    });
    this.socket.on('close', () => this.#end());
    this.socket.on('end', () => this.#end());
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** The next answer, with the body that its content-length announces (none after HEAD). */
  async answer({ head = false } = {}): Promise<RawAnswer> {
    await this.#until(() => this.#received.includes('\r\n\r\n'));
    const headEnd = this.#received.indexOf('\r\n\r\n');
    const [first = '', ...lines] = this.#received.subarray(0, headEnd).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const length = head ? 0 : Number(headers.get('content-length') ?? 0);
    const end = headEnd + 4 + length;
    await this.#until(() => this.#received.length >= end);
    const body = this.#received.subarray(headEnd + 4, end).toString('utf8');
    this.#received = this.#received.subarray(end);
    return { status: Number(first.split(' ')[1]), headers, body };
  }

  /** What came behind the answers so far. */
  rest(): string {
    return this.#received.toString('utf8');
  }

  /** Resolves when the other side has ended the connection. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#news();
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #until(isThere: () => boolean): Promise<void> {
    while (!isThere()) {
      if (this.#ended) throw new Error(`the connection ended after: ${this.#received.toString('latin1')}`);
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}
