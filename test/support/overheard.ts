import { Socket } from 'node:net';
import { DirectWrites } from '../../src/sockets/direct-writes.ts';

/*
 * Everything that the service says while the tests run, to whomever: what its sockets send, what is
 * injected instead of sent, what it logs and prints. No token that was planted may be in it.
 */

const planted = new Set<string>();
let leaks: string[] = [];

/** From now on, nobody may be told this token. */
export function plant(token: string): string {
  planted.add(token);
  return token;
}

/** Takes note of what was said. */
export function overhear(where: string, said: unknown): void {
  if (typeof said !== 'string' && !(said instanceof Uint8Array)) return;
  const text = typeof said === 'string' ? said : Buffer.from(said.buffer, said.byteOffset, said.byteLength);
  for (const token of planted) {
    if (text.includes(token)) leaks.push(`${where} told ${token}: ${text.toString().slice(0, 500)}`);
  }
}

/** What was told since the last time although nobody may be told. */
export function takeLeaks(): string[] {
  const taken = leaks;
  leaks = [];
  return taken;
}

/** Overhears whatever the servers of this process send, by plain sockets and by TLS. */
export function tapSockets(): void {
  tapDirectWrites();
  const { write, end } = Socket.prototype;
  Object.assign(Socket.prototype, {
    write(this: Socket, ...args: Parameters<typeof write>) {
      if (isOfServer(this)) overhear('a socket', args[0]);
      return write.apply(this, args);
    },
    end(this: Socket, ...args: Parameters<typeof end>) {
      if (isOfServer(this)) overhear('a socket', args[0]);
      return end.apply(this, args);
    },
  });
}

function tapDirectWrites(): void {
  const { write } = DirectWrites.prototype;
  DirectWrites.prototype.write = function (this: DirectWrites, ...args) {
    overhear('a socket', args[1]);
    return write.apply(this, args);
  };
}

// Node tells an accepted socket by the server that it keeps there.
function isOfServer(socket: Socket): boolean {
  return 'server' in socket && Boolean(socket.server);
}
