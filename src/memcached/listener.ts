import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type TLSSocket,
  Server as TlsServer,
} from 'node:tls';
import type { TokenBook } from '../auth/token-book.ts';
import type { Moment } from '../engine/clock.ts';
import type { CommitGate } from '../engine/commit-gate.ts';
import type { Engine } from '../engine/engine.ts';
import { LastOfKind } from '../last-of-kind.ts';
import { clientAddress } from '../limits/client-address.ts';
import {
  ConnectionLimit,
  type ConnectionLimits,
  type ConnectionRefusal,
} from '../limits/connection-limit.ts';
import type { FailedSignIns } from '../limits/failed-sign-ins.ts';
import type { RequestRates } from '../limits/request-rate.ts';
import type { RequestMeter } from '../metrics/request-meter.ts';
import { DirectWrites } from '../sockets/direct-writes.ts';
import { linger } from '../sockets/linger.ts';
import { isWriteLost } from '../sockets/lost-writes.ts';
import { Batch } from './batch.ts';
import { type ClientCertificateRules, ClientCertificates } from './client-certificate.ts';
import { CommandMeter } from './command-meter.ts';
import { BINARY_MAGIC, BinaryClient } from './connections/binary-client.ts';
import { BufferPool } from './connections/buffer-pool.ts';
import type { Connection } from './connections/connection.ts';
import { HeldReplies } from './connections/held-replies.ts';
import type { PatienceLimits } from './connections/patience.ts';
import { READ_BYTES_MAX, SharedReads } from './connections/shared-reads.ts';
import { SocketConnection } from './connections/socket-connection.ts';
import { DoorLog, type DoorLogger } from './door-log.ts';
import { inlineMore } from './inlining.ts';
import { NO_BYTES, type ServerStatus } from './server-status.ts';
import { Session } from './session.ts';
import type { Admission } from './sign-in.ts';

export interface ListenerLimits extends PatienceLimits {
  readonly connections: ConnectionLimits;
  /** Milliseconds after which a silent connection is closed; 0 is never. */
  readonly idleTimeoutMs: number;
  /** How long a client may leave unread what waits for it. */
  readonly stallTimeoutMs: number;
  /** In which a TLS client must have introduced itself. */
  readonly handshakeTimeoutMs: number;
  readonly lineBytesMax: number;
  readonly unansweredBytesMax: number;
  readonly signInFailuresMax: number;
}

interface ListenerParts {
  readonly engine: Engine;
  /** The engine's clock. */
  readonly moment: Moment;
  readonly tokens: TokenBook;
  readonly signIns: FailedSignIns;
  readonly rates: RequestRates;
  readonly limits: ListenerLimits;
  readonly version: string;
  readonly memoryBytesMax: number;
  readonly log: DoorLogger;
  /** Counts what clients ask. */
  readonly requests: RequestMeter;
  /** From how many milliseconds on commands are logged as slow; 0 is never. */
  readonly slowMs: number;
  /** Holds replies back until what they tell is kept. */
  readonly commitGate?: CommitGate | undefined;
}

// After so long a silence, the system asks whether a client's machine is still there: since a client may be silent as
// long as it likes, one that vanished would keep its connection for ever.
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 300_000 };

/** How long buffers that nobody needs stay, at least. */
const BUFFERS_KEPT_MS = 5_000;

/** How long a connection that has had its last answer may stay until its client closes it, too. */
const LINGER_MS = 250;

const tooMany: Record<Exclude<ConnectionRefusal, 'no_file'>, string> = {
  too_many: 'ERROR Too many open connections\r\n',
  too_many_from_address: 'ERROR Too many open connections from your address\r\n',
};

/** Where to listen, and how. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Speak TLS, with this certificate. */
  readonly tls?: SecureContextOptions | undefined;
  /** Ask TLS clients for certificates, which sign them in. */
  readonly clientCertificates?: ClientCertificateRules | undefined;
  /** Serve this cache to everyone who connects, without sign-in. */
  readonly bound?: Admission | undefined;
}

