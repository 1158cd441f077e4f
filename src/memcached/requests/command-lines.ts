import type { KeyBytes } from '../../engine/key.ts';
import { KEY_LENGTH_MAX } from '../../engine/limits.ts';
import { KEYS_PER_TURN_MAX, LaterKeys } from './later-keys.ts';
import { LatestFlags, type MetaFlags, OPAQUE_LENGTH_MAX, readMetaTarget } from './meta-flags.ts';
import { int32At, uint32At, uint64At } from './numbers.ts';
import type { RefusedRequest, Request, RetrievalRequest, StorageRequest } from './request.ts';
import { codeOf, type Words } from './words.ts';

/**
 * Reads one command line from its words, the first being the command. Where a data block follows, it sets the words'
 * `dataLength`; a block after a refusal is to be skipped.
 */
type LineParser = (words: Words) => Request;

/** How each command's line is read. What is not here is unknown: `ERROR`. */
export const lineParsers: ReadonlyMap<string, LineParser> = new Map<string, LineParser>([
  ['get', retrieval('get')],
  // An ancient name for get which memcached still takes.
  ['bget', retrieval('get')],
  ['gets', retrieval('gets')],
  ['gat', retrievalWithTouch('gat')],
  ['gats', retrievalWithTouch('gats')],
  ['set', storage('set')],
  ['add', storage('add')],
  ['replace', storage('replace')],
  ['append', storage('append')],
  ['prepend', storage('prepend')],
  ['cas', storage('cas')],
  ['delete', readDelete],
  ['incr', arithmetic('incr')],
  ['decr', arithmetic('decr')],
  ['touch', readTouch],
  ['flush_all', readFlushAll],
  ['verbosity', readVerbosity],
  ['version', () => ({ command: 'version' })],
  ['quit', () => ({ command: 'quit' })],
  ['stats', withWords('stats')],
  ['lru_crawler', withWords('lru_crawler')],
  ['watch', withWords('watch')],
  ['mn', () => ({ command: 'mn' })],
  ['mg', meta('mg')],
  ['md', meta('md')],
  ['ma', meta('ma')],
  ['me', readMetaDebug],
  ['ms', readMetaStorage],
  ['slabs', notHere('slabs')],
  ['cache_memlimit', notHere('cache_memlimit')],
  ['lru', notHere('lru')],
  ['extstore', notHere('extstore')],
  ['shutdown', () => refused('ERROR: shutdown not enabled')],
  ['refresh_certs', () => refused('ERROR: refresh_certs not enabled')],
]);

/** The parser for a line with these words. Finds the command without making a string of it. */
export function lineParserFor(words: Words): LineParser | undefined {
  if (words.is(0, latest.name)) return latest.parse;
  const found = parsersByCode.get(words.code(0));
  if (!found || !words.is(0, found.name)) return undefined;
  latest = found;
  return found.parse;
}

const parsersByCode = new Map([...lineParsers].map(([name, parse]) => [codeOf(name), { name, parse }]));

/** The one that was found last: the next line is usually another of the same command. */
let latest: { readonly name: string; readonly parse: LineParser } = { name: 'get', parse: retrieval('get') };

const LETTER_S = 0x53;
const NO_DATA = Buffer.alloc(0);
const BAD_FORMAT = 'CLIENT_ERROR bad command line format';
const INVALID_EXPTIME = 'CLIENT_ERROR invalid exptime argument';

// memcached counts the command, the key, all flags and the line's end.
const META_WORDS_MAX = 19;

// What memcached takes for the length of a value at most: an int, less the line end.
const DATA_LENGTH_MAX = 0x7fffffff - 2;

export function refused(
  reply: string,
  options: { noreply?: boolean; tooLargeFor?: KeyBytes; close?: true } = {},
): RefusedRequest {
  return { command: 'refused', reply, noreply: false, ...options };
}

function retrieval(command: 'get' | 'gets'): LineParser {
  return (words) => (words.count < 2 ? refused('ERROR') : readKeys(command, words, 1, 0));
}

function retrievalWithTouch(command: 'gat' | 'gats'): LineParser {
  return (words) => {
    if (words.count < 2) return refused('ERROR');
    const exptime = int32At(words, 1);
    return exptime === undefined ? refused(INVALID_EXPTIME) : readKeys(command, words, 2, exptime);
  };
}

