import type { IncomingMessage } from 'node:http';
import type { PortableItem } from '../../dump/item-line.ts';
import { type DumpLine, isBlank, isCompressed, readLine } from '../../dump/line.ts';
import { LineMistake } from '../../dump/line-mistake.ts';
import { LineSplitter } from '../../dump/line-splitter.ts';
import { type Answer, after } from '../../engine/answer.ts';
import type { Cache } from '../../engine/cache.ts';
import type { StoreOutcome } from '../../engine/changes.ts';
import { type Clock, clockSet } from '../../engine/clock.ts';
import type { CommitGate } from '../../engine/commit-gate.ts';
import { isServersFault, Refusal, type RefusalCode } from '../../engine/errors.ts';
import { endedEarly } from '../body.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { keptOrFail } from './kept-changes.ts';
import type { LongWork } from './long-work.ts';

interface LoadOptions {
  /** `add`: what is in the cache already stays as it is. */
  readonly mode: 'set' | 'add';
  readonly valueBytesMax: number;
  readonly clock: Clock;
  readonly commitGate: CommitGate | undefined;
}

/** What became of the items of a dump. */
interface LoadReport {
  readonly loaded: number;
  /** Had expired before they came. */
  readonly expired: number;
  /** Were in the cache already, and stay as they are. */
  readonly kept: number;
  /** What this server does not take, by reason. */
  readonly refused: readonly RefusedItems[];
}

interface RefusedItems {
  readonly msg: string;
  items: number;
  /** The first of their lines; the first of all is 1. */
  readonly line: number;
}

/**
 * Loads the lines of a dump as they come, and keeps none. Undefined: the right to write ended meanwhile.
 * Throws HttpRefusal 400 for the first line that is not as it should be; what was loaded before it stays. That is said
 * once it is kept: the disk may have failed since the last item came.
 */
export async function loadItems(
  message: IncomingMessage,
  cache: Cache,
  work: LongWork,
  options: LoadOptions,
): Promise<LoadReport | undefined> {
  const loading = new Loading(cache, work, options);
  const splitter = new LineSplitter(lineBytesMax(options.valueBytesMax));
  try {
    for await (const piece of message.iterator({ destroyOnReturn: false })) {
      // It may have been long in coming.
      if (!work.mayGoOn) return undefined;
      for (const line of splitter.split(piece)) {
        const answer = loading.take(line);
        if (answer instanceof Promise) await answer;
        if (work.isLong && !(await work.rest())) return undefined;
      }
      // Further pieces would be read before anybody else has a turn.
      if (!(await work.rest())) return undefined;
    }
    if (!work.mayGoOn) return undefined;
    await loading.takeRest(splitter.rest());
    const report = loading.finish();
    await keptOrFail(options.commitGate);
    return report;
  } catch (error) {
    if (error instanceof LineMistake) {
      await keptOrFail(options.commitGate);
      throw loading.refusal(error);
    }
    throw message.errored ? endedEarly(message) : error;
  }
}

const FIRST_LINE = '{"format": "ironcached items", "version": 1}';

/** A control character, the worst case, takes six bytes in JSON. The rest is for the key and other members. */
function lineBytesMax(valueBytesMax: number): number {
  return 6 * valueBytesMax + 4_096;
}

/** A dump of which some lines have been read. */
class Loading {
  readonly #cache: Cache;
  readonly #work: LongWork;
  readonly #options: LoadOptions;
  #loaded = 0;
  #expired = 0;
  #kept = 0;
  readonly #refused = new Map<RefusalCode, RefusedItems>();
  /** The number of the line that is next. */
  #line = 1;
  #items = 0;
  #next: 'first' | 'item' | 'nothing' = 'first';

  constructor(cache: Cache, work: LongWork, options: LoadOptions) {
    this.#cache = cache;
    this.#work = work;
    this.#options = options;
  }

  /** Takes the next line. Throws LineMistake. */
  take(bytes: Buffer): Answer<void> {
    const answer = isBlank(bytes) ? undefined : this.#read(readLine(bytes));
    this.#line++;
    return answer;
  }

  /** Takes what comes behind the end of the last line: usually nothing. Throws LineMistake. */
  takeRest(bytes: Buffer): Answer<void> {
    if (bytes.length === 0) return undefined;
    const isWhole = isBlank(bytes) || isCompressed(bytes) || bytes.toString('latin1').trimEnd().endsWith('}');
    if (!isWhole) throw new LineMistake('breaks off: the dump was cut off');
    return this.take(bytes);
  }

  /** Throws LineMistake where the last line did not come. */
  finish(): LoadReport {
    if (this.#next !== 'nothing')
      throw new LineMistake('is missing: it would say {"end": true}, so the dump was cut off');
    return {
      loaded: this.#loaded,
      expired: this.#expired,
      kept: this.#kept,
      refused: [...this.#refused.values()],
    };
  }

  /** Why the line that is next cannot be taken, and what was done before. */
  refusal({ message }: LineMistake): HttpRefusal {
    return new HttpRefusal(
      400,
      `Line ${this.#line} ${message}. Items loaded before it, which stay: ${this.#loaded}.`,
    );
  }

  #read(line: DumpLine): Answer<void> {
    if (this.#next === 'nothing') throw new LineMistake('comes after the last line; send one dump at a time');
    if (this.#next === 'first' && line.is !== 'first')
      throw new LineMistake(`must be the first line of a dump: ${FIRST_LINE}`);
    switch (line.is) {
      case 'first':
        return this.#begin();
      case 'item':
        this.#items++;
        this.#work.count();
        return this.#load(line.item);
      case 'last':
        return this.#end(line.items);
    }
  }

  #begin(): void {
    if (this.#next !== 'first')
      throw new LineMistake('begins another dump, though this one has no last line');
    this.#next = 'item';
  }

  #end(items: number): void {
    if (items !== this.#items)
      throw new LineMistake(`says that there are ${items} items, but there are ${this.#items}`);
    this.#next = 'nothing';
  }

  #load({ key, stale, ...value }: PortableItem): Answer<void> {
    const { clock, mode } = this.#options;
    const expiresAt = value.expiresAt - clockSet(clock);
    if (expiresAt <= clock.now()) {
      this.#expired++;
      return undefined;
    }
    const line = this.#line;
    try {
      const answer = after(this.#cache.store(mode, key, { ...value, expiresAt }), (outcome) =>
        this.#done(outcome, key, stale),
      );
      return answer instanceof Promise ? answer.catch((error) => this.#refuse(error, line)) : answer;
    } catch (error) {
      return this.#refuse(error, line);
    }
  }

  #done(outcome: StoreOutcome, key: string, stale: boolean): Answer<void> {
    if (outcome !== 'stored') {
      this.#kept++;
      return undefined;
    }
    this.#loaded++;
    return stale ? after(this.#cache.invalidate(key, { markStale: true }), () => {}) : undefined;
  }

  // Why one item is refused need not concern the next.
  #refuse(error: unknown, line: number): void {
    if (!(error instanceof Refusal) || isServersFault(error)) throw error;
    const alike = this.#refused.get(error.code);
    if (alike) alike.items++;
    else this.#refused.set(error.code, { msg: error.message, items: 1, line });
  }
}
