import type { Cas } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { Whole } from '../../engine/whole.ts';
import { int32At, uint32At, uint64At } from './numbers.ts';
import { NO_WORD, type Words } from './words.ts';

/** The flags of a meta command. What is undefined was not given; times are exptimes. */
export interface MetaFlags {
  /** The flags that add something to the answer or have to be taken in turn, in the order given: their letters' codes. */
  readonly asked: readonly number[];
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
  /** h, l: asks how the item was used before. */
  readonly asksUse: boolean;
  /** N: make a missing item, which expires then. */
  readonly autovivify: number | undefined;
  /** R: win the right to refresh an item that expires before this. */
  readonly recache: number | undefined;
  /** T: the expiry. */
  readonly ttl: number | undefined;
  /** F */
  readonly clientFlags: number;
  /** C: only this version. */
  readonly compareCas: Cas | undefined;
  /** E: the version that the item gets. */
  readonly explicitCas: Cas | undefined;
  /** M: a letter or a sign; empty unless given. */
  readonly mode: string;
  /** J: the number that a missing item begins with. */
  readonly initial: Whole;
  /** D: how much to add or subtract. */
  readonly delta: Whole;
}

const TILDE = 0x7e;
const LETTER_B = 0x62;
const LETTER_O = 0x4f;

// Flags longer than this are read anew each time.
const KEPT_BYTES_MAX = 48;

/** The longest opaque token, with its O. */
export const OPAQUE_LENGTH_MAX = 32;

const BAD_FORMAT = 'CLIENT_ERROR bad command line format';
const BAD_TOKEN = 'CLIENT_ERROR bad token in command line format';
const BAD_KEY = 'CLIENT_ERROR error decoding key';
const INVALID_FLAG = 'CLIENT_ERROR invalid flag';

/** What a meta command is about. */
export interface MetaTarget {
  readonly key: KeyBytes;
  readonly flags: MetaFlags;
  /** O, with what the answer repeats so that the client knows it again: a view, like the key. */
  readonly opaque: KeyBytes | undefined;
}

/**
 * The flags of a command that were read last, with their bytes, but for what the opaque says: its next line usually has
 * the same ones, and comparing takes a third of the time of reading.
 */
export class LatestFlags {
  readonly #bytes = new Uint8Array(KEPT_BYTES_MAX);
  #length = 0;
  flags: MetaFlags = noFlags();
  /** Which word of the line is the opaque. */
  opaqueAt = NO_WORD;

  keep(flags: MetaFlags, words: Words, from: number, opaqueAt: number): void {
    if (words.lengthFrom(from, opaqueAt) > KEPT_BYTES_MAX) return;
    this.flags = flags;
    this.opaqueAt = opaqueAt;
    this.#length = words.copyFrom(from, this.#bytes, opaqueAt);
  }

