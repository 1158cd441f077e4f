import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { TokenBook } from '../auth/token-book.ts';
import type { Engine } from '../engine/engine.ts';
import { ReplyRoom } from './reply-buffer.ts';
import type { ServerStatus } from './server-status.ts';
import { type Connection, Session } from './session.ts';

export interface ListenerLimits {
  readonly connectionsMax: number;
  /** Milliseconds after which a silent connection is closed; 0 is never. */
  readonly idleTimeoutMs: number;
  readonly lineBytesMax: number;
  readonly unansweredBytesMax: number;
  readonly signInFailuresMax: number;
  readonly signInDelayMs: number;
}

export interface ListenerParts {
  readonly engine: Engine;
  readonly tokens: TokenBook;
  readonly limits: ListenerLimits;
  readonly version: string;
  readonly memoryBytesMax: number;
  readonly log: ListenerLog;
}

/** What of a logger the listener needs; pino's is one. */
export interface ListenerLog {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

// The first byte of every request of the binary protocol.
const BINARY_MAGIC = 0x80;

/** The memcached door: sockets, their limits, and their orderly end. */
export class MemcachedListener {
  readonly #parts: ListenerParts;
  readonly #server: Server;
  readonly #room = new ReplyRoom();
  readonly #sessions = new Map<Socket, Session>();
  readonly #status: ServerStatus;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#status = {
      startedAt: parts.engine.now(),
      version: parts.version,
      maxConnections: parts.limits.connectionsMax,
      valueBytesMax: parts.engine.limits.valueBytesMax,
      memoryBytesMax: parts.memoryBytesMax,
      idleTimeoutSeconds: parts.limits.idleTimeoutMs / 1000,
      address: { host: '', port: 0 },
      connections: { current: 0, total: 0, rejected: 0 },
      bytes: { read: 0, written: 0 },
      signIns: { total: 0, failed: 0 },
    };
  }

  /** Resolves with the port once it listens. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const { port: bound } = this.#server.address() as AddressInfo;
    this.#status.address = { host, port: bound };
    return bound;
  }

  /** Takes no new connections, lets every client have its answers, and cuts off who is left in the end. */
  async stop(timeoutMs: number): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const session of this.#sessions.values()) session.stop();
    const timer = setTimeout(() => {
      for (const socket of this.#sessions.keys()) socket.destroy();
    }, timeoutMs);
    await closed;
    clearTimeout(timer);
  }

  #accept(socket: Socket): void {
    const { connections, bytes } = this.#status;
    // A client that resets its connection has no use for anything we could do about it.
    socket.on('error', () => socket.destroy());
    if (connections.current >= this.#parts.limits.connectionsMax) {
      connections.rejected++;
      socket.end('ERROR Too many open connections\r\n');
      return;
    }
    connections.current++;
    connections.total++;
    const session = this.#open(socket);
    this.#sessions.set(socket, session);
    let isFirst = true;
    socket.on('data', (chunk: Buffer) => {
      bytes.read += chunk.length;
      if (isFirst && chunk[0] === BINARY_MAGIC) this.#closeBinary(socket);
      else session.receive(chunk);
      isFirst = false;
    });
    socket.on('drain', () => session.drained());
    socket.on('close', () => {
      connections.current--;
      this.#sessions.delete(socket);
      session.abandon();
    });
    const { idleTimeoutMs } = this.#parts.limits;
    if (idleTimeoutMs > 0) socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  }

  #open(socket: Socket): Session {
    const { engine, tokens, limits, log } = this.#parts;
    return new Session({
      engine,
      tokens,
      server: this.#status,
      room: this.#room,
      connection: this.#connectionOf(socket),
      lineBytesMax: limits.lineBytesMax,
      unansweredBytesMax: limits.unansweredBytesMax,
      failuresMax: limits.signInFailuresMax,
      delayMs: limits.signInDelayMs,
      onBug: (err) => log.error({ err, door: 'memcached' }, 'a memcached command failed; this is a bug'),
    });
  }

  #connectionOf(socket: Socket): Connection {
    const { bytes: counted } = this.#status;
    return {
      write(bytes) {
        counted.written += bytes.length;
        socket.write(bytes);
        return socket.writableLength === 0;
      },
      waiting: () => socket.writableLength,
      needsDrain: () => socket.writableNeedDrain,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.end(() => socket.destroySoon()),
    };
  }

  #closeBinary(socket: Socket): void {
    this.#parts.log.warn(
      { door: 'memcached', address: socket.remoteAddress },
      'a client of the binary protocol was closed: set it to the text (ASCII) protocol, such as binary: false',
    );
    socket.destroy();
  }
}
