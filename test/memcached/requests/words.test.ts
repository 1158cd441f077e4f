import { expect, test } from 'vitest';
import { codeOf, Words } from '../../../src/memcached/requests/words.ts';

function wordsOf(line: string): string[] {
  const words = new Words();
  words.readLine(Buffer.from(`${line}\n`, 'latin1'), 0);
  return Array.from({ length: words.count }, (_, i) => words.text(i));
}

test.each([
  ['', []],
  ['   ', []],
  ['get key', ['get', 'key']],
  ['  get   key  ', ['get', 'key']],
  ['get\tkey', ['get\tkey']],
  ['get \xff\x80', ['get', '\xff\x80']],
  ['get a\0b c', ['get', 'a']],
  ['\0get a', []],
])('%j has the words %j', (line, expected) => {
  expect(wordsOf(line)).toEqual(expected);
});

test.each([
  ['get key\n', 7],
  ['get key\r\nget other', 8],
  ['get a\0b\nc\n', 7],
  ['\n', 0],
  ['get key', -1],
  ['get a\0b', -1],
  ['', -1],
])('the newline of %j is at %d', (text, newline) => {
  expect(new Words().readLine(Buffer.from(text, 'latin1'), 0)).toBe(newline);
});

test('a return is none of the words, unless it is all there is', () => {
  expect(wordsOf('get a\r')).toEqual(['get', 'a']);
  expect(wordsOf('get a\r\r')).toEqual(['get', 'a\r']);
  const words = new Words();
  words.readLine(Buffer.from('\r\n'), 0);
  expect([words.count, words.text(0)]).toEqual([1, '\r']);
});

test('forgets the line before', () => {
  const words = new Words();
  const bytes = Buffer.from('a b c\nd\n');
  words.readLine(bytes, 0);
  words.readLine(bytes, 6);
  expect([words.count, words.text(0), words.text(1), words.length(1)]).toEqual([1, 'd', '', 0]);
});

test('compares a word without copying it', () => {
  const words = new Words();
  words.readLine(Buffer.from('set noreply\n'), 0);
  expect([words.is(1, 'noreply'), words.is(1, 'norepl'), words.is(2, 'noreply')]).toEqual([
    true,
    false,
    false,
  ]);
});

test.each([
  ['0', 0],
  ['007', 7],
  ['999999999', 999_999_999],
  ['1000000000', -1],
  ['-1', -1],
  ['+1', -1],
  ['1x', -1],
])('%s as a plain number is %d', (text, expected) => {
  const words = new Words();
  words.readLine(Buffer.from(`a ${text}\n`), 0);
  expect([words.plainNumber(1), words.plainNumber(2)]).toEqual([expected, -1]);
});

test('codes tell words apart by length and first bytes', () => {
  const names = [
    'get',
    'gets',
    'gat',
    'gats',
    'set',
    'mg',
    'ms',
    'md',
    'version',
    'verbosity',
    'lru',
    'slabs',
    'stats',
  ];
  expect(new Set(names.map(codeOf)).size).toBe(names.length);
  expect(codeOf('version')).toBe(codeOf('versatz'));
});
