import type { Answer } from '../../engine/answer.ts';
import type { Clock } from '../../engine/clock.ts';
import { NEVER } from '../../engine/item.ts';
import type { ListedItem } from '../../engine/store.ts';
import { unixExpiry, unixTime } from '../exptime.ts';
import { uint32From } from '../requests/numbers.ts';
import type { RequestOf } from '../requests/request.ts';
import { type CommandContext, isEnoughAtOnce, reply } from './context.ts';

const OK = 'OK';
const BAD_CLASS = 'BADCLASS invalid class id';
const BAD_FORMAT = 'CLIENT_ERROR bad command line format';

// memcached's slab classes: 1 to 63, several separated by commas.
const CLASSES_MAX = 63;

// The longest pause that memcached's crawler may be told to make.
const SLEEP_MICROSECONDS_MAX = 1_000_000;

/**
 * lru_crawler: of its sub-commands, metadump lists the keys of the signed-in cache. Nothing needs to be
 * started or tuned, since what expires is freed by itself: the rest is taken and does nothing.
 */
export function crawl({ words }: RequestOf<'lru_crawler'>, context: CommandContext): Answer<void> {
  const [action = '', argument = ''] = words;
  if (words.length === 1 && (action === 'enable' || action === 'disable')) return reply(context, OK);
  if (words.length !== 2) return reply(context, 'ERROR');
  switch (action) {
    case 'metadump':
      if (!isClasses(argument)) return reply(context, BAD_CLASS);
      return dump(context);
    case 'crawl':
      return reply(context, isClasses(argument) ? OK : BAD_CLASS);
    case 'tocrawl':
      return reply(context, uint32From(argument) === undefined ? BAD_FORMAT : OK);
    case 'sleep':
      return reply(context, sleepReply(uint32From(argument)));
    default:
      return reply(context, 'ERROR');
  }
}

function isClasses(text: string): boolean {
  if (text === 'all' || text === 'hash') return true;
  return text.split(',').every((word) => {
    const slabClass = word === '' ? 1 : (uint32From(word) ?? 0);
    return slabClass >= 1 && slabClass <= CLASSES_MAX;
  });
}

function sleepReply(microseconds: number | undefined): string {
  if (microseconds === undefined) return BAD_FORMAT;
  return microseconds > SLEEP_MICROSECONDS_MAX ? 'CLIENT_ERROR sleep must be one second or less' : OK;
}

// One line an item, as memcached's crawler writes them; keys are percent-encoded.
async function dump(context: CommandContext): Promise<void> {
  let lines = 0;
  for await (const listed of context.cache.list()) {
    context.output.text(dumpLine(listed, context.clock));
    if (isEnoughAtOnce(++lines, context) && !(await context.drained())) return;
  }
  context.output.text('END\r\n');
}

function dumpLine({ key, item }: ListedItem, clock: Clock): string {
  const expiry = item.expiresAt === NEVER ? -1 : unixExpiry(item.expiresAt, clock);
  const accessed = unixTime(item.accessedAt, clock);
  const fetched = item.fetched ? 'yes' : 'no';
  const size = key.length + item.valueLength;
  return `key=${encodeKey(key)} exp=${expiry} la=${accessed} cas=${item.cas} fetch=${fetched} cls=1 size=${size}\n`;
}

// As memcached: everything but the characters that need no encoding in a URL.
function encodeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9\-._~]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