function readKeys(
  command: RetrievalRequest['command'],
  words: Words,
  from: number,
  exptime: number,
): RetrievalRequest | RefusedRequest {
  // By far the most frequent request of all, so a list with room for just one key is worth it.
  if (words.count === from + 1 && words.length(from) <= KEY_LENGTH_MAX) {
    return { command, keys: [words.key(from)], later: undefined, exptime, answered: 0 };
  }
  for (let i = from; i < words.count; i++) {
    // One key too long spoils the whole command; the values before it are not sent.
    if (words.length(i) > KEY_LENGTH_MAX) return refused(BAD_FORMAT);
  }
  const keys: KeyBytes[] = [];
  const end = Math.min(words.count, from + KEYS_PER_TURN_MAX);
  for (let i = from; i < end; i++) keys.push(words.key(i));
  return { command, keys, later: laterKeys(words, end), exptime, answered: 0 };
}

function laterKeys(words: Words, from: number): LaterKeys | undefined {
  if (from === words.count) return undefined;
  const bytes = Buffer.allocUnsafeSlow(words.lengthFrom(from));
  words.copyFrom(from, bytes);
  return new LaterKeys(bytes, words.count - from);
}

function storage(command: StorageRequest['command']): LineParser {
  const count = command === 'cas' ? 6 : 5;
  return (words) => {
    if (words.count !== count && words.count !== count + 1) return refused('ERROR');
    const noreply = words.is(words.count - 1, 'noreply');
    const flags = uint32At(words, 2);
    const exptime = int32At(words, 3);
    const dataLength = dataLengthAt(words, 4);
    const cas = command === 'cas' ? uint64At(words, 5) : 0;
    const broken =
      words.length(1) > KEY_LENGTH_MAX || flags === undefined || exptime === undefined || cas === undefined;
    if (broken || dataLength === undefined) return refused(BAD_FORMAT, { noreply });
    words.dataLength = dataLength;
    return { command, key: words.key(1), flags, exptime, cas, noreply, data: NO_DATA };
  };
}

function dataLengthAt(words: Words, index: number, skip = 0): number | undefined {
  const length = int32At(words, index, skip);
  return length === undefined || length < 0 || length > DATA_LENGTH_MAX ? undefined : length;
}

/**
 * A set that signs a client in. As in memcached's own sign-in, flags and exptime may be anything, and so may what
 * follows the length: emcache sends `set _ _ _ LENGTH`. Undefined: it is no such line.
 */
export function readSignIn(words: Words): StorageRequest | undefined {
  if (!words.is(0, 'set') || words.count < 5 || words.length(1) > KEY_LENGTH_MAX) return undefined;
  const dataLength = dataLengthAt(words, 4);
  if (dataLength === undefined) return undefined;
  words.dataLength = dataLength;
  const noreply = words.count > 5 && words.is(words.count - 1, 'noreply');
  return { command: 'set', key: words.key(1), flags: 0, exptime: 0, cas: 0, noreply, data: NO_DATA };
}

function readDelete(words: Words): Request {
  if (words.count < 2 || words.count > 4) return refused('ERROR');
  const noreply = words.count > 2 && words.is(words.count - 1, 'noreply');
  // A hold time of 0 is all that is left of an old form: `delete key 0 [noreply]`.
  const understood = words.count - (noreply ? 1 : 0) === (words.is(2, '0') ? 3 : 2);
  if (!understood) return refused(`${BAD_FORMAT}.  Usage: delete <key> [noreply]`, { noreply });
  if (words.length(1) > KEY_LENGTH_MAX) return refused(BAD_FORMAT, { noreply });
  return { command: 'delete', key: words.key(1), noreply };
}

function arithmetic(command: 'incr' | 'decr'): LineParser {
  return (words) => {
    if (words.count !== 3 && words.count !== 4) return refused('ERROR');
    const noreply = words.is(words.count - 1, 'noreply');
    if (words.length(1) > KEY_LENGTH_MAX) return refused(BAD_FORMAT, { noreply });
    const delta = uint64At(words, 2);
    if (delta === undefined) return refused('CLIENT_ERROR invalid numeric delta argument', { noreply });
    return { command, key: words.key(1), delta, noreply };
  };
}

function readTouch(words: Words): Request {
  if (words.count !== 3 && words.count !== 4) return refused('ERROR');
  const noreply = words.is(words.count - 1, 'noreply');
  if (words.length(1) > KEY_LENGTH_MAX) return refused(BAD_FORMAT, { noreply });
  const exptime = int32At(words, 2);
  if (exptime === undefined) return refused(INVALID_EXPTIME, { noreply });
  return { command: 'touch', key: words.key(1), exptime, noreply };
}

