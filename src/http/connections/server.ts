import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type SecureContextOptions, Server as TlsServer } from 'node:tls';
import type { FastifyBaseLogger } from 'fastify';
import type { CommitGate } from '../../engine/commit-gate.ts';
import {
  ConnectionLimit,
  type ConnectionLimits,
  type ConnectionRefusal,
} from '../../limits/connection-limit.ts';
import { OccasionalWarning } from '../../limits/occasional-warning.ts';
import { onceAnswered } from './broken-requests.ts';
import { responseOf } from './current-response.ts';
import { endFailedHandshakes } from './failed-handshakes.ts';
import { heldResponses } from './held-responses.ts';
import { closeConnectionsInOrder } from './idle-connections.ts';
import { answerIgnoredUpgrades, tellOfEarlyEnds } from './ignored-upgrades.ts';
import { lastResponses } from './last-response.ts';
import { lingerBehindLastAnswer } from './lingering-close.ts';
import { neverPauseParser } from './node-parser.ts';
import { inOrder } from './pipelining.ts';
import { endWithAnswer, rawAnswer } from './raw-answer.ts';
import { ReceivedRequest } from './received-request.ts';
import { type SilenceLimits, SilentConnections } from './silent-connections.ts';

export interface HttpLimits {
  readonly connections: ConnectionLimits;
  /** The largest body of a PUT or an increment. */
  readonly bodyBytesMax: number;
  /** The request line and all headers together. */
  readonly headerBytesMax: number;
  /** Answers to pipelined requests that wait for a client before its further requests wait, too. */
  readonly unansweredBytesMax: number;
  /** In which a whole request must have arrived. */
  readonly requestTimeoutMs: number;
  /** How long a connection without a request stays open. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may leave unread what waits for it. */
  readonly stallTimeoutMs: number;
  /** In which a TLS client must have introduced itself. */
  readonly handshakeTimeoutMs: number;
}

/** The connections of a door, counted where they come and go. */
export interface ConnectionCounts {
  open: number;
  accepted: number;
  refused: number;
}

interface ServerParts {
  readonly listener: RequestListener;
  readonly limits: HttpLimits;
  /** Speak TLS, with this certificate. */
  readonly tls: SecureContextOptions | undefined;
  readonly logger: FastifyBaseLogger;
  /** Milliseconds by a clock that nobody sets. */
  readonly now: () => number;
  /** While true, every answer is told to be the last of its connection. */
  readonly isStopping: () => boolean;
  readonly connections: ConnectionCounts;
  /** Holds answers back until what they tell is kept. */
  readonly commitGate: CommitGate | undefined;
  /** Told of each connection that is closed while answers to it wait. */
  readonly tellAbandoned: (socket: Socket) => void;
}

/** Node's HTTP or HTTPS server with our limits, made to answer in every case where Node would just hang up. */
export function createServer(parts: ServerParts): Server {
  const { limits, tls, logger, now } = parts;
  const options = serverOptions(parts);
  const aheadWarning = new OccasionalWarning(logger, now);
  const inTurn = inOrder(answerIgnoredUpgrades(parts.listener), limits.unansweredBytesMax, {
    cut: ({ remoteAddress: address }) => aheadWarning.warn({ door: 'http', address }, SENT_TOO_FAR_AHEAD),
    abandoned: parts.tellAbandoned,
  });
  const server: Server = tls
    ? createTlsServer({ ...options, ...tls, handshakeTimeout: limits.handshakeTimeoutMs }, inTurn)
    : createPlainServer(options, inTurn);
  const connectionEvent = tls ? 'secureConnection' : 'connection';
  // Their bytes are limited. Node would pass over the thousandth header and all behind it, such as the token, in silence.
  server.maxHeadersCount = 0;
  keepHalfOpen(server, connectionEvent);
  const silent = new SilentConnections(silenceLimits(limits));
  server.on(connectionEvent, (socket: Socket) => {
    lingerBehindLastAnswer(socket);
    silent.watch(socket);
  });
  closeConnectionsInOrder(server, connectionEvent);
  tellOfEarlyEnds(server, connectionEvent);
  if (tls) server.on(connectionEvent, neverPauseParser);
  meetExpectations(server);
  server.on('connect', refuseTunnel);
  server.on('connection', (socket: Socket) => countConnection(socket, parts.connections));
  refuseTooMany(server, parts);
  if (server instanceof TlsServer) endFailedHandshakes(server, new OccasionalWarning(logger, now));
  logFailures(server, new OccasionalWarning(logger, now));
  return server;
}

