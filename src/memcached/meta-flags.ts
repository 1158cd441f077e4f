import { type Cas, casFrom } from '../engine/item.ts';
import type { Key } from '../engine/key.ts';
import { keyFromBase64 } from './base64-key.ts';
import { int32At, uint32At, uint64From } from './numbers.ts';
import type { Words } from './words.ts';

/** The flags of a meta command. What is undefined was not given; times are exptimes. */
export interface MetaFlags {
  /** The flags that add something to the answer, in the order given: each as it was written. */
  readonly tokens: readonly string[];
  /** b: the key came base64-encoded. */
  readonly binaryKey: boolean;
  /** q: leave out the answer that is nothing new. */
  readonly quiet: boolean;
  /** u: do not count as a use. */
  readonly noUse: boolean;
  /** v: answer the value. */
  readonly value: boolean;
  /** I: invalidate (md), or accept an older cas and mark stale (ms). */
  readonly invalidate: boolean;
  /** x: remove the value, keep the item. */
  readonly removeValue: boolean;
  /** h, l, t, R, N, T need the item as it was before this use, or change it. */
  readonly autovivify: number | undefined;
  readonly recache: number | undefined;
  readonly ttl: number | undefined;
  readonly clientFlags: number;
  readonly compareCas: Cas | undefined;
  readonly explicitCas: Cas | undefined;
  readonly mode: string;
  readonly initial: bigint;
  readonly delta: bigint;
}

const TILDE = 0x7e;
const LETTER_B = 0x62;

/** The longest opaque token, with its O. */
export const OPAQUE_LENGTH_MAX = 32;

const BAD_FORMAT = 'CLIENT_ERROR bad command line format';
const BAD_TOKEN = 'CLIENT_ERROR bad token in command line format';

/** What a meta command is about. */
export interface MetaTarget {
  readonly key: Key;
  readonly flags: MetaFlags;
}

/**
 * Reads the key and the flags from a word on; a string is memcached 1.6's answer to what it refuses. Of
 * several mistakes the last is told, but that of F only when there is no other.
 */
export function readMetaTarget(words: Words, from: number): MetaTarget | string {
  let key: Key = words.key(1);
  const flags = noFlags();
  const tokens: string[] = [];
  // A bit for each letter: those from A and those from a.
  let seenUpper = 0;
  let seenLower = 0;
  let error: string | undefined;
  for (let i = from; i < words.count; i++) {
    const code = words.byte(i, 0);
    const bit = 1 << (code & 31);
    if (code > TILDE || (code >= 0x60 ? seenLower & bit : code >= 0x40 ? seenUpper & bit : 0)) {
      return 'CLIENT_ERROR duplicate flag';
    }
    if (code >= 0x60) seenLower |= bit;
    else seenUpper |= bit;
    const token = words.text(i);
    tokens.push(token);
    const problem = readFlag(flags, token, words, i);
    if (problem === UNKNOWN) return 'CLIENT_ERROR invalid flag';
    error = problem === BAD_FORMAT ? (error ?? problem) : (problem ?? error);
    if (code === LETTER_B) {
      key = keyFromBase64(words.text(1)) ?? '';
      if (key === '') error = 'CLIENT_ERROR error decoding key';
    }
  }
  if (error !== undefined) return error;
  flags.tokens = tokens;
  return { key, flags };
}

function noFlags(): WritableFlags {
  return {
    tokens: [],
    binaryKey: false,
    quiet: false,
    noUse: false,
    value: false,
    invalidate: false,
    removeValue: false,
    autovivify: undefined,
    recache: undefined,
    ttl: undefined,
    clientFlags: 0,
    compareCas: undefined,
    explicitCas: undefined,
    mode: '',
    initial: 0n,
    delta: 1n,
  };
}

const UNKNOWN = Symbol('unknown flag');

type WritableFlags = { -readonly [F in keyof MetaFlags]: MetaFlags[F] };

// What follows the letter is its argument.
function readFlag(
  flags: WritableFlags,
  token: string,
  words: Words,
  index: number,
): string | typeof UNKNOWN | undefined {
  switch (token.charAt(0)) {
    case 'b':
      flags.binaryKey = true;
      return undefined;
    case 'q':
      flags.quiet = true;
      return undefined;
    case 'u':
      flags.noUse = true;
      return undefined;
    case 'v':
      flags.value = true;
      return undefined;
    case 'I':
      flags.invalidate = true;
      return undefined;
    case 'x':
      flags.removeValue = true;
      return undefined;
    case 'N':
      flags.autovivify = int32At(words, index, 1);
      return flags.autovivify === undefined ? BAD_TOKEN : undefined;
    case 'R':
      flags.recache = int32At(words, index, 1);
      return flags.recache === undefined ? BAD_TOKEN : undefined;
    case 'T':
      flags.ttl = int32At(words, index, 1);
      return flags.ttl === undefined ? BAD_TOKEN : undefined;
    case 'F': {
      const clientFlags = uint32At(words, index, 1);
      flags.clientFlags = clientFlags ?? 0;
      return clientFlags === undefined ? BAD_FORMAT : undefined;
    }
    case 'C':
      flags.compareCas = casFromText(token.slice(1));
      return flags.compareCas === undefined ? BAD_TOKEN : undefined;
    case 'E':
      flags.explicitCas = casFromText(token.slice(1));
      return flags.explicitCas === undefined ? BAD_TOKEN : undefined;
    case 'M':
      flags.mode = token.slice(1);
      return token.length === 2 ? undefined : 'CLIENT_ERROR incorrect length for M token';
    case 'J':
      flags.initial = uint64From(token.slice(1)) ?? 0n;
      return uint64From(token.slice(1)) === undefined
        ? 'CLIENT_ERROR invalid numeric initial value'
        : undefined;
    case 'D':
      flags.delta = uint64From(token.slice(1)) ?? 0n;
      return uint64From(token.slice(1)) === undefined
        ? 'CLIENT_ERROR invalid numeric delta value'
        : undefined;
    case 'O':
    case 'P':
    case 'L':
    case 'k':
    case 's':
    case 't':
    case 'c':
    case 'f':
    case 'l':
    case 'h':
      return undefined;
    default:
      return UNKNOWN;
  }
}

function casFromText(text: string): Cas | undefined {
  const value = uint64From(text);
  return value === undefined ? undefined : casFrom(value);
}
