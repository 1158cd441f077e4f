import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hashToken, TokenBook } from '../../src/auth/token-book.ts';

const FIRST = 'a1'.repeat(12);
const SECOND = 'b2'.repeat(12);
const EMPTY = 'c3'.repeat(12);

const book = new TokenBook([
  { id: FIRST, tokenHashes: [hashToken('first token'), hashToken('another of the first')] },
  { id: SECOND, tokenHashes: [hashToken('second token')] },
  { id: EMPTY, tokenHashes: [] },
]);

describe('a token book', () => {
  test.each([
    ['each token of the project', FIRST, 'first token', 'granted'],
    ['each token of the project', FIRST, 'another of the first', 'granted'],
    ['each token of the project', SECOND, 'second token', 'granted'],
    ['a token of another project', SECOND, 'first token', 'forbidden'],
    ['a project that has no token', EMPTY, 'first token', 'forbidden'],
    ['a token that nobody has', FIRST, 'first toke', 'unknown_token'],
    ['a token that nobody has', FIRST, 'First token', 'unknown_token'],
    ['no token', FIRST, '', 'unknown_token'],
    ['the hash of a token', FIRST, hashToken('first token'), 'unknown_token'],
    ['a project that is none, whatever the token', 'd4'.repeat(12), 'first token', 'no_such_project'],
    ['a project that is none, whatever the token', '', '', 'no_such_project'],
    ['a name that objects have', '__proto__', 'first token', 'no_such_project'],
  ] as const)('answers for %s (%s, %j): %s', (_case, projectId, token, verdict) => {
    expect(book.check(projectId, token)).toBe(verdict);
  });

  test('without projects knows none', () => {
    expect(new TokenBook([]).check(FIRST, 'first token')).toBe('no_such_project');
  });

  test('takes tokens of any characters, by their UTF-8 bytes', () => {
    const other = new TokenBook([{ id: FIRST, tokenHashes: [hashToken('schlüssel')] }]);
    expect(other.check(FIRST, 'schlüssel')).toBe('granted');
    expect(other.check(FIRST, 'schlussel')).toBe('unknown_token');
  });
});

test('a token is kept as the hexadecimal digits of its SHA-256', () => {
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hashToken('schlüssel')).toBe(
    createHash('sha256').update(Buffer.from('schlüssel', 'utf8')).digest('hex'),
  );
});
