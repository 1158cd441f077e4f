import type { Grant } from '../../auth/grant.ts';
import type { Cache } from '../../engine/cache.ts';
import type { Clock } from '../../engine/clock.ts';
import type { ReplyBuffer } from '../connections/reply-buffer.ts';
import type { ServerStatus } from '../server-status.ts';

/** What a command has to work with that anyone may use, signed in or not. */
export interface OpenContext {
  readonly output: ReplyBuffer;
}

/** What a command has to work with: whose cache it is about, and where its answer goes. */
export interface CommandContext extends OpenContext {
  readonly cache: Cache;
  /** By what right the client uses the cache's project. */
  readonly grant: Grant;
  readonly server: ServerStatus;
  readonly clock: Clock;
  /** Is so much waiting to be sent that the rest of a long answer must wait, too? */
  readonly isFull: () => boolean;
  /** Sends what is there; resolves when the client took it and others had their turn. False: it is gone. */
  readonly drained: () => Promise<boolean>;
}

// A few milliseconds of work.
const LINES_AT_ONCE = 4096;

/** Does the rest of a listing have to wait until it is drained? */
export function isEnoughAtOnce(lines: number, { isFull }: CommandContext): boolean {
  return lines % LINES_AT_ONCE === 0 || isFull();
}

/** Answers with one line, unless the client wanted none. */
export function reply({ output }: OpenContext, text: string, noreply = false): void {
  if (noreply) return;
  output.text(text);
  output.text('\r\n');
}
