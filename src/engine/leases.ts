import { type StoreMode, type StoreOutcome, storing } from './changes.ts';
import { type Cas, type Draft, draftOf, type Item, NEVER, type NewValue } from './item.ts';
import type { Amendment, Decide, Decision } from './store.ts';

/*
 * What memcached's meta commands add to the classic ones, against stampedes: of many clients that miss
 * an item, or find it stale or about to expire, one wins the right to make it anew.
 */

export interface LeaseOptions {
  /** Make a missing item, empty, with this expiry; whoever did has won. */
  readonly createUntil: number | undefined;
  /** The version of an item that is made; a new one unless given. */
  readonly explicitCas: Cas | undefined;
  /** Give a found item this expiry. */
  readonly expiresAt: number | undefined;
  /** Whoever first finds an item that expires before this has won. */
  readonly recacheBefore: number | undefined;
  /** Judge `recacheBefore` by the new expiry rather than by the one that the item had. */
  readonly recacheByNewExpiry: boolean;
  /** Count as a use. */
  readonly use: boolean;
  /** Whoever cannot store a fresh value must not win the right to. */
  readonly mayWin: boolean;
  /** Must times and marks be those from before this use? Otherwise they may be those from after it. */
  readonly asksUse: boolean;
}

/** An item as a lease found it: times and marks are from before this use. */
export interface Lease {
  readonly item: Pick<Item, 'flags' | 'cas' | 'valueLength' | 'copyValue'>;
  readonly expiresAt: number;
  readonly accessedAt: number;
  readonly fetched: boolean;
  readonly created: boolean;
  /** This client is to store a fresh value. */
  readonly won: boolean;
  /** Another client has been told that it won, and has not stored yet. */
  readonly alreadyWon: boolean;
  readonly stale: boolean;
}

export function lease(options: LeaseOptions, now: number): Decide<Lease | undefined> {
  return (current, nextCas) => {
    if (current) return leased(current, options);
    if (options.createUntil === undefined) return { action: 'keep', outcome: undefined };
    const made = { expiresAt: options.createUntil, fetched: options.use };
    return vivified(made, options.explicitCas ?? nextCas, now);
  };
}

/** May reading the item be enough? Usually it is; see leaseOfRead. */
export function mayBeRead({ expiresAt, recacheBefore, asksUse }: LeaseOptions): boolean {
  return expiresAt === undefined && recacheBefore === undefined && !asksUse;
}

/** The lease of an item that was just read; undefined: its marks matter, and may have to be changed. */
export function leaseOfRead(item: Item): Lease | undefined {
  return item.stale || item.recaching ? undefined : found(item, false);
}

export interface GuardedStoreOptions {
  /** Store only over this version (0 matches none). */
  readonly compareCas?: Cas | undefined;
  /** With compareCas: take a value made from an older version too, but mark it stale. */
  readonly acceptOlder?: boolean;
  /** The cas that the new version gets, instead of one of ours. */
  readonly explicitCas?: Cas | undefined;
  /** What a missing item's expiry is when something is to be appended; without it, that fails. */
  readonly createUntil?: number | undefined;
}

/** The outcome of a guarded store, with the new version's cas (0 where nothing was stored). */
export interface GuardedOutcome {
  readonly outcome: StoreOutcome;
  readonly cas: Cas;
}

/** Does it matter what is there already? */
export function isGuarded(mode: StoreMode, { compareCas, explicitCas }: GuardedStoreOptions): boolean {
  return mode !== 'set' || compareCas !== undefined || explicitCas !== undefined;
}

export function guardedStore(
  mode: StoreMode,
  value: NewValue,
  options: GuardedStoreOptions,
  valueBytesMax: number,
): Decide<GuardedOutcome> {
  return (current, nextCas) => {
    const cas = options.explicitCas ?? nextCas;
    if (mode === 'add') return withCas(storing.add(value)(current, cas));
    if (!current) return storeMissing(mode, value, options, cas);
    const { compareCas } = options;
    if (mode === 'append' || mode === 'prepend') {
      if (compareCas && compareCas !== current.cas) return unchanged('exists');
      return withCas(storing[mode](value, valueBytesMax)(current, cas));
    }
    if (compareCas === undefined || (compareCas !== 0 && compareCas === current.cas)) {
      return stored(draftOf(value, cas));
    }
    if (!options.acceptOlder || compareCas === 0 || compareCas > current.cas) return unchanged('exists');
    const { expiresAt, recaching } = current;
    return stored({ ...draftOf(value, cas), expiresAt, recaching, stale: true });
  };
}