/** The memcached door: sockets, their limits, and their orderly end. It may have several addresses. */
export class MemcachedListener {
  readonly #parts: ListenerParts;
  readonly #servers: Server[] = [];
  readonly #buffers = new BufferPool();
  readonly #batch = new Batch();
  readonly #reads = new SharedReads();
  readonly #writes = new DirectWrites();
  readonly #sessions = new Map<Socket, Session>();
  readonly #lastGone = new LastOfKind<Session>();
  /** Every connection below TLS, also one whose handshake is not over. */
  readonly #connections = new Set<Socket>();
  /** Whose write seemed lost at the last look, and what had been written by then. */
  readonly #stuckAt = new WeakMap<Socket, number>();
  readonly #connectionLimit: ConnectionLimit;
  readonly #log: DoorLog;
  readonly #meter: CommandMeter;
  #patienceTimer: NodeJS.Timeout | undefined;
  #trimTimer: NodeJS.Timeout | undefined;
  #stopping = false;
  readonly #status: ServerStatus;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#connectionLimit = new ConnectionLimit(parts.limits.connections);
    this.#log = new DoorLog(parts.log, parts.engine.clock.now);
    this.#meter = new CommandMeter(parts.requests, parts.slowMs);
    this.#status = {
      startedAt: parts.engine.clock.now(),
      version: parts.version,
      maxConnections: parts.limits.connections.max,
      valueBytesMax: parts.engine.limits.valueBytesMax,
      memoryBytesMax: parts.memoryBytesMax,
      idleTimeoutSeconds: parts.limits.idleTimeoutMs / 1000,
      address: { host: '', port: 0 },
      connections: { current: 0, total: 0, rejected: 0 },
      bytes: { read: NO_BYTES, written: NO_BYTES },
      signIns: { total: 0, failed: 0 },
    };
  }

  /** Resolves with the port once it listens there. */
  async listen({ host, port, tls, clientCertificates, bound }: Endpoint): Promise<number> {
    const { limits } = this.#parts;
    const server = tls
      ? this.#createTlsServer(tls, clientCertificates)
      : createServer(SOCKET_OPTIONS, (socket) => this.#accept(socket, bound));
    server.on('connection', (socket: Socket) => this.#track(socket));
    server.on('tlsClientError', (err, socket: Socket) => this.#closeUnshaken(err, socket));
    this.#connectionLimit.guard(server, (socket, refusal) =>
      this.#turnAway(socket, refusal, tls !== undefined),
    );
    this.#patienceTimer ??= setInterval(() => this.#losePatience(), lookIntervalMs(limits)).unref();
    this.#trimTimer ??= setInterval(() => this.#buffers.trim(), BUFFERS_KEPT_MS).unref();
    await once(server.listen({ host, port }), 'listening');
    server.on('error', (err) => this.#log.listenerFailed(err));
    this.#servers.push(server);
    const { port: taken } = server.address() as AddressInfo;
    if (this.#servers.length === 1) this.#status.address = { host, port: taken };
    return taken;
  }

  /** What the door counted of its clients. */
  get figures() {
    const { connections, signIns } = this.#status;
    return {
      connectionsOpen: connections.current,
      connectionsAccepted: connections.total,
      connectionsRefused: connections.rejected,
      signInFailures: signIns.failed,
    };
  }

  /** Uses another certificate for TLS connections from now on; open ones stay. */
  useCertificate(tls: SecureContextOptions): void {
    for (const server of this.#servers) {
      if (server instanceof TlsServer) server.setSecureContext(tls);
    }
  }

  /** Takes no new connections, lets every client have its answers, and cuts off who is left in the end. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#patienceTimer);
    clearInterval(this.#trimTimer);
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const [socket, session] of this.#sessions) this.#attempt(socket, () => session.stop());
    const timer = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy();
    }, timeoutMs);
    await Promise.all(closed);
    clearTimeout(timer);
  }

  #createTlsServer(tls: SecureContextOptions, rules: ClientCertificateRules | undefined): Server {
    const { engine, tokens, limits } = this.#parts;
    const options = { ...tls, ...SOCKET_OPTIONS, handshakeTimeout: limits.handshakeTimeoutMs };
    if (!rules) return createTlsServer(options, (socket) => this.#accept(socket, undefined));
    const certificates = new ClientCertificates({ rules, engine, tokens, log: this.#log });
    // By itself, Node would break the handshake off without a word, and refuse clients without a certificate.
    return createTlsServer({ ...options, requestCert: true, rejectUnauthorized: false }, (socket) =>
      this.#accept(socket, this.#admit(socket, certificates)),
    );
  }

  #admit(socket: TLSSocket, certificates: ClientCertificates): Admission | 'refused' | undefined {
    try {
      return certificates.admit(socket);
    } catch (err) {
      this.#log.certificateFailed(err);
      // Nothing is known of who it is.
      return 'refused';
    }
  }

  #track(socket: Socket): void {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket));
  }

  #turnAway(socket: Socket, refusal: ConnectionRefusal, isTls: boolean): void {
    this.#status.connections.rejected++;
    this.#log.refused(socket.remoteAddress, refusal);
    socket.on('error', () => socket.destroy());
    // Before the handshake nothing can be said, and the handshake is what costs most.
    if (refusal === 'no_file' || isTls) {
      socket.destroy();
      return;
    }
    // Whatever it sends or does, it is not kept.
    socket.end(tooMany[refusal], () => linger(socket, LINGER_MS));
  }

  #losePatience(): void {
    for (const [socket, session] of this.#sessions) {
      this.#attempt(socket, () => session.losePatience());
      this.#cutIfLost(socket);
    }
  }

  // Not at the first look: what was just written may be on its way.
  #cutIfLost(socket: Socket): void {
    const { bytesWritten } = socket;
    if (!isWriteLost(socket)) this.#stuckAt.delete(socket);
    else if (this.#stuckAt.get(socket) === bytesWritten) socket.destroy();
    else this.#stuckAt.set(socket, bytesWritten);
  }

  #accept(socket: Socket, bound: Admission | 'refused' | undefined): void {
    // A client that resets its connection has no use for anything we could do about it.
    socket.on('error', () => socket.destroy());
    if (this.#stopping) {
      socket.destroy();
      return;
    }
    if (bound === 'refused') {
      socket.end('ERROR a client certificate is needed\r\n', () => linger(socket, LINGER_MS));
      return;
    }
    this.#serve(socket, bound);
  }

  #serve(socket: Socket, bound: Admission | undefined): void {
    const { connections } = this.#status;
    inlineMore();
    connections.current++;
    connections.total++;
    const tellGone = this.#log.connected(socket.remoteAddress, connections.total);
    const session = this.#open(socket, bound);
    this.#sessions.set(socket, session);
    this.#read(socket, session);
    // A client may end its side and still wait for answers.
    socket.allowHalfOpen = true;
    socket.on('end', () => this.#attempt(socket, () => session.stop()));
    const { idleTimeoutMs } = this.#parts.limits;
    socket.setTimeout(idleTimeoutMs);
    socket.on('timeout', () => {
      // What is written directly is no sign of life to Node.
      if (session.isAnswering) socket.setTimeout(idleTimeoutMs);
      else socket.destroy();
    });
    socket.on('drain', () => this.#drained(socket));
    socket.on('close', () => {
      connections.current--;
      this.#sessions.delete(socket);
      session.abandon();
      if (session.hasServed) this.#lastGone.object = session;
      tellGone();
    });
  }

  #read(socket: Socket, session: Session): void {
    const { bytes } = this.#status;
    let isFirst = true;
    let binary: BinaryClient | undefined;
    this.#reads.attach(socket, (buffer, length) => {
      bytes.read += length;
      try {
        if (isFirst && buffer[0] === BINARY_MAGIC) binary = this.#expectBinary(socket);
        if (binary) binary.receive(buffer.subarray(0, length));
        else session.receive(buffer, length);
      } catch (error) {
        this.#abort(socket, error);
      }
      isFirst = false;
      if (length >= READ_BYTES_MAX) letOthersRead(socket, () => binary !== undefined || session.isReading);
    });
  }

  #open(socket: Socket, bound: Admission | undefined): Session {
    const { engine, moment, tokens, signIns, rates, limits } = this.#parts;
    const address = socket.remoteAddress;
    return new Session({
      engine,
      tokens,
      signIns,
      rates,
      address: clientAddress(address),
      server: this.#status,
      buffers: this.#buffers,
      batch: this.#batch,
      moment,
      connection: this.#connectionOf(socket),
      lineBytesMax: limits.lineBytesMax,
      unansweredBytesMax: limits.unansweredBytesMax,
      patience: limits,
      failuresMax: limits.signInFailuresMax,
      bound,
      meter: this.#meter,
      onBug: (err) => this.#log.commandFailed(address, err),
      onLongLine: () => this.#log.lineTooLong(address),
      onSlow: (slow, cache) => this.#log.slow(address, slow, cache),
      onSignInFailure: () => this.#log.signInFailed(address),
    });
  }

  #drained(socket: Socket): void {
    this.#attempt(socket, () => this.#sessions.get(socket)?.drained());
  }

  #connectionOf(socket: Socket): Connection {
    const { limits, commitGate: gate } = this.#parts;
    const connection = new SocketConnection({
      socket,
      writes: this.#writes,
      counted: this.#status.bytes,
      stallTimeoutMs: limits.stallTimeoutMs,
      idleTimeoutMs: limits.idleTimeoutMs,
      drained: () => this.#drained(socket),
      ended: () => linger(socket, LINGER_MS),
      abort: (error) => this.#abort(socket, error),
    });
    if (!gate) return connection;
    return new HeldReplies({ connection, gate, released: () => this.#drained(socket) });
  }

  // Node leaves the socket to us, also when it took too long.
  #closeUnshaken(err: Error & { code?: string }, socket: Socket): void {
    // A client that just goes away, such as a probe of the port, is not worth a line.
    if (err.code !== 'ECONNRESET') this.#log.handshakeFailed(socket.remoteAddress, err);
    socket.destroy();
  }

  // A bug in what is done for one client must not reach the others.
  #attempt(socket: Socket, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#abort(socket, error);
    }
  }

  #abort(socket: Socket, err: unknown): void {
    this.#log.connectionFailed(err);
    socket.destroy();
  }

  #expectBinary(socket: Socket): BinaryClient {
    this.#log.binaryRefused(socket.remoteAddress);
    this.#sessions.get(socket)?.abandon();
    return new BinaryClient({
      socket,
      counted: this.#status.bytes,
      // It cannot sign in, by whichever listener it came.
      timeoutMs: this.#parts.limits.signInTimeoutMs,
      ended: () => linger(socket, LINGER_MS),
    });
  }
}

// Often enough to notice soon.
function lookIntervalMs({ signInTimeoutMs, requestTimeoutMs }: PatienceLimits): number {
  const shortest = Math.min(...[signInTimeoutMs, requestTimeoutMs].filter((ms) => ms > 0));
  return Math.min(Math.max(shortest / 4, 50), 5_000);
}

// From a socket that always has more, libuv reads up to 32 times before it looks at another: two megabytes
// of one client's sets, while all others wait.
function letOthersRead(socket: Socket, isReading: () => boolean): void {
  socket.pause();
  setImmediate(() => {
    if (isReading()) socket.resume();
  });
}
