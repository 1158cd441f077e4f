import type { StoreMode } from '../../engine/changes.ts';
import type { Cas } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { Whole } from '../../engine/whole.ts';
import type { LaterKeys } from './later-keys.ts';
import type { MetaTarget } from './meta-flags.ts';

/** What a client asked, understood and in order. It holds until the next; see Parser. */
export type Request =
  | RetrievalRequest
  | StorageRequest
  | { readonly command: 'delete'; readonly key: KeyBytes; readonly noreply: boolean }
  | {
      readonly command: 'incr' | 'decr';
      readonly key: KeyBytes;
      readonly delta: Whole;
      readonly noreply: boolean;
    }
  | { readonly command: 'touch'; readonly key: KeyBytes; readonly exptime: number; readonly noreply: boolean }
  | { readonly command: 'flush_all'; readonly delaySeconds: number; readonly noreply: boolean }
  | { readonly command: 'verbosity'; readonly noreply: boolean }
  | { readonly command: 'version' | 'quit' | 'mn' }
  | { readonly command: 'stats' | 'lru_crawler' | 'watch'; readonly words: readonly string[] }
  | ({ readonly command: 'mg' | 'md' | 'ma' } & MetaTarget)
  | MetaStorageRequest
  | { readonly command: 'me'; readonly key: KeyBytes; readonly binaryKey: boolean }
  | RefusedRequest;

/** The request of one command. */
export type RequestOf<C extends Request['command']> = Request extends infer R
  ? R extends { readonly command: infer K }
    ? C extends K
      ? R
      : never
    : never
  : never;

export interface RetrievalRequest {
  readonly command: 'get' | 'gets' | 'gat' | 'gats';
  /** Those that are looked for now. */
  keys: readonly KeyBytes[];
  /** Those behind them, of a get that has very many. */
  readonly later: LaterKeys | undefined;
  /** For gat and gats. */
  readonly exptime: number;
  /** How many of `keys` are answered: a long get may have to wait until its client has read. */
  answered: number;
}

export interface StorageRequest {
  readonly command: StoreMode | 'cas';
  readonly key: KeyBytes;
  readonly flags: number;
  readonly exptime: number;
  /** For cas. */
  readonly cas: Cas;
  readonly noreply: boolean;
  /** The data block without its line end, once it has come; may be a view of the input. */
  data: Buffer;
}

export interface MetaStorageRequest extends MetaTarget {
  readonly command: 'ms';
  /** As with StorageRequest. */
  data: Buffer;
}

/** Something that is answered by a fixed text: not understood, or beyond a limit. */
export interface RefusedRequest {
  readonly command: 'refused';
  readonly reply: string;
  readonly noreply: boolean;
  /** The key of a set whose value is too large: its old value must not survive. */
  readonly tooLargeFor?: KeyBytes;
  /** Nothing after this can be understood: answer and close. */
  readonly close?: true;
}

/** A storage command whose data block may be still to come. */
export type Announced = StorageRequest | MetaStorageRequest;

/** Does its client want no answer? ms has no such word. */
export function isNoreply(request: Request): boolean {
  return 'noreply' in request && request.noreply;
}

/** Copies what a request has of the parser's input, so that it lasts longer than that. */
export function keepRequest(request: Request): void {
  if ('keys' in request) keepTogether(request.keys, request.answered);
  if ('key' in request) request.key.keep();
  if ('opaque' in request) request.opaque?.keep();
  if ('tooLargeFor' in request) request.tooLargeFor?.keep();
  if ('data' in request) request.data = Buffer.from(request.data);
}

// Those of one line: a buffer for each would take many times their bytes.
function keepTogether(keys: readonly KeyBytes[], from: number): void {
  const [first, last] = [keys[from], keys.at(-1)];
  if (!first || !last) return;
  const { start } = first;
  const bytes = Buffer.from(first.bytes.subarray(start, last.start + last.length));
  for (let i = from; i < keys.length; i++) keys[i]?.moveTo(bytes, start);
}