export interface InvalidateOptions {
  readonly compareCas?: Cas | undefined;
  /** Keep the item, marked stale under a new cas, so that the next reader wins. */
  readonly markStale: boolean;
  /** Keep the item, without its value. */
  readonly emptied?: { readonly flags: number; readonly expiresAt: number } | undefined;
  readonly expiresAt?: number | undefined;
  readonly explicitCas?: Cas | undefined;
}

export type Invalidated = 'done' | 'not_found' | 'exists';

/** Removes an item, or keeps it in a form that says it is out of date. */
export function invalidate(options: InvalidateOptions): Decide<Invalidated> {
  return (current, nextCas) => {
    if (!current) return { action: 'keep', outcome: 'not_found' };
    const { compareCas, explicitCas, emptied, expiresAt, markStale } = options;
    if (compareCas !== undefined && compareCas !== current.cas) return { action: 'keep', outcome: 'exists' };
    const cas = explicitCas ?? (markStale ? nextCas : current.cas);
    if (emptied) {
      const draft = { value: EMPTY, kind: 'bytes', ...emptied, cas, stale: markStale } as const;
      return { action: 'put', draft, outcome: 'done' };
    }
    if (!markStale) return { action: 'remove', outcome: 'done' };
    const amendment: Amendment = { expiresAt, cas, stale: true, recaching: false, use: false };
    return { action: 'amend', amendment, outcome: 'done' };
  };
}

/** The outcome of a store that nothing stood in the way of. */
export function storedAs(cas: Cas): GuardedOutcome {
  return { outcome: 'stored', cas };
}

const EMPTY = Buffer.alloc(0);

function leased(current: Item, options: LeaseOptions): Decision<Lease> {
  const { expiresAt, recacheBefore, use } = options;
  const judged = options.recacheByNewExpiry ? (expiresAt ?? current.expiresAt) : current.expiresAt;
  const expiresSoon = recacheBefore !== undefined && judged !== NEVER && judged < recacheBefore;
  const won = options.mayWin && !current.recaching && (expiresSoon || current.stale);
  const amendment: Amendment = { use, expiresAt, recaching: won ? true : undefined };
  return { action: 'amend', amendment, outcome: found(current, won) };
}

function found(item: Item, won: boolean): Lease {
  return {
    item,
    expiresAt: item.expiresAt,
    accessedAt: item.accessedAt,
    fetched: item.fetched,
    created: false,
    won,
    alreadyWon: item.recaching,
    stale: item.stale,
  };
}

// Making an item counts as its first read.
function vivified(made: { expiresAt: number; fetched: boolean }, cas: Cas, now: number): Decision<Lease> {
  const draft = { value: EMPTY, kind: 'bytes', flags: 0, ...made, cas, recaching: true } as const;
  const outcome: Lease = {
    item: { flags: 0, cas, valueLength: 0, copyValue: () => {} },
    expiresAt: NEVER,
    accessedAt: now,
    fetched: false,
    created: true,
    won: true,
    alreadyWon: false,
    stale: false,
  };
  return { action: 'put', draft, outcome };
}

function storeMissing(
  mode: Exclude<StoreMode, 'add'>,
  value: NewValue,
  { compareCas, createUntil }: GuardedStoreOptions,
  cas: Cas,
): Decision<GuardedOutcome> {
  if (mode === 'append' || mode === 'prepend') {
    if (createUntil === undefined) return unchanged('not_stored');
    return stored({ ...draftOf(value, cas), expiresAt: createUntil });
  }
  if (compareCas !== undefined) return unchanged('not_found');
  return mode === 'set' ? stored(draftOf(value, cas)) : unchanged('not_stored');
}

function withCas(decision: Decision<StoreOutcome>): Decision<GuardedOutcome> {
  const cas = decision.action === 'put' ? decision.draft.cas : 0;
  return { ...decision, outcome: { outcome: decision.outcome, cas } };
}

function stored(draft: Draft): Decision<GuardedOutcome> {
  return { action: 'put', draft, outcome: storedAs(draft.cas) };
}

function unchanged(outcome: StoreOutcome): Decision<GuardedOutcome> {
  return { action: 'keep', outcome: { outcome, cas: 0 } };
}
