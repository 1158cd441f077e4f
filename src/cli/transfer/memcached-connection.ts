import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { messageOf } from '../../thrown.ts';
import { ControlError } from '../control.ts';
import type { MemcachedAddress } from './invocation.ts';

/** How long a memcached may leave us without the answer that is due. */
const SILENCE_MS = 30_000;

const LINE_FEED = 0x0a;

/** A connection to a memcached, of which no more is read than is asked for. Throws ControlError. */
export class MemcachedConnection {
  readonly #name: string;
  readonly #socket: Socket;
  readonly #pieces: AsyncIterator<Buffer>;
  /** What was read and not taken yet. */
  #piece: Buffer = Buffer.alloc(0);
  #at = 0;

  private constructor(name: string, socket: Socket) {
    this.#name = name;
    this.#socket = socket;
    this.#pieces = socket[Symbol.asyncIterator]();
    socket.on('error', () => {});
  }

  static async connect({ host, port }: MemcachedAddress): Promise<MemcachedConnection> {
    const name = `the memcached at ${host.includes(':') ? `[${host}]` : host}:${port}`;
    const socket = connect({ host, port, noDelay: true });
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(SILENCE_MS) });
    } catch (error) {
      socket.destroy();
      throw new ControlError(`${name} cannot be reached: ${error instanceof Error ? error.message : ''}`);
    }
    return new MemcachedConnection(name, socket);
  }

  /** Sends a command; one character a byte. */
  send(command: string): void {
    this.#socket.write(command, 'latin1');
  }

  /** The next line, without its end; one character a byte. */
  async line(): Promise<string> {
    let end = this.#piece.indexOf(LINE_FEED, this.#at);
    for (; end === -1; end = this.#piece.indexOf(LINE_FEED, this.#at)) await this.#readOn();
    const line = this.#piece.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  /** So many bytes of data; the line end behind them is passed over. */
  async data(length: number): Promise<Buffer> {
    const data = Buffer.allocUnsafe(length);
    let filled = 0;
    while (filled < length) {
      if (this.#at === this.#piece.length) await this.#readOn();
      const copied = this.#piece.copy(data, filled, this.#at);
      this.#at += Math.min(copied, this.#piece.length - this.#at);
      filled += copied;
    }
    if ((await this.line()) !== '') throw this.failure('its answer cannot be understood');
    return data;
  }

  failure(what: string): ControlError {
    return new ControlError(`${this.#name}: ${what}`);
  }

  close(): void {
    this.#socket.destroy();
  }

  // Puts more behind what is left.
  async #readOn(): Promise<void> {
    const timer = setTimeout(() => this.#socket.destroy(new Error('it is silent')), SILENCE_MS);
    try {
      const { value, done } = await this.#pieces.next();
      if (done) throw new Error('it ended the connection');
      this.#piece =
        this.#at === this.#piece.length ? value : Buffer.concat([this.#piece.subarray(this.#at), value]);
      this.#at = 0;
    } catch (error) {
      throw this.failure(messageOf(error));
    } finally {
      clearTimeout(timer);
    }
  }
}
