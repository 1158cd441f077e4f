import type { Server, Socket } from 'node:net';
import { clientAddress } from './client-address.ts';

export interface ConnectionLimits {
  /** How many connections may be open at once. */
  readonly max: number;
  /** How many of them one address may have; 0: all. */
  readonly perAddressMax: number;
  /** How many all doors have open, and may have. */
  readonly together?: OpenTogether;
}

/** The open connections of all doors: each takes a file descriptor, and the service needs some itself. */
export interface OpenTogether {
  open: number;
  readonly max: number;
}

/** Which limit a connection would exceed. One for which there is no file has to be closed at once, without a word. */
export type ConnectionRefusal = 'too_many' | 'too_many_from_address' | 'no_file';

/** Counts a door's connections, and lets no more in than there may be. */
export class ConnectionLimit {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #open = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /**
   * Makes a server take connections only within the limits. They are counted below TLS, from before the handshake
   * to the close. `refuse` has to end those beyond, which the server never sees.
   */
  guard(server: Server, refuse: (socket: Socket, refusal: ConnectionRefusal) => void): void {
    const listeners = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      const address = clientAddress(socket.remoteAddress);
      const refusal = this.#refusal(address);
      if (refusal !== 'no_file') this.#countTogether(socket);
      if (refusal) {
        refuse(socket, refusal);
        return;
      }
      this.#count(address, 1);
      socket.once('close', () => this.#count(address, -1));
      for (const listener of listeners) listener.call(server, socket);
    });
  }

  #refusal(address: string): ConnectionRefusal | undefined {
    const { max, perAddressMax, together } = this.#limits;
    if (together && together.open >= together.max) return 'no_file';
    if (this.#open >= max) return 'too_many';
    const isTooMany = perAddressMax > 0 && (this.#byAddress.get(address) ?? 0) >= perAddressMax;
    return isTooMany ? 'too_many_from_address' : undefined;
  }

  // Also one that is refused, as long as it takes to tell it so.
  #countTogether(socket: Socket): void {
    const { together } = this.#limits;
    if (!together) return;
    together.open++;
    socket.once('close', () => {
      together.open--;
    });
  }

  #count(address: string, change: 1 | -1): void {
    this.#open += change;
    const ofAddress = (this.#byAddress.get(address) ?? 0) + change;
    if (ofAddress > 0) this.#byAddress.set(address, ofAddress);
    else this.#byAddress.delete(address);
  }
}
