import { describe } from 'vitest';
import { transcript } from '../../support/transcript.ts';

// The test clock starts there.
const NOON = Date.UTC(2030, 0, 15, 12);
const ITEM = 'VALUE k 0 1\r\na\r\nEND\r\n';

describe('time passes', () => {
  transcript('an item expires to the second', [
    ['set k 0 10 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 9_999 },
    ['get k\r\n', ITEM],
    { passMs: 1 },
    ['get k\r\n', 'END\r\n'],
    ['add k 0 0 1\r\nb\r\n', 'STORED\r\n'],
  ]);

  transcript('an item expires at a Unix time', [
    [`set k 0 ${NOON / 1000 + 60} 1\r\na\r\n`, 'STORED\r\n'],
    { passMs: 59_000 },
    ['mg k t v\r\n', 'VA 1 t1\r\na\r\n'],
    { passMs: 1_000 },
    ['mg k v\r\n', 'EN\r\n'],
  ]);

  transcript('30 days count from now, a second more does not', [
    ['set k 0 2592000 1\r\na\r\n', 'STORED\r\n'],
    ['set l 0 2592001 1\r\na\r\n', 'STORED\r\n'],
    ['get l\r\n', 'END\r\n'],
    { passMs: 2_591_999_000 },
    ['get k\r\n', ITEM],
    { passMs: 1_000 },
    ['get k\r\n', 'END\r\n'],
  ]);

  transcript('touch and gat give more time', [
    ['set k 0 10 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 9_000 },
    ['touch k 10\r\n', 'TOUCHED\r\n'],
    { passMs: 9_000 },
    ['gat 10 k\r\n', ITEM],
    { passMs: 9_000 },
    ['get k\r\n', ITEM],
    { passMs: 1_000 },
    ['touch k 10\r\n', 'NOT_FOUND\r\n'],
    ['gat 10 k\r\n', 'END\r\n'],
  ]);

  transcript('incr, append and a failed cas leave the time as it was', [
    ['set k 0 10 1\r\n1\r\n', 'STORED\r\n'],
    ['incr k 1\r\n', '2\r\n'],
    ['append k 0 1000 1\r\n3\r\n', 'STORED\r\n'],
    ['cas k 0 1000 1 12345\r\n4\r\n', 'EXISTS\r\n'],
    ['mg k t v\r\n', 'VA 2 t10\r\n23\r\n'],
    { passMs: 10_000 },
    ['incr k 1\r\n', 'NOT_FOUND\r\n'],
    ['append k 0 0 1\r\n3\r\n', 'NOT_STORED\r\n'],
  ]);

  transcript('a delayed flush_all takes what is there when its time comes', [
    ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
    ['flush_all 10\r\n', 'OK\r\n'],
    { passMs: 9_000 },
    ['get k\r\n', ITEM],
    ['set l 0 0 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 1_000 },
    ['get k l\r\n', 'END\r\n'],
    ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 60_000 },
    ['get k\r\n', ITEM],
  ]);

  transcript('a flush_all at once takes the place of a delayed one', [
    ['flush_all 10\r\n', 'OK\r\n'],
    ['flush_all\r\n', 'OK\r\n'],
    ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 11_000 },
    ['get k\r\n', ITEM],
  ]);

  transcript('the last access is told in seconds, and looking with u is none', [
    ['set k 0 0 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 5_000 },
    ['mg k l h u\r\n', 'HD l5 h0\r\n'],
    ['mg k l h\r\n', 'HD l5 h0\r\n'],
    { passMs: 7_000 },
    ['mg k l h t\r\n', 'HD l7 h1 t-1\r\n'],
  ]);

  transcript('of many who come before an item expires one is to make it anew', [
    ['set k 0 60 1\r\na\r\n', 'STORED\r\n'],
    ['mg k v R30\r\n', 'VA 1\r\na\r\n'],
    { passMs: 31_000 },
    ['mg k v R30\r\n', 'VA 1 W\r\na\r\n'],
    ['mg k v R30\r\n', 'VA 1 Z\r\na\r\n'],
    ['ms k 1 T60\r\nb\r\n', 'HD\r\n'],
    ['mg k v R30 t\r\n', 'VA 1 t60\r\nb\r\n'],
  ]);

  transcript('who vivified an item and never came back leaves it to the next when its time is over', [
    ['mg k N30 v\r\n', 'VA 0 W\r\n\r\n'],
    ['mg k N30 v\r\n', 'VA 0 Z\r\n\r\n'],
    { passMs: 30_000 },
    ['mg k N30 v\r\n', 'VA 0 W\r\n\r\n'],
  ]);
});
