import type { Answer } from '../../engine/answer.ts';
import { NEVER } from '../../engine/item.ts';
import { unixExpiry } from '../exptime.ts';
import { uint32From } from '../requests/numbers.ts';
import { type CommandContext, isEnoughAtOnce, reply } from './context.ts';

// As many slab classes as memcached can have; here all items are in class 1, as `stats items` says.
const CLASSES_MAX = 64;
const OUR_CLASS = 1;

// Keys that would end a word or a line: REST and the base64 keys of meta commands have them. memcached leaves out those
// of the latter.
const UNLISTABLE = /[\0\n\r ]/;

// memcached lists no more than fits its buffer.
const LISTING_BYTES_MAX = 2 * 1024 * 1024;

/** stats cachedump CLASS LIMIT: keys of the signed-in cache, for people and for memdump. 0: no limit. */
export function cachedump(words: readonly string[], context: CommandContext): Answer<void> {
  const [, classWord, limitWord] = words;
  if (classWord === undefined || limitWord === undefined)
    return reply(context, 'CLIENT_ERROR bad command line');
  const slabClass = uint32From(classWord);
  const limit = uint32From(limitWord);
  if (slabClass === undefined || limit === undefined) {
    return reply(context, 'CLIENT_ERROR bad command line format');
  }
  if (slabClass >= CLASSES_MAX) return reply(context, 'CLIENT_ERROR Illegal slab id');
  return slabClass === OUR_CLASS
    ? list(limit === 0 ? Number.POSITIVE_INFINITY : limit, context)
    : end(context);
}

async function list(limit: number, context: CommandContext): Promise<void> {
  let count = 0;
  let bytes = 0;
  for await (const { key, item } of context.cache.list()) {
    if (UNLISTABLE.test(key)) continue;
    const expiry = item.expiresAt === NEVER ? 0 : unixExpiry(item.expiresAt, context.clock);
    const line = `ITEM ${key} [${item.valueLength} b; ${expiry} s]\r\n`;
    bytes += line.length;
    if (++count > limit || bytes > LISTING_BYTES_MAX) break;
    context.output.text(line);
    if (isEnoughAtOnce(count, context) && !(await context.drained())) return;
  }
  end(context);
}

function end(context: CommandContext): void {
  context.output.text('END\r\n');
}
