import { connect, type Socket } from 'node:net';

/** The server is gone: whether what was asked was done is not known. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

/** A client of the text protocol that asks one thing at a time. */
export class LineClient {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #isGone = false;
  #news: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#news();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#isGone = true;
      this.#news();
    });
  }

  static open(port: number): Promise<LineClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', () => reject(new Gone('no connection')));
      socket.once('connect', () => resolve(new LineClient(socket)));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Sends a command, and answers the first line of what comes back. */
  async ask(command: string): Promise<string> {
    this.#socket.write(command, 'latin1');
    return this.line();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n');
      if (end >= 0) return this.#take(end + 2).slice(0, -2);
      await this.#wait();
    }
  }

  async bytes(length: number): Promise<string> {
    while (this.#received.length < length) await this.#wait();
    return this.#take(length);
  }

  #take(length: number): string {
    const taken = this.#received.toString('latin1', 0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  async #wait(): Promise<void> {
    if (this.#isGone) throw new Gone('the connection was closed');
    await new Promise<void>((resolve) => {
      this.#news = resolve;
    });
  }
}