  /** Are the flags from a word on the same, but for the opaque? */
  areThose(words: Words, from: number): boolean {
    return words.endsWith(from, this.#bytes, this.#length, this.opaqueAt);
  }
}

/** Reads the key and the flags from a word on; a string is memcached 1.6's answer to what it refuses. */
export function readMetaTarget(words: Words, from: number, latest: LatestFlags): MetaTarget | string {
  if (!latest.areThose(words, from)) return readKeyAndFlags(words, from, latest);
  const { flags, opaqueAt } = latest;
  const key = flags.binaryKey ? words.binaryKey(1) : words.key(1);
  return key ? { key, flags, opaque: opaqueAt === NO_WORD ? undefined : words.view(opaqueAt) } : BAD_KEY;
}

// Of several mistakes the last is told, but that of F only when there is no other.
function readKeyAndFlags(words: Words, from: number, latest: LatestFlags): MetaTarget | string {
  let key: KeyBytes | undefined;
  const flags = noFlags();
  // A bit for each letter: those from A and those from a.
  let seenUpper = 0;
  let seenLower = 0;
  let opaqueAt = NO_WORD;
  let error: string | undefined;
  for (let i = from; i < words.count; i++) {
    const code = words.firstByte(i);
    const bit = 1 << (code & 31);
    if (code > TILDE || (code >= 0x60 ? seenLower & bit : code >= 0x40 ? seenUpper & bit : 0)) {
      return 'CLIENT_ERROR duplicate flag';
    }
    if (code >= 0x60) seenLower |= bit;
    else seenUpper |= bit;
    const problem = readFlag(flags, code, words, i);
    if (problem === INVALID_FLAG) return problem;
    error = problem === BAD_FORMAT ? (error ?? problem) : (problem ?? error);
    if (code === LETTER_B) {
      key = words.binaryKey(1);
      if (!key) error = BAD_KEY;
    } else if (code === LETTER_O) {
      opaqueAt = i;
    }
  }
  if (error !== undefined) return error;
  if ((seenUpper & VARYING) === 0) latest.keep(flags, words, from, opaqueAt);
  return { key: key ?? words.key(1), flags, opaque: opaqueAt === NO_WORD ? undefined : words.view(opaqueAt) };
}

function noFlags(): WritableFlags {
  return {
    asked: NOTHING_ASKED,
    binaryKey: false,
    quiet: false,
    noUse: false,
    value: false,
    invalidate: false,
    removeValue: false,
    asksUse: false,
    autovivify: undefined,
    recache: undefined,
    ttl: undefined,
    clientFlags: 0,
    compareCas: undefined,
    explicitCas: undefined,
    mode: '',
    initial: 0,
    delta: 1,
  };
}

/** Nobody adds to it. */
const NOTHING_ASKED: number[] = [];

/** The letters C and E: versions, which differ from line to line. */
const VARYING = (1 << 3) | (1 << 5);

type WritableFlags = { -readonly [F in Exclude<keyof MetaFlags, 'asked'>]: MetaFlags[F] } & {
  asked: number[];
};

// What follows the letter is its argument. By the letter's code, since making its string takes longer than the whole
// flag; among numbers, V8 jumps to the case.
function readFlag(flags: WritableFlags, code: number, words: Words, index: number): string | undefined {
  switch (code) {
    case 0x62: // b
      flags.binaryKey = true;
      return undefined;
    case 0x71: // q
      flags.quiet = true;
      return undefined;
    case 0x75: // u
      flags.noUse = true;
      return undefined;
    case 0x76: // v
      flags.value = true;
      return undefined;
    case 0x49: // I
      flags.invalidate = true;
      return undefined;
    case 0x78: // x
      flags.removeValue = true;
      return undefined;
    case 0x46: {
      // F
      const clientFlags = uint32At(words, index, 1);
      flags.clientFlags = clientFlags ?? 0;
      return clientFlags === undefined ? BAD_FORMAT : undefined;
    }
    case 0x4e: // N
      flags.autovivify = int32At(words, index, 1);
      return flags.autovivify === undefined ? BAD_TOKEN : ask(flags, code);
    case 0x52: // R
      flags.recache = int32At(words, index, 1);
      return flags.recache === undefined ? BAD_TOKEN : ask(flags, code);
    case 0x54: // T
      flags.ttl = int32At(words, index, 1);
      return flags.ttl === undefined ? BAD_TOKEN : ask(flags, code);
    case 0x43: // C
      flags.compareCas = uint64At(words, index, 1);
      return flags.compareCas === undefined ? BAD_TOKEN : undefined;
    case 0x45: // E
      flags.explicitCas = uint64At(words, index, 1);
      return flags.explicitCas === undefined ? BAD_TOKEN : undefined;
    case 0x4d: // M
      flags.mode = words.text(index).slice(1);
      return flags.mode.length === 1 ? undefined : 'CLIENT_ERROR incorrect length for M token';
    case 0x4a: {
      // J
      const initial = uint64At(words, index, 1);
      flags.initial = initial ?? 0;
      return initial === undefined ? 'CLIENT_ERROR invalid numeric initial value' : undefined;
    }
    case 0x44: {
      // D
      const delta = uint64At(words, index, 1);
      flags.delta = delta ?? 0;
      return delta === undefined ? 'CLIENT_ERROR invalid numeric delta value' : undefined;
    }
    case 0x68: // h
    case 0x6c: // l
      flags.asksUse = true;
      return ask(flags, code);
    case 0x4f: // O
    case 0x6b: // k
    case 0x73: // s
    case 0x74: // t
    case 0x63: // c
    case 0x66: // f
      return ask(flags, code);
    case 0x50: // P and L are for proxies.
    case 0x4c:
      return undefined;
    default:
      return INVALID_FLAG;
  }
}

function ask(flags: WritableFlags, code: number): undefined {
  // A list made with one letter has room for one only, and most requests have one or none.
  if (flags.asked === NOTHING_ASKED) flags.asked = [code];
  else flags.asked.push(code);
}
