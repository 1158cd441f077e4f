import { ControlError } from '../control.ts';
import { reasonOf } from '../rest-client.ts';
import type { CachePlace, ItemServer } from './item-server.ts';
import type { Progress } from './progress.ts';

const LINE_FEED = 0x0a;
const FIRST_AND_LAST = 2;
const LAST_LINE = /\n\{"end":true,"items":\d+\}\n$/;
const LAST_LINE_BYTES_MAX = 64;

/** The dump of a cache, as it comes; undefined: there is no such cache. Throws ControlError if it breaks off. */
export async function dumpOf(
  place: CachePlace,
  server: ItemServer,
  progress: Progress,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const pieces = await server.dump(place);
  return pieces && whole(pieces, place, progress);
}

async function* whole(
  pieces: AsyncIterable<Uint8Array>,
  { project, cache }: CachePlace,
  progress: Progress,
): AsyncGenerator<Uint8Array> {
  const before = progress.items;
  let lines = 0;
  let end: Uint8Array = Buffer.alloc(0);
  try {
    for await (const piece of pieces) {
      lines += lineEndsIn(piece);
      progress.items = before + Math.max(0, lines - FIRST_AND_LAST);
      progress.bytes += piece.length;
      end = Buffer.concat([end, piece]).subarray(-LAST_LINE_BYTES_MAX);
      yield piece;
    }
  } catch (error) {
    throw new ControlError(
      `the dump of the cache ${JSON.stringify(cache)} of ${project} broke off: ${reasonOf(error)}`,
    );
  }
  if (LAST_LINE.test(Buffer.from(end).toString('latin1'))) return;
  throw new ControlError(
    `the dump of the cache ${JSON.stringify(cache)} of ${project} was cut off by the service`,
  );
}

function lineEndsIn(piece: Uint8Array): number {
  let count = 0;
  for (let at = piece.indexOf(LINE_FEED); at !== -1; at = piece.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
