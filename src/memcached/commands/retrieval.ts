import type { Answer } from '../../engine/answer.ts';
import type { Item } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { ReplyBuffer } from '../connections/reply-buffer.ts';
import { expiresAtFrom } from '../exptime.ts';
import type { RetrievalRequest } from '../requests/request.ts';
import type { CommandContext } from './context.ts';

/** get, gets, gat, gats. Stops early where there are many keys, or much for the client to read; call it again then. */
export function retrieve(request: RetrievalRequest, context: CommandContext): Answer<void> {
  const { command, keys } = request;
  const withCas = command === 'gets' || command === 'gats';
  while (request.answered < keys.length) {
    if (context.isFull()) return;
    const key = keys[request.answered] as KeyBytes;
    const item = look(request, key, context);
    if (item instanceof Promise) {
      return item.then((found) => {
        writeHit(context.output, key, found, withCas);
        request.answered++;
        return retrieve(request, context);
      });
    }
    writeHit(context.output, key, item, withCas);
    request.answered++;
  }
  const more = request.later?.next();
  if (more) {
    request.keys = more;
    request.answered = 0;
    return;
  }
  context.output.text('END\r\n');
  request.answered++;
}

/** Has everything been answered, the END too? */
export function isAnswered(request: RetrievalRequest): boolean {
  return request.answered > request.keys.length;
}

function look(request: RetrievalRequest, key: KeyBytes, context: CommandContext): Answer<Item | undefined> {
  if (request.command === 'get' || request.command === 'gets') return context.cache.get(key);
  return context.cache.touch(key, expiresAtFrom(request.exptime, context.clock));
}

function writeHit(output: ReplyBuffer, key: KeyBytes, item: Item | undefined, withCas: boolean): void {
  if (item) output.hit(key, item, withCas ? ` ${item.cas}` : '');
}
