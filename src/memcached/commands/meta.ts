import { WRITE } from '../../auth/permissions.ts';
import { type Answer, after } from '../../engine/answer.ts';
import type { ArithmeticOptions } from '../../engine/arithmetic.ts';
import type { StoreMode, StoreOutcome } from '../../engine/changes.ts';
import type { Clock } from '../../engine/clock.ts';
import { type Cas, NEVER } from '../../engine/item.ts';
import type { Lease, LeaseOptions } from '../../engine/leases.ts';
import { keyToBase64 } from '../base64-key.ts';
import { expiresAtFrom, ttlFrom } from '../exptime.ts';
import type { MetaFlags } from '../meta-flags.ts';
import type { MetaStorageRequest, RequestOf } from '../request.ts';
import { type CommandContext, reply } from './context.ts';
import { NOT_NUMERIC } from './items.ts';

type MetaRequest = RequestOf<'mg'>;

const MODES: Record<string, StoreMode> = {
  '': 'set',
  E: 'add',
  A: 'append',
  P: 'prepend',
  R: 'replace',
  S: 'set',
};

const STORE_REPLIES: Record<StoreOutcome, string> = {
  stored: 'HD',
  exists: 'EX',
  not_found: 'NF',
  not_stored: 'NS',
};

/** mg: reads an item, or what is about it; may touch it, make it, or win the right to refresh it. */
export function metaGet({ key, flags }: MetaRequest, context: CommandContext): Answer<void> {
  const { clock } = context;
  const mayWin = (context.grant.permissions & WRITE) !== 0;
  return after(context.cache.lease(key, leaseOptions(flags, mayWin, clock)), (found) => {
    if (!found) {
      reply(context, `EN${echoes(key, flags)}`, flags.quiet);
      return;
    }
    const { output } = context;
    output.text(flags.value ? `VA ${found.item.valueLength}` : 'HD');
    output.text(details(key, flags, found, clock));
    output.text('\r\n');
    if (!flags.value) return;
    output.value(found.item);
    output.text('\r\n');
  });
}

/** ms: stores. */
export function metaStore({ key, flags, data }: MetaStorageRequest, context: CommandContext): Answer<void> {
  const { clock } = context;
  const expiresAt = expiresAtFrom(flags.ttl ?? 0, clock);
  const value = { value: data, kind: 'bytes', flags: flags.clientFlags, expiresAt } as const;
  const { compareCas, explicitCas } = flags;
  const createUntil = flags.autovivify === undefined ? undefined : expiresAtFrom(flags.autovivify, clock);
  const options = { compareCas, explicitCas, createUntil, acceptOlder: flags.invalidate };
  const mode = MODES[flags.mode] ?? 'set';
  return after(context.cache.storeGuarded(mode, key, value, options), ({ outcome, cas }) => {
    const quiet = flags.quiet && outcome === 'stored';
    reply(context, `${STORE_REPLIES[outcome]}${echoes(key, flags, cas)}`, quiet);
  });
}

/** md: deletes, or marks as out of date. */
export function metaDelete({ key, flags }: MetaRequest, context: CommandContext): Answer<void> {
  const { clock } = context;
  const { compareCas, explicitCas, clientFlags, ttl } = flags;
  const expiresAt = ttl === undefined ? undefined : expiresAtFrom(ttl, clock);
  const emptied = { flags: clientFlags, expiresAt: expiresAt ?? NEVER };
  const options = {
    compareCas,
    explicitCas,
    expiresAt,
    markStale: flags.invalidate,
    ...(flags.removeValue ? { emptied } : {}),
  };
  return after(context.cache.invalidate(key, options), (outcome) => {
    const status = { done: 'HD', not_found: 'NF', exists: 'EX' }[outcome];
    reply(context, `${status}${echoes(key, flags)}`, flags.quiet && outcome === 'done');
  });
}

/** ma: counts up or down. */
export function metaCalculate({ key, flags }: MetaRequest, context: CommandContext): Answer<void> {
  const { clock } = context;
  const direction = flags.mode === 'D' || flags.mode === '-' ? 'down' : 'up';
  const by = { rule: 'unsigned', direction, delta: flags.delta } as const;
  return after(context.cache.calculate(key, by, arithmeticOptions(flags, clock)), (outcome) => {
    if (outcome.status === 'not_found') reply(context, `NF${echoes(key, flags)}`);
    else if (outcome.status === 'exists') reply(context, `EX${echoes(key, flags)}`);
    else if (outcome.status !== 'done') reply(context, NOT_NUMERIC);
    // To make an item is more than the quiet asked to leave out.
    else if (!flags.quiet || outcome.created) {
      const number = String(outcome.value);
      const { cas, created, expiredAt } = outcome;
      const status = flags.value ? `VA ${number.length}` : 'HD';
      const facts = details(key, flags, { cas, created, expiresAt: expiredAt }, clock);
      reply(context, status + facts);
      if (flags.value) reply(context, number);
    }
  });
}

