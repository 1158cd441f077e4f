import { WRITE } from '../../auth/permissions.ts';
import { type Answer, after } from '../../engine/answer.ts';
import type { ArithmeticOptions, ArithmeticOutcome } from '../../engine/arithmetic.ts';
import type { StoreMode, StoreOutcome } from '../../engine/changes.ts';
import type { Clock } from '../../engine/clock.ts';
import { type Cas, NEVER } from '../../engine/item.ts';
import type { GuardedOutcome, Invalidated, Lease, LeaseOptions } from '../../engine/leases.ts';
import type { ReplyBuffer } from '../connections/reply-buffer.ts';
import { expiresAtFrom, ttlFrom } from '../exptime.ts';
import { keyToBase64 } from '../requests/base64-key.ts';
import type { MetaFlags, MetaTarget } from '../requests/meta-flags.ts';
import type { MetaStorageRequest, RequestOf } from '../requests/request.ts';
import { type CommandContext, reply } from './context.ts';
import { NOT_NUMERIC } from './items.ts';
import { secondsSince, writeDetails, writeEchoes } from './meta-reply.ts';

type MetaRequest = RequestOf<'mg'>;

const LETTER_N = 0x4e;
const LETTER_R = 0x52;
const LETTER_T = 0x54;

const MODES: Record<string, StoreMode> = {
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

const DELETE_REPLIES: Record<Invalidated, string> = { done: 'HD', not_found: 'NF', exists: 'EX' };

/** mg: reads an item, or what is about it; may touch it, make it, or win the right to refresh it. */
export function metaGet(request: MetaRequest, context: CommandContext): Answer<void> {
  const { key, flags } = request;
  const mayWin = (context.grant.permissions & WRITE) !== 0;
  const found = context.cache.lease(key, leaseOptions(flags, mayWin, context.clock));
  if (found instanceof Promise) return found.then((lease) => answerGet(request, lease, context));
  answerGet(request, found, context);
}

function answerGet(request: MetaRequest, found: Lease | undefined, { output, clock }: CommandContext): void {
  const { flags } = request;
  if (!found) {
    if (!flags.quiet) answer(output, 'EN', request);
    return;
  }
  if (flags.value) {
    output.text('VA ');
    output.number(found.item.valueLength);
  } else {
    output.text('HD');
  }
  writeDetails(output, request, found, clock);
  output.text('\r\n');
  if (!flags.value) return;
  output.value(found.item);
  output.text('\r\n');
}

/** ms: stores. */
export function metaStore(request: MetaStorageRequest, context: CommandContext): Answer<void> {
  const { key, flags, data } = request;
  const { clock, output } = context;
  const expiresAt = expiresAtFrom(flags.ttl ?? 0, clock);
  const value = { value: data, kind: 'bytes', flags: flags.clientFlags, expiresAt } as const;
  const { compareCas, explicitCas } = flags;
  const createUntil = flags.autovivify === undefined ? undefined : expiresAtFrom(flags.autovivify, clock);
  const options = { compareCas, explicitCas, createUntil, acceptOlder: flags.invalidate };
  const mode = MODES[flags.mode] ?? 'set';
  const outcome = context.cache.storeGuarded(mode, key, value, options);
  if (outcome instanceof Promise) return outcome.then((later) => answerStore(request, later, output));
  answerStore(request, outcome, output);
}

function answerStore(
  request: MetaStorageRequest,
  { outcome, cas }: GuardedOutcome,
  output: ReplyBuffer,
): void {
  if (request.flags.quiet && outcome === 'stored') return;
  answer(output, STORE_REPLIES[outcome], request, cas);
}

/** md: deletes, or marks as out of date. */
export function metaDelete(request: MetaRequest, context: CommandContext): Answer<void> {
  const { key, flags } = request;
  const { compareCas, explicitCas, clientFlags, ttl } = flags;
  const expiresAt = ttl === undefined ? undefined : expiresAtFrom(ttl, context.clock);
  const emptied = flags.removeValue ? { flags: clientFlags, expiresAt: expiresAt ?? NEVER } : undefined;
  const options = { compareCas, explicitCas, expiresAt, markStale: flags.invalidate, emptied };
  const outcome = context.cache.invalidate(key, options);
  if (outcome instanceof Promise) return outcome.then((later) => answerDelete(request, later, context));
  answerDelete(request, outcome, context);
}

function answerDelete(request: MetaRequest, outcome: Invalidated, { output }: CommandContext): void {
  if (request.flags.quiet && outcome === 'done') return;
  answer(output, DELETE_REPLIES[outcome], request);
}

/** ma: counts up or down. */
export function metaCalculate(request: MetaRequest, context: CommandContext): Answer<void> {
  const { key, flags } = request;
  const { clock } = context;
  const direction = flags.mode === 'D' || flags.mode === '-' ? 'down' : 'up';
  const by = { rule: 'unsigned', direction, delta: flags.delta } as const;
  const outcome = context.cache.calculate(key, by, arithmeticOptions(flags, clock));
  if (outcome instanceof Promise) return outcome.then((later) => answerSum(request, later, context));
  answerSum(request, outcome, context);
}

function answerSum(request: MetaRequest, outcome: ArithmeticOutcome, context: CommandContext): void {
  const { flags } = request;
  const { clock, output } = context;
  if (outcome.status === 'not_found') answer(output, 'NF', request);
  else if (outcome.status === 'exists') answer(output, 'EX', request);
  else if (outcome.status !== 'done') reply(context, NOT_NUMERIC);
  // To make an item is more than the quiet asked to leave out.
  else if (!flags.quiet || outcome.created) {
    const { cas, created, expiredAt } = outcome;
    const number = String(outcome.value);
    output.text(flags.value ? `VA ${number.length}` : 'HD');
    writeDetails(output, request, { cas, created, expiresAt: expiredAt }, clock);
    output.text('\r\n');
    if (flags.value) reply(context, number);
  }
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

function answer(output: ReplyBuffer, status: string, target: MetaTarget, cas?: Cas): void {
  output.text(status);
  writeEchoes(output, target, cas);
  output.text('\r\n');
}

function leaseOptions(flags: MetaFlags, mayWin: boolean, clock: Clock): LeaseOptions {
  const { ttl, recache, explicitCas } = flags;
  const createUntil = vivifiedUntil(flags, clock);
  return {
    use: !flags.noUse,
    asksUse: flags.asksUse,
    mayWin,
    createUntil,
    explicitCas,
    expiresAt: ttl === undefined ? undefined : expiresAtFrom(ttl, clock),
    // R0 is a time that nothing expires before.
    recacheBefore: recache === undefined || recache === 0 ? undefined : expiresAtFrom(recache, clock),
    recacheByNewExpiry: ttl !== undefined && recache !== undefined && comesFirst(LETTER_T, LETTER_R, flags),
  };
}

function arithmeticOptions(flags: MetaFlags, clock: Clock): ArithmeticOptions {
  const { initial, compareCas, explicitCas, ttl } = flags;
  const createUntil = vivifiedUntil(flags, clock);
  return {
    initial: createUntil === undefined ? undefined : { value: initial, expiresAt: createUntil },
    // C0 is any version.
    compareCas: compareCas || undefined,
    explicitCas,
    expiresAt: ttl === undefined ? undefined : expiresAtFrom(ttl, clock),
  };
}

// An item that is made gets the expiry of N or T, whichever stands last; a found one only that of T.
function vivifiedUntil(flags: MetaFlags, clock: Clock): number | undefined {
  const { autovivify, ttl } = flags;
  if (autovivify === undefined) return undefined;
  return expiresAtFrom(ttl !== undefined && comesFirst(LETTER_N, LETTER_T, flags) ? ttl : autovivify, clock);
}

function comesFirst(a: number, b: number, { asked }: MetaFlags): boolean {
  return asked.indexOf(a) < asked.indexOf(b);
}
