import type { Clock } from '../../engine/clock.ts';
import type { Cas } from '../../engine/item.ts';
import type { KeyBytes } from '../../engine/key.ts';
import type { Lease } from '../../engine/leases.ts';
import { keyToBase64 } from '../base64-key.ts';
import { expiresAtFrom, ttlFrom } from '../exptime.ts';
import type { MetaFlags } from '../meta-flags.ts';
import type { ReplyBuffer } from '../reply-buffer.ts';

/** What an answer may tell of an item. */
export type Facts = {
  readonly cas?: Cas;
  readonly created: boolean;
  readonly expiresAt: number;
} & Partial<Lease>;

/** What a meta command asked, of its answer and of what. */
export interface Asked {
  readonly key: KeyBytes;
  readonly flags: MetaFlags;
}

/**
 * Appends what was asked of an item. The flags are answered in the order given, and T and N take effect when
 * their turn comes: `t T30` tells the old time to live, `T30 t` the new one.
 */
export function writeDetails(output: ReplyBuffer, { key, flags }: Asked, facts: Facts, clock: Clock): void {
  let { expiresAt } = facts;
  const { tokens } = flags;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    // By the letter's number, as they are read.
    switch (token.charCodeAt(0)) {
      case 0x54: // T
        expiresAt = expiresAtFrom(flags.ttl ?? 0, clock);
        break;
      case 0x4e: // N
        if (facts.created) expiresAt = expiresAtFrom(flags.autovivify ?? 0, clock);
        break;
      case 0x74: // t
        output.text(` t${ttlFrom(expiresAt, clock.now())}`);
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
        writeEcho(output, token, key, flags);
    }
  }
  if (facts.alreadyWon) output.text(' Z');
  if (facts.stale) output.text(' X');
  if (facts.won) output.text(' W');
}

/** Appends what every answer gives back of the request: its opaque and its key, and ms its cas. */
export function writeEchoes(output: ReplyBuffer, { key, flags }: Asked, cas?: Cas): void {
  for (const token of flags.tokens) {
    if (cas !== undefined && token.startsWith('c')) output.text(` c${cas}`);
    else writeEcho(output, token, key, flags);
  }
}

export function secondsSince(time: number, clock: Clock): number {
  return Math.max(0, Math.floor((clock.now() - time) / 1000));
}

function writeNumber(output: ReplyBuffer, flag: string, value: Cas): void {
  output.text(flag);
  output.number(value);
}

function writeEcho(output: ReplyBuffer, token: string, key: KeyBytes, flags: MetaFlags): void {
  if (token.startsWith('O')) {
    output.text(' ');
    output.text(token);
  } else if (token.startsWith('k')) {
    output.text(' k');
    if (flags.binaryKey) output.text(`${keyToBase64(key)} b`);
    else output.key(key);
  }
}
