import type { Cache } from '../engine/cache.ts';
import type { ConnectionRefusal } from '../limits/connection-limit.ts';
import { OccasionalWarning } from '../limits/occasional-warning.ts';
import type { SlowCommands } from './command-meter.ts';

/** What of a logger the door needs; pino's is one. */
export interface DoorLogger {
  debug(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

const door = 'memcached';

type Address = string | undefined;

/**
 * What the memcached door tells its owner. What any client can cause is told once a minute. Never a key: keys may be
 * secrets of a tenant's users.
 */
export class DoorLog {
  readonly #logger: DoorLogger;
  readonly #now: () => number;
  /** By their messages. */
  readonly #warnings = new Map<string, OccasionalWarning>();
  /** Whatever is wrong with a client's certificate. */
  readonly #certificate: OccasionalWarning;

  constructor(logger: DoorLogger, now: () => number) {
    this.#logger = logger;
    this.#now = now;
    this.#certificate = new OccasionalWarning(logger, now);
  }

  /** A client is there; call what this answers when it is gone. */
  connected(address: Address, connection: number): () => void {
    const client = { door, address, connection };
    this.#logger.debug(client, 'a client connected');
    return () => this.#logger.debug(client, 'a client is gone');
  }

  refused(address: Address, refusal: ConnectionRefusal): void {
    this.#warn('a connection was refused', { address, refusal });
  }

  handshakeFailed(address: Address, err: Error): void {
    this.#warn('a TLS handshake failed', { err, address });
  }

  certificateIgnored(address: Address, subject: string, what: string): void {
    this.#certificate.warn({ door, address, subject }, `a client certificate ${what}`);
  }

  certificateFailed(err: unknown): void {
    this.#certificate.warn({ err, door }, 'a client certificate is not accepted');
  }

  signInFailed(address: Address): void {
    this.#warn('a sign-in failed', { address });
  }

  binaryRefused(address: Address): void {
    const remedy = 'set it to the text (ASCII) protocol, such as binary: false';
    this.#warn(`a client of the binary protocol is refused: ${remedy}`, { address });
  }

  lineTooLong(address: Address): void {
    const setting = 'IRONCACHED_MEMCACHED_MAX_LINE';
    this.#warn(`a client was closed whose line was too long: ${setting} sets the longest`, { address });
  }

  slow(address: Address, { operation, commands, ms }: SlowCommands, cache: Cache | undefined): void {
    const of = { project: cache?.projectId, cache: cache?.name };
    this.#warn('slow commands', { address, ...of, operation, commands, ms });
  }

  /** Such as no file descriptors left for another connection: the open ones go on. */
  listenerFailed(err: Error): void {
    this.#warn('a listener failed', { err });
  }

  commandFailed(address: Address, err: unknown): void {
    this.#logger.error({ err, door, address }, 'a memcached command failed; this is a bug');
  }

  connectionFailed(err: unknown): void {
    const message = 'a memcached connection was closed because of an error; this is a bug';
    this.#logger.error({ err, door }, message);
  }

  #warn(message: string, details: object): void {
    const warning = this.#warnings.get(message) ?? new OccasionalWarning(this.#logger, this.#now);
    this.#warnings.set(message, warning);
    warning.warn({ door, ...details }, message);
  }
}
