import type { Socket } from 'node:net';

/** What Node keeps of a connection: what reads its requests. No part of its interface, so it is looked at with care. */
interface KeptParser {
  readonly parser?: { pause?: () => void } | null;
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
