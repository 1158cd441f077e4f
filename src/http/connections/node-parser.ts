import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** What Node keeps of a connection: what reads its requests. No part of its interface, so it is looked at with care. */
interface KeptParser {
  readonly parser?: {
    /** The request that came last. */
    readonly incoming?: IncomingMessage | null;
    /** Who is given its requests. */
    onIncoming?: ((request: { upgrade: boolean }) => number) | null;
    pause?: () => void;
  } | null;
}

const NOTHING = () => undefined;

/**
 * Has the parser of a TLS connection take all that comes. While answers wait for a client, Node pauses its socket and
 * its parser. But TLS goes on giving what it has decrypted, up to 64 KB, and to a paused parser that is a broken
 * request: it is lost, and what comes behind it is read as if it followed what came before.
 */
export function neverPauseParser(socket: Socket): void {
  const { parser } = socket as KeptParser;
  if (parser?.pause) parser.pause = NOTHING;
}

/** Has some of a request come, and not all of it? */
export function isMidRequest(socket: Socket): boolean {
  return (socket as KeptParser).parser?.incoming?.complete === false;
}

/** To Node's parser, what stands behind an upgrade is no request any more. */
const AS_IF_UPGRADED = 2;

/** Has what a connection still sends thrown away: each request would take its memory until that is closed. */
export function discardRest(socket: Socket): void {
  const { parser } = socket as KeptParser;
  if (!parser?.onIncoming) return;
  parser.onIncoming = (request) => {
    // Or Node would look for who takes the connection over, and close it.
    request.upgrade = false;
    return AS_IF_UPGRADED;
  };
  // The last may wait for its turn, which never comes, and until it is read nothing more is taken.
  parser.incoming?.resume();
}
