import { isUtf8 } from 'node:buffer';
import { withoutByteOrderMark } from '../byte-order-mark.ts';
import { HttpRefusal } from './http-refusal.ts';

/** A member of a JSON object: what JSON.parse made of it, and the text it was made from. */
export interface Member {
  readonly value: unknown;
  /** JSON.parse rounds numbers; this has every digit. */
  source(): string;
}

/** The members of a request body by their names in lower case: clients write them as they like. */
type Members = ReadonlyMap<string, Member>;

/**
 * Reads a body as a JSON object, an empty one as no members. Throws HttpRefusal 400, which shows an example. Where it
 * is known which members are `wanted`, others are left out: a body can have a hundred thousand.
 */
export function readMembers(body: Buffer, example: string, wanted?: ReadonlySet<string>): Members {
  if (!isUtf8(body)) {
    throw new HttpRefusal(400, 'The body is not valid UTF-8. Send JSON as UTF-8, not compressed.');
  }
  const text = withoutByteOrderMark(body.toString('utf8'));
  const members = new Map<string, Member>();
  if (text.trim() === '') return members;
  const parsed = parse(text, example);
  for (const name of Object.keys(parsed)) {
    const lowerCase = name.toLowerCase();
    if (wanted && !wanted.has(lowerCase)) continue;
    // The name in its documented spelling wins over any other.
    if (name !== lowerCase && members.has(lowerCase)) continue;
    members.set(lowerCase, { value: parsed[name], source: () => memberSource(text, name) });
  }
  return members;
}

/**
 * The source text of a top-level member of a JSON object that JSON.parse has accepted. Where a name
 * occurs more than once it is the last one's, as with JSON.parse.
 */
export function memberSource(text: string, name: string): string {
  let source = '';
  let at = skipSpace(text, text.indexOf('{') + 1);
  while (text[at] === '"') {
    const nameEnd = endOfString(text, at);
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const valueEnd = endOfValue(text, valueStart);
    if (isNamed(text.slice(at, nameEnd), name)) source = text.slice(valueStart, valueEnd);
    // Behind the value: white space, then a comma or the closing brace.
    at = skipSpace(text, skipSpace(text, valueEnd) + 1);
  }
  return source;
}

function parse(text: string, example: string): Readonly<Record<string, unknown>> {
  const parsed = parseJson(text, example);
  if (isObject(parsed)) return parsed;
  throw new HttpRefusal(400, `The body must be a JSON object, like ${example}.`);
}

function isObject(parsed: unknown): parsed is Record<string, unknown> {
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
}

function parseJson(text: string, example: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpRefusal(400, `The body is not valid JSON. Send a JSON object, like ${example}.`);
  }
}

function isNamed(quoted: string, name: string): boolean {
  return quoted.includes('\\') ? JSON.parse(quoted) === name : quoted.slice(1, -1) === name;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** The index behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end + 1;
}

// An odd number of backslashes before a quote escapes it.
function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  return first === '{' || first === '[' ? endOfContainer(text, start) : endOfWord(text, start);
}

function endOfContainer(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at) - 1;
    else if (char === '{' || char === '[') depth++;
    else if ((char === '}' || char === ']') && --depth === 0) return at + 1;
  }
  return text.length;
}

// A number, true, false or null.
function endOfWord(text: string, start: number): number {
  let end = start;
  while (end < text.length && /[^\s,}\]]/.test(text.charAt(end))) end++;
  return end;
}