function readFlushAll(words: Words): Request {
  if (words.count > 3) return refused('ERROR');
  const noreply = words.is(words.count - 1, 'noreply');
  if (words.count === (noreply ? 2 : 1)) return { command: 'flush_all', delaySeconds: 0, noreply };
  const delay = int32At(words, 1);
  if (delay === undefined) return refused(INVALID_EXPTIME, { noreply });
  return { command: 'flush_all', delaySeconds: delay, noreply };
}

function readVerbosity(words: Words): Request {
  if (words.count !== 2 && words.count !== 3) return refused('ERROR');
  const noreply = words.is(words.count - 1, 'noreply');
  if (uint32At(words, 1) === undefined) return refused(BAD_FORMAT, { noreply });
  return { command: 'verbosity', noreply };
}

function withWords(command: 'stats' | 'lru_crawler' | 'watch'): LineParser {
  return (words) => ({
    command,
    words: Array.from({ length: words.count - 1 }, (_, i) => words.text(i + 1)),
  });
}

// What concerns the whole memcached process has no meaning for one tenant of many.
function notHere(command: string): LineParser {
  return () => refused(`CLIENT_ERROR ${command} is not available: this server has many tenants`);
}

function meta(command: 'mg' | 'md' | 'ma'): LineParser {
  const latestFlags = new LatestFlags();
  // Only mg tells which flag it did not like.
  const anyFlagError = command === 'mg' ? undefined : 'CLIENT_ERROR invalid or duplicate flag';
  return (words) => {
    if (words.count < 2) return refused('ERROR');
    if (words.length(1) > KEY_LENGTH_MAX) return refused(BAD_FORMAT);
    if (words.count > META_WORDS_MAX) {
      return refused(`CLIENT_ERROR options flags ${command === 'mg' ? 'are ' : ''}too long`);
    }
    const target = readMetaTarget(words, 2, latestFlags);
    if (typeof target === 'string') return refused(anyFlagError ?? target);
    const { key, flags, opaque } = target;
    const problem = modeProblem(command, flags) ?? opaqueProblem(opaque);
    return problem ? refused(problem) : { command, key, flags, opaque };
  };
}

const latestOfStorage = new LatestFlags();

function readMetaStorage(words: Words): Request {
  if (words.count < 2) return refused('ERROR');
  if (words.length(1) > KEY_LENGTH_MAX || words.count === 2) return refused(BAD_FORMAT);
  if (words.count > META_WORDS_MAX) return refused('CLIENT_ERROR options flags too long');
  // Early versions of the meta protocol wrote the length as a flag: S100.
  const dataLength = dataLengthAt(words, 2, words.firstByte(2) === LETTER_S ? 1 : 0);
  if (dataLength === undefined) return refused(BAD_FORMAT);
  // Also where the line is refused from here on.
  words.dataLength = dataLength;
  const target = readMetaTarget(words, 3, latestOfStorage);
  if (typeof target === 'string') return refused(target);
  const { key, flags, opaque } = target;
  const problem = modeProblem('ms', flags) ?? opaqueProblem(opaque);
  return problem === undefined ? { command: 'ms', key, flags, opaque, data: NO_DATA } : refused(problem);
}

function readMetaDebug(words: Words): Request {
  if (words.count < 2 || words.length(1) > KEY_LENGTH_MAX) return refused(BAD_FORMAT);
  const binary = words.is(2, 'b');
  const key = binary ? words.binaryKey(1) : words.key(1);
  return key === undefined ? refused(BAD_FORMAT) : { command: 'me', key, binaryKey: binary };
}

function modeProblem(command: 'mg' | 'md' | 'ma' | 'ms', { mode }: MetaFlags): string | undefined {
  if (mode === '') return undefined;
  const modes = { mg: undefined, md: undefined, ma: 'I+D-', ms: 'EAPRS' }[command];
  if (modes === undefined || modes.includes(mode)) return undefined;
  return `CLIENT_ERROR invalid mode for ${command} M token`;
}

function opaqueProblem(opaque: KeyBytes | undefined): string | undefined {
  return opaque && opaque.length > OPAQUE_LENGTH_MAX ? 'CLIENT_ERROR opaque token too long' : undefined;
}
