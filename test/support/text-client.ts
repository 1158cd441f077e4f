import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectByTls } from 'node:tls';
import { onTestFinished } from 'vitest';

/** A memcached client that knows nothing: it sends bytes and waits for bytes (one character each). */
export class TextClient {
  readonly socket: Socket;
  #received = '';
  #closed = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends and answers what comes up to and with `end`, or up to the close. */
  async ask(bytes: string | Buffer, end = '\r\n'): Promise<string> {
    this.send(bytes);
    return this.receive(end);
  }

  async receive(end = '\r\n'): Promise<string> {
    for (;;) {
      const at = this.#received.indexOf(end);
      if (at >= 0 || this.#closed) {
        const length = at >= 0 ? at + end.length : this.#received.length;
        const text = this.#received.slice(0, length);
        this.#received = this.#received.slice(length);
        return text;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Everything that comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.#closed) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#received;
  }
}

/** Connects; the socket is closed when the test ends. */
export async function textClient(
  port: number,
  options: { tls?: boolean | ConnectionOptions } = {},
): Promise<TextClient> {
  const tls = typeof options.tls === 'object' ? options.tls : {};
  const socket = options.tls
    ? connectByTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...tls })
    : connectPlain({ port, host: '127.0.0.1' });
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls ? 'secureConnect' : 'connect', () => resolve());
    socket.once('error', reject);
  });
  return new TextClient(socket);
}

/** The command that signs in. */
export function signIn(token: string, projectId: string, cacheName: string): string {
  const claim = Buffer.from(`${token} ${projectId} ${cacheName}`, 'utf8');
  return `set oauth 0 0 ${claim.length}\r\n${claim.toString('latin1')}\r\n`;
}
