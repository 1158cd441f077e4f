import { firstLine, lastLine } from '../../dump/first-and-last-line.ts';
import { itemLine } from '../../dump/item-line.ts';
import type { Cache } from '../../engine/cache.ts';
import { type Clock, clockSet } from '../../engine/clock.ts';
import type { CommitGate } from '../../engine/commit-gate.ts';
import type { Item } from '../../engine/item.ts';
import { keptOrFail } from './kept-changes.ts';
import type { LongWork } from './long-work.ts';

/** How much is given away at once, in characters; a large item is more by itself. */
const PIECE_LENGTH = 32 * 1024;

/**
 * The lines of a dump, in pieces, as they are asked for. What is in the cache all the while is in the dump once, as it
 * was at some moment; what comes, goes or changes meanwhile may be there or not, and is whole. What a client has yet to
 * make is not there. Each piece waits until what it tells is kept. Throws when the right to read ends, or something
 * cannot be kept, so that the last line is missing.
 */
export async function* dumpItems(
  cache: Cache,
  clock: Clock,
  work: LongWork,
  commitGate: CommitGate | undefined,
): AsyncGenerator<string> {
  let piece = firstLine({ project: cache.projectId, cache: cache.name }, clock.unixNow());
  let items = 0;
  for await (const { key } of cache.list()) {
    // A listed item may have changed by now. Looking again is not a use of it, and in memory takes no wait.
    const answer = cache.peek(key);
    const item = answer instanceof Promise ? await answer : answer;
    if (!item || isPlaceholder(item)) continue;
    piece += lineOf(key, item, clock);
    items++;
    work.count();
    if (work.isLong) await restOrFail(work);
    if (piece.length < PIECE_LENGTH) continue;
    if (!commitGate?.isOpen) await keptOrFail(commitGate);
    yield piece;
    piece = '';
  }
  await restOrFail(work);
  if (!commitGate?.isOpen) await keptOrFail(commitGate);
  yield piece + lastLine(items);
}

// What a meta get made (N), and nobody has filled yet: where it is not known who won, it would be an empty value.
function isPlaceholder({ kind, valueLength, recaching, stale }: Item): boolean {
  return recaching && !stale && valueLength === 0 && kind === 'bytes';
}

function lineOf(key: string, { value, kind, flags, expiresAt, stale }: Item, clock: Clock): string {
  return itemLine({ key, value, kind, flags, expiresAt: expiresAt + clockSet(clock), stale });
}

async function restOrFail(work: LongWork): Promise<void> {
  if (!(await work.rest())) throw new Error('the token may not read any more');
}