const SENT_TOO_FAR_AHEAD = 'a connection was closed that sent requests ahead: too many wait for their turn';

function serverOptions({ limits, isStopping, commitGate }: ServerParts) {
  const { requestTimeoutMs } = limits;
  const Response = lastResponses(isStopping, limits.keepAliveTimeoutMs);
  return {
    maxHeaderSize: limits.headerBytesMax,
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    // silent-connections.ts sees to this.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: checkingIntervalMs(requestTimeoutMs),
    IncomingMessage: ReceivedRequest,
    ServerResponse: commitGate ? heldResponses(commitGate, Response) : Response,
    // Node answers a missing Host with an empty 400; nothing here depends on it.
    requireHostHeader: false,
  };
}

function silenceLimits({ keepAliveTimeoutMs, stallTimeoutMs, requestTimeoutMs }: HttpLimits): SilenceLimits {
  return {
    // A client that was told the time may use it up, and its next request be on its way.
    idleMs: keepAliveTimeoutMs + KEEP_ALIVE_GRACE_MS,
    // Cuts off a client that takes no byte of an answer. One that sends none of a request has its 408 before that.
    stallMs: Math.max(stallTimeoutMs, requestTimeoutMs + checkingIntervalMs(requestTimeoutMs)),
  };
}

const KEEP_ALIVE_GRACE_MS = 1_000;

// How often Node looks for requests that take too long: often enough to notice soon.
function checkingIntervalMs(timeoutMs: number): number {
  return Math.min(Math.max(Math.ceil(timeoutMs / 4), 50), 5_000);
}

// A client may end its side and still wait for answers. Node would end ours with it, before an answer that is late: a
// dump, or that a change is on disk. The server's member is in every release of Node, though in no document of it.
function keepHalfOpen(server: Server, connectionEvent: string): void {
  Object.assign(server, { httpAllowHalfOpen: true });
  server.on(connectionEvent, (socket: Socket) => {
    // Plain connections are so from the start, those of TLS must not be before their handshake is over.
    socket.allowHalfOpen = true;
  });
}

function meetExpectations(server: Server): void {
  // An expectation that we do not know may be ignored (RFC 9110, 10.1.1); Node would answer an empty 417.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  server.on('checkContinue', (request, response) => {
    server.emit('request', request, response);
    // A request that is refused at once needs no body, and its client can try again. Node would always ask for it.
    if (!response.headersSent) response.writeContinue();
  });
}

function refuseTunnel({ socket }: IncomingMessage): void {
  socket.on('error', () => socket.destroy());
  // Node has let go of the socket: it does not tell a long answer in front that there is room for more.
  socket.on('drain', () => responseOf(socket)?.emit('drain'));
  const answer = rawAnswer(405, 'CONNECT is not possible: this is no proxy.', { allow: 'GET, HEAD' });
  onceAnswered(socket, () => endWithAnswer(socket, answer));
}

function countConnection(socket: Socket, connections: ConnectionCounts): void {
  connections.open++;
  connections.accepted++;
  socket.once('close', () => {
    connections.open--;
  });
}

const tooMany: Record<Exclude<ConnectionRefusal, 'no_file'>, readonly [status: number, msg: string]> = {
  too_many: [503, 'Too many connections are open. Close some, or try again later.'],
  too_many_from_address: [429, 'Your address has too many connections open. Close some, or use them again.'],
};

/** How many refused connections may stay open until their clients have read why; further ones are just cut. */
const TOLD_AT_ONCE_MAX = 100;

function refuseTooMany(server: Server, { limits, logger, now, connections }: ServerParts): void {
  const warning = new OccasionalWarning(logger, now);
  let told = 0;
  new ConnectionLimit(limits.connections).guard(server, (socket: Socket, refusal) => {
    connections.refused++;
    const address = socket.remoteAddress;
    warning.warn({ door: 'http', address, refusal }, 'a connection was refused');
    socket.on('error', () => socket.destroy());
    // Before the handshake nothing can be said, and the handshake is what costs most.
    if (refusal === 'no_file' || server instanceof TlsServer || told >= TOLD_AT_ONCE_MAX) {
      socket.destroy();
      return;
    }
    told++;
    socket.once('close', () => told--);
    const [status, msg] = tooMany[refusal];
    endWithAnswer(socket, rawAnswer(status, msg, { 'retry-after': '1' }));
  });
}

// Such as no file descriptors left for another connection: the open ones go on.
function logFailures(server: Server, warning: OccasionalWarning): void {
  server.once('listening', () => {
    server.on('error', (err) => warning.warn({ err, door: 'http' }, 'a listener failed'));
  });
}
