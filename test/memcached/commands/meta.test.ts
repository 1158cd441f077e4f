import { describe } from 'vitest';
import { transcript } from '../../support/transcript.ts';

// What memcached 1.6.18 has not yet; for the rest see the comparison with it.
describe('newer flags', () => {
  transcript('E: a cas of the client’s own', [
    ['ms k 1 E1000 c\r\na\r\n', 'HD c1000\r\n'],
    ['ms k 1 C999 E2000\r\nb\r\n', 'EX\r\n'],
    ['ms k 1 C1000 E18446744073709551615 c\r\nb\r\n', 'HD c18446744073709551615\r\n'],
    ['gets k\r\n', 'VALUE k 0 1 18446744073709551615\r\nb\r\nEND\r\n'],
    ['cas k 0 0 1 18446744073709551615\r\nc\r\n', 'STORED\r\n'],
    ['ma n N0 J5 E77 c v\r\n', 'VA 1 c77\r\n5\r\n'],
    ['mg v N0 E90 c\r\nmg v E91 c\r\n', 'HD c90 W\r\nHD c90 Z\r\n'],
    ['md n I E78\r\n', 'HD\r\n'],
    ['mg n c\r\n', 'HD c78 X W\r\n'],
  ]);

  transcript('x: the value goes, the item stays', [
    ['set k 5 0 5\r\nhello\r\n', 'STORED\r\n'],
    ['md k x\r\n', 'HD\r\n'],
    ['mg k v f t\r\n', 'VA 0 f0 t-1\r\n\r\n'],
    ['md k x I T30 F9\r\n', 'HD\r\n'],
    ['mg k v f t\r\n', 'VA 0 f9 t30 X W\r\n\r\n'],
    ['md nothing x\r\n', 'NF\r\n'],
  ]);

  transcript('N with ms: an append makes what is missing', [
    ['ms k 1 MA\r\na\r\n', 'NS\r\n'],
    ['ms k 1 MA N60 T5\r\na\r\n', 'HD\r\n'],
    ['ms k 1 MP N10\r\nb\r\n', 'HD\r\n'],
    ['mg k v t\r\n', 'VA 2 t60\r\nba\r\n'],
  ]);

  transcript('the old form of a length', [
    ['ms k S5 T60\r\nhello\r\n', 'HD\r\n'],
    ['mg k v t\r\n', 'VA 5 t60\r\nhello\r\n'],
    ['ms k Sx\r\n', 'CLIENT_ERROR bad command line format\r\n'],
  ]);

  transcript('a base64 key is told as it was asked', [
    ['set abc 0 0 1\r\na\r\n', 'STORED\r\n'],
    ['mg YWJj b k v\r\n', 'VA 1 kYWJj b\r\na\r\n'],
    ['ms YSBi 1 b\r\nb\r\n', 'HD\r\n'],
    ['me YSBi b\r\n', 'ME YSBi exp=-1 la=0 cas=2 fetch=no cls=1 size=4\r\n'],
  ]);
});

// Its protocol.txt says what is done here.
describe('what memcached 1.6.18 does otherwise than it says', () => {
  transcript('ma with T gives its time also to a number that grows by a digit', [
    ['set n 0 0 2\r\n99\r\n', 'STORED\r\n'],
    ['ma n T100 v\r\n', 'VA 3\r\n100\r\n'],
    ['mg n t\r\n', 'HD t100\r\n'],
  ]);

  transcript('t behind a T that expires the item is 0', [
    ['set a 0 0 1\r\na\r\n', 'STORED\r\n'],
    ['mg a T-1 t\r\n', 'HD t0\r\n'],
  ]);

  transcript('l counts from the last use, be it the first', [
    ['set a 0 0 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 5000 },
    ['get a\r\nmg a l\r\n', 'VALUE a 0 1\r\na\r\nEND\r\nHD l0\r\n'],
  ]);

  transcript('a command that is refused for its opaque changes nothing', [
    ['set n 0 0 1\r\n1\r\n', 'STORED\r\n'],
    [`ma n O${'o'.repeat(32)}\r\n`, 'CLIENT_ERROR opaque token too long\r\n'],
    [`mg new N0 O${'o'.repeat(32)}\r\n`, 'CLIENT_ERROR opaque token too long\r\n'],
    ['mg new\r\n', 'EN\r\n'],
    ['mg n v\r\n', 'VA 1\r\n1\r\n'],
  ]);
});