/** me: what is known about an item, for people; reading it so is no use of it. */
export function metaDebug({ key, binaryKey }: RequestOf<'me'>, context: CommandContext): Answer<void> {
  context.cache.countMeta();
  return after(context.cache.peek(key), (item) => {
    if (!item) {
      reply(context, 'EN');
      return;
    }
    const { clock } = context;
    // memcached prints the time to live as a negative number here, and -1 for never.
    const ttl = ttlFrom(item.expiresAt, clock.now());
    const expiry = item.expiresAt === NEVER ? -1 : -ttl;
    const idle = secondsSince(item.accessedAt, clock);
    const fetched = item.fetched ? 'yes' : 'no';
    const size = key.length + item.valueLength;
    const shownKey = binaryKey ? keyToBase64(key) : key;
    reply(
      context,
      `ME ${shownKey} exp=${expiry} la=${idle} cas=${item.cas} fetch=${fetched} cls=1 size=${size}`,
    );
  });
}

function leaseOptions(flags: MetaFlags, mayWin: boolean, clock: Clock): LeaseOptions {
  const { ttl, recache } = flags;
  const createUntil = vivifiedUntil(flags, clock);
  return {
    use: !flags.noUse,
    mayWin,
    createUntil,
    expiresAt: ttl === undefined ? undefined : expiresAtFrom(ttl, clock),
    // R0 is a time that nothing expires before.
    recacheBefore: recache === undefined || recache === 0 ? undefined : expiresAtFrom(recache, clock),
    recacheByNewExpiry: ttl !== undefined && recache !== undefined && comesFirst('T', 'R', flags),
  };
}

function arithmeticOptions(flags: MetaFlags, clock: Clock): ArithmeticOptions {
  const { initial, compareCas, explicitCas, ttl } = flags;
  const createUntil = vivifiedUntil(flags, clock);
  return {
    ...(createUntil === undefined ? {} : { initial: { value: initial, expiresAt: createUntil } }),
    ...(compareCas ? { onlyIf: compareCas } : {}),
    ...(explicitCas === undefined ? {} : { explicitCas }),
    ...(ttl === undefined ? {} : { expiresAt: expiresAtFrom(ttl, clock) }),
  };
}

// An item that is made gets the expiry of N or T, whichever stands last; a found one only that of T.
function vivifiedUntil(flags: MetaFlags, clock: Clock): number | undefined {
  const { autovivify, ttl } = flags;
  if (autovivify === undefined) return undefined;
  return expiresAtFrom(ttl !== undefined && comesFirst('N', 'T', flags) ? ttl : autovivify, clock);
}

function comesFirst(a: string, b: string, { tokens }: MetaFlags): boolean {
  return tokens.findIndex((token) => token.startsWith(a)) < tokens.findIndex((token) => token.startsWith(b));
}

/** What an answer may tell of an item. */
type Facts = { readonly cas?: Cas; readonly created: boolean; readonly expiresAt: number } & Partial<Lease>;

// The flags are answered in the order given, and T and N take effect when their turn comes: `t T30`
// tells the old time to live, `T30 t` the new one.
function details(key: string, flags: MetaFlags, facts: Facts, clock: Clock): string {
  let { expiresAt } = facts;
  let text = '';
  for (const token of flags.tokens) {
    if (token.startsWith('T')) expiresAt = expiresAtFrom(flags.ttl ?? 0, clock);
    else if (token.startsWith('N') && facts.created) expiresAt = expiresAtFrom(flags.autovivify ?? 0, clock);
    else if (token.startsWith('t')) text += ` t${ttlFrom(expiresAt, clock.now())}`;
    else text += detail(token, key, flags, facts, clock);
  }
  if (facts.alreadyWon) text += ' Z';
  if (facts.stale) text += ' X';
  return facts.won ? `${text} W` : text;
}

function detail(token: string, key: string, flags: MetaFlags, facts: Facts, clock: Clock): string {
  const { item } = facts;
  switch (token.charAt(0)) {
    case 'c':
      return ` c${item ? item.cas : facts.cas}`;
    case 's':
      return item ? ` s${item.valueLength}` : '';
    case 'f':
      return item ? ` f${item.flags}` : '';
    case 'l':
      return item ? ` l${facts.accessedAt === undefined ? 0 : secondsSince(facts.accessedAt, clock)}` : '';
    case 'h':
      return item ? ` h${facts.fetched ? 1 : 0}` : '';
    default:
      return echo(token, key, flags);
  }
}

/** What every answer gives back of the request: its opaque and its key, and ms its cas. */
export function echoes(key: string, flags: MetaFlags, cas?: Cas): string {
  let text = '';
  for (const token of flags.tokens) {
    text += token.startsWith('c') && cas !== undefined ? ` c${cas}` : echo(token, key, flags);
  }
  return text;
}

function echo(token: string, key: string, flags: MetaFlags): string {
  if (token.startsWith('O')) return ` ${token}`;
  if (!token.startsWith('k')) return '';
  return flags.binaryKey ? ` k${keyToBase64(key)} b` : ` k${key}`;
}

function secondsSince(time: number, clock: Clock): number {
  return Math.max(0, Math.floor((clock.now() - time) / 1000));
}
