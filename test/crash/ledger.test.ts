import { expect, test } from 'vitest';
import { type FoundItem, type ItemState, Ledger } from './ledger.ts';

const NOW = 1_700_000_000_000;
const LOST_NOTHING = { keptBefore: Number.POSITIVE_INFINITY, now: NOW };

function item(value: string, cas: string | undefined, stale = false): ItemState {
  return { value, flags: 0, cas, expiresAt: Number.POSITIVE_INFINITY, stale };
}

function found(value: string, cas: string, stale = false): FoundItem {
  return { value, flags: 0, cas, ttl: -1, stale };
}

/** A ledger where `a` was stored as version 1. */
function ledgerWithItem(): Ledger {
  const ledger = new Ledger(['a', 'b']);
  ledger.begin('set a', new Map([['a', item('one', undefined)]]));
  ledger.acknowledge(new Map([['a', item('one', '1')]]));
  return ledger;
}

test('what was not acknowledged may be there or not', () => {
  for (const [value, cas] of [
    ['one', '1'],
    ['two', '2'],
  ] as const) {
    const ledger = ledgerWithItem();
    ledger.begin('set a', new Map([['a', item('two', undefined)]]));
    ledger.settle(new Map([['a', found(value, cas)]]), LOST_NOTHING);
  }
});

test('what somebody has seen must be there', () => {
  const ledger = ledgerWithItem();
  ledger.begin('set a', new Map([['a', item('two', undefined)]]));
  ledger.seen('a', '2');
  expect(() => ledger.settle(new Map([['a', found('one', '1')]]), LOST_NOTHING)).toThrow('1 too many');
});

test('what was acknowledged must be there', () => {
  const ledger = ledgerWithItem();
  expect(() => ledger.settle(new Map(), LOST_NOTHING)).toThrow('lost');
});

test('a version that its writer was not told says nothing of what it does next', () => {
  const ledger = ledgerWithItem();
  ledger.begin('invalidate a', new Map([['a', item('one', undefined, true)]]));
  ledger.acknowledge();
  ledger.begin('set b', new Map([['b', item('new', undefined)]]));
  ledger.seen('a', '2');
  ledger.settle(new Map([['a', found('one', '2', true)]]), LOST_NOTHING);
});
