import { isUtf8 } from 'node:buffer';
import { withoutByteOrderMark } from '../byte-order-mark.ts';
import { itemsFrom, type Origin, originFrom } from './first-and-last-line.ts';
import { itemFrom, type PortableItem } from './item-line.ts';
import { LineMistake } from './line-mistake.ts';

/** A line of a dump, as what it is. */
export type DumpLine =
  | { readonly is: 'first'; readonly origin: Origin }
  | { readonly is: 'item'; readonly item: PortableItem }
  | { readonly is: 'last'; readonly items: number };

/** Reads a line, without its end. Throws LineMistake. */
export function readLine(line: Buffer): DumpLine {
  const members = membersOf(line);
  if ('format' in members) return { is: 'first', origin: originFrom(members) };
  if (members['end'] === true) return { is: 'last', items: itemsFrom(members) };
  return { is: 'item', item: itemFrom(members) };
}

/** White space alone, which means nothing. */
export function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === SPACE || byte === CARRIAGE_RETURN || byte === TAB);
}

/** The beginning of a file that gzip made: no line begins so. */
export function isCompressed(line: Buffer): boolean {
  return line[0] === GZIP;
}

const GZIP = 0x1f;
const SPACE = 0x20;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;

function membersOf(line: Buffer): Readonly<Record<string, unknown>> {
  if (isCompressed(line)) throw new LineMistake('is compressed: send what gunzip makes of it');
  if (!isUtf8(line))
    throw new LineMistake('is not valid UTF-8; give bytes as "key_base64" and "value_base64"');
  const parsed = parse(line.toString('utf8'));
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw new LineMistake('is not a JSON object');
}

function parse(text: string): unknown {
  try {
    // Any line may begin with a mark: files may be joined.
    return JSON.parse(withoutByteOrderMark(text));
  } catch {
    // The parser's own words quote the text, which may be somebody's secret.
    throw new LineMistake('is not valid JSON');
  }
}
