import { expect, test } from 'vitest';
import { LatestFlags, readMetaTarget } from '../../../src/memcached/requests/meta-flags.ts';
import { Words } from '../../../src/memcached/requests/words.ts';

// Of mg and of ms.
const latestFrom = { 2: new LatestFlags(), 3: new LatestFlags() };

function read(line: string, from: 2 | 3 = 2): object | string {
  const words = new Words();
  words.readLine(Buffer.from(`${line}\r\n`, 'latin1'), 0);
  const target = readMetaTarget(words, from, latestFrom[from]);
  return typeof target === 'string'
    ? target
    : { ...target, key: String(target.key), opaque: String(target.opaque ?? '') };
}

test('without flags', () => {
  expect(read('mg key')).toMatchObject({
    key: 'key',
    flags: { asked: [], quiet: false, value: false, ttl: undefined, delta: 1, mode: '' },
    opaque: '',
  });
});

test.each([
  ['q v u I x', { quiet: true, value: true, noUse: true, invalidate: true, removeValue: true }],
  ['N10 T-1 R30', { autovivify: 10, ttl: -1, recache: 30 }],
  ['F4294967295', { clientFlags: 4_294_967_295 }],
  ['C5 E18446744073709551615', { compareCas: 5, explicitCas: 18_446_744_073_709_551_615n }],
  ['C9007199254740992', { compareCas: 9_007_199_254_740_992n }],
  ['MA J13 D18446744073709551615', { mode: 'A', initial: 13, delta: 18_446_744_073_709_551_615n }],
])('%s', (flags, expected) => {
  expect(read(`mg key ${flags}`)).toMatchObject({ key: 'key', flags: expected });
});

test('what the answer is to tell is kept in the order given', () => {
  const asked = [...'kOt'].map((letter) => letter.charCodeAt(0));
  expect(read('mg key k Oxyz v t')).toMatchObject({ flags: { asked }, opaque: 'Oxyz' });
  expect(read('mg key k Oab v t')).toMatchObject({ flags: { asked }, opaque: 'Oab' });
});

test('what was read before makes no difference', () => {
  const lines =
    '|v|k|k v|v k|k  v|k v b|b|v b|q|q v|T5|T6|k T5|b T5|T5 v|Tx|C1|C2|E1|O1|O2|O|v O1|v O|v O123 k|v O4 k|v O k|v O1 k |v O1  k|v O1 O2|v O1 k O2|v v|z|h l t c s f k v|h l t c s f k v u'.split(
      '|',
    );
  const alone = new Map(lines.map((line) => [line, read(`mg YWI= ${line}`)]));
  const undecoded = new Map(lines.map((line) => [line, read(`mg ! ${line}`)]));
  for (const before of lines) {
    for (const line of lines) {
      read(`mg YWI= ${before}`);
      for (const _ of ['the first time', 'and again']) {
        expect(read(`mg YWI= ${line}`), `${line} after ${before}`).toEqual(alone.get(line));
        expect(read(`ms YWI= 1 ${line}`, 3), `${line} after ${before}`).toEqual(alone.get(line));
        expect(read(`mg ! ${line}`), `${line} after ${before}`).toEqual(undecoded.get(line));
      }
    }
  }
});

test('a base64 key is decoded, wherever the flag stands', () => {
  expect(read('mg YWI= v b')).toMatchObject({ key: 'ab', flags: { binaryKey: true } });
});

test('the words before the flags are left alone', () => {
  expect(read('ms key 100 T5', 3)).toMatchObject({ flags: { asked: ['T'.charCodeAt(0)], ttl: 5 } });
});

test.each([
  ['v v', 'CLIENT_ERROR duplicate flag'],
  ['O1 O2', 'CLIENT_ERROR duplicate flag'],
  ['\x7f', 'CLIENT_ERROR duplicate flag'],
  ['z', 'CLIENT_ERROR invalid flag'],
  ['Tx z', 'CLIENT_ERROR invalid flag'],
  ['Tx', 'CLIENT_ERROR bad token in command line format'],
  ['Cx', 'CLIENT_ERROR bad token in command line format'],
  ['Fx', 'CLIENT_ERROR bad command line format'],
  ['Tx Fx', 'CLIENT_ERROR bad token in command line format'],
  ['Fx Tx', 'CLIENT_ERROR bad token in command line format'],
  ['Jx', 'CLIENT_ERROR invalid numeric initial value'],
  ['Dx', 'CLIENT_ERROR invalid numeric delta value'],
  ['Jx Dx', 'CLIENT_ERROR invalid numeric delta value'],
  ['M', 'CLIENT_ERROR incorrect length for M token'],
  ['MAB', 'CLIENT_ERROR incorrect length for M token'],
])('%j is refused: %s', (flags, expected) => {
  expect(read(`mg key ${flags}`)).toBe(expected);
});

test.each([
  ['mg ! b', 'CLIENT_ERROR error decoding key'],
  ['mg ! Tx b', 'CLIENT_ERROR error decoding key'],
  ['mg ! b Tx', 'CLIENT_ERROR bad token in command line format'],
])('%j is refused: %s', (line, expected) => {
  expect(read(line)).toBe(expected);
});
