import type { Answer } from '../../engine/answer.ts';
import { NEVER } from '../../engine/item.ts';
import type { ListedItem } from '../../engine/store.ts';
import type { RequestOf } from '../request.ts';
import { type CommandContext, reply } from './context.ts';

/** lru_crawler: of its sub-commands, metadump lists the keys of the signed-in cache. */
export function crawl({ words }: RequestOf<'lru_crawler'>, context: CommandContext): Answer<void> {
  const [action, argument] = words;
  if (words.length === 2 && action === 'metadump') {
    if (argument === 'all' || argument === 'hash' || argument === '1') return dump(context);
    return reply(context, 'BADCLASS invalid class id');
  }
  // Nothing needs to be started or tuned: what expires is freed by itself.
  const harmless = { crawl: 2, tocrawl: 2, sleep: 2, enable: 1, disable: 1 }[action ?? ''];
  reply(context, harmless === words.length ? 'OK' : 'ERROR');
}

/** watch: a stream of what all tenants do is not for any one of them. */
export function watch(_request: RequestOf<'watch'>, context: CommandContext): void {
  reply(context, 'CLIENT_ERROR watch commands not allowed');
}

// One line an item, as memcached's crawler writes them; keys are percent-encoded.
async function dump(context: CommandContext): Promise<void> {
  for await (const listed of context.cache.list()) {
    context.output.text(dumpLine(listed, context.now()));
    if (context.isFull() && !(await context.drained())) return;
  }
  context.output.text('END\r\n');
}

function dumpLine({ key, item }: ListedItem, now: number): string {
  const expiry = item.expiresAt === NEVER ? -1 : Math.ceil(item.expiresAt / 1000);
  const accessed = Math.floor(Math.min(item.accessedAt, now) / 1000);
  const fetched = item.fetched ? 'yes' : 'no';
  const size = key.length + item.value.length;
  return `key=${encodeKey(key)} exp=${expiry} la=${accessed} cas=${item.cas} fetch=${fetched} cls=1 size=${size}\n`;
}

// As memcached: everything but the characters that need no encoding in a URL.
function encodeKey(key: string): string {
  return key.replace(/[^A-Za-z0-9\-._~]/g, (char) => {
    return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
