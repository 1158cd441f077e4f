import { readFile } from 'node:fs/promises';
import { firstLine, lastLine } from '../../dump/first-and-last-line.ts';
import { itemLine } from '../../dump/item-line.ts';
import { messageOf } from '../../thrown.ts';
import { ControlError } from '../control.ts';
import { type MemcachedSource, memcachedItems } from './memcached-items.ts';

const PIECE_LENGTH = 64 * 1024;

/** What a memcached has, as a dump. `onItem` is told of each item as it goes on its way. */
export async function* memcachedDump(
  source: MemcachedSource,
  onItem: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let piece = firstLine({ project: undefined, cache: undefined }, Date.now());
  let items = 0;
  for await (const item of memcachedItems(source)) {
    const line = itemLine(item);
    piece += line;
    items++;
    onItem(line.length);
    if (piece.length < PIECE_LENGTH) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  yield Buffer.from(piece + lastLine(items));
}

/** The sign-in by the first user of a file that memcached itself reads: USER:PASSWORD, one a line. Throws ControlError. */
export async function readSignIn(path: string): Promise<string> {
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    throw new ControlError(`${path} cannot be read: ${messageOf(error)}`);
  });
  const [first = ''] = text.split(/\r?\n/);
  const colon = first.indexOf(':');
  if (colon > 0) return `${first.slice(0, colon)} ${first.slice(colon + 1)}`;
  throw new ControlError(`${path} must have USER:PASSWORD in its first line`);
}
