import type { Clock } from '../../engine/clock.ts';
import type { Cas } from '../../engine/item.ts';
import type { Lease } from '../../engine/leases.ts';
import type { ReplyBuffer } from '../connections/reply-buffer.ts';
import { expiresAtFrom, ttlFrom } from '../exptime.ts';
import { keyToBase64 } from '../requests/base64-key.ts';
import type { MetaTarget } from '../requests/meta-flags.ts';

const LETTER_C = 0x63;
const LETTER_K = 0x6b;
const LETTER_O = 0x4f;

/** What an answer may tell of an item. */
type Facts = {
  readonly cas?: Cas;
  readonly created: boolean;
  readonly expiresAt: number;
} & Partial<Lease>;

/**
 * Appends what was asked of an item. The flags are answered in the order given, and T and N take effect when
 * their turn comes: `t T30` tells the old time to live, `T30 t` the new one.
 */
export function writeDetails(output: ReplyBuffer, target: MetaTarget, facts: Facts, clock: Clock): void {
  let { expiresAt } = facts;
  const { flags } = target;
  const { asked } = flags;
  for (let i = 0; i < asked.length; i++) {
    const letter = asked[i] as number;
    switch (letter) {
      case 0x54: // T
        expiresAt = expiresAtFrom(flags.ttl ?? 0, clock);
        break;
      case 0x4e: // N
        if (facts.created) expiresAt = expiresAtFrom(flags.autovivify ?? 0, clock);
        break;
      case 0x74: // t
        writeTtl(output, ttlFrom(expiresAt, clock.now()));
        break;
      case 0x63: // c
        writeNumber(output, ' c', facts.item ? facts.item.cas : (facts.cas ?? 0));
        break;
      case 0x73: // s
        if (facts.item) writeNumber(output, ' s', facts.item.valueLength);
        break;
      case 0x66: // f
        if (facts.item) writeNumber(output, ' f', facts.item.flags);
        break;
      case 0x68: // h
        if (facts.item) writeNumber(output, ' h', facts.fetched ? 1 : 0);
        break;
      case 0x6c: // l
        if (facts.item) writeNumber(output, ' l', secondsSince(facts.accessedAt ?? clock.now(), clock));
        break;
      default:
        writeEcho(output, letter, target);
    }
  }
  if (facts.alreadyWon) output.text(' Z');
  if (facts.stale) output.text(' X');
  if (facts.won) output.text(' W');
}

/** Appends what every answer gives back of the request: its opaque and its key, and ms its cas. */
export function writeEchoes(output: ReplyBuffer, target: MetaTarget, cas?: Cas): void {
  for (const letter of target.flags.asked) {
    if (cas !== undefined && letter === LETTER_C) writeNumber(output, ' c', cas);
    else writeEcho(output, letter, target);
  }
}

export function secondsSince(time: number, clock: Clock): number {
  return Math.max(0, Math.floor((clock.now() - time) / 1000));
}

// -1 is never.
function writeTtl(output: ReplyBuffer, ttl: number): void {
  if (ttl < 0) output.text(' t-1');
  else writeNumber(output, ' t', ttl);
}

function writeNumber(output: ReplyBuffer, flag: string, value: Cas): void {
  output.text(flag);
  output.number(value);
}

function writeEcho(output: ReplyBuffer, letter: number, { key, flags, opaque }: MetaTarget): void {
  if (letter === LETTER_O && opaque) {
    output.text(' ');
    output.key(opaque);
  } else if (letter === LETTER_K) {
    output.text(' k');
    if (flags.binaryKey) output.text(`${keyToBase64(key)} b`);
    else output.key(key);
  }
}
