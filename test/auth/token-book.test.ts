import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Credentials } from '../../src/auth/credentials.ts';
import { Grant } from '../../src/auth/grant.ts';
import { READ, WRITE } from '../../src/auth/permissions.ts';
import { hashToken, TokenBook } from '../../src/auth/token-book.ts';
import { testClock } from '../support/clock.ts';
import { bookOf, project, token } from '../support/credentials.ts';

const FIRST = 'a1'.repeat(12);
const SECOND = 'b2'.repeat(12);
const SUSPENDED = 'c3'.repeat(12);

const clock = testClock();

const CREDENTIALS: Credentials = {
  projects: [project(FIRST), project(SECOND), project(SUSPENDED, { suspended: true })],
  tokens: [
    token('first token', [FIRST]),
    token('another of the first', [FIRST]),
    token('second token', [SECOND]),
    token('of two', [FIRST, SECOND]),
    token('of all', '*'),
    token('of the suspended', [SUSPENDED]),
    token('for an hour', [FIRST], { expiresAt: clock.now() + 3_600_000 }),
    token('expired', [FIRST], { expiresAt: clock.now() }),
  ],
};

function verdict(book: TokenBook, projectId: string, text: string): string {
  const grant = book.check(projectId, text);
  return grant instanceof Grant ? 'granted' : grant;
}

function grantOf(book: TokenBook, projectId: string, text: string): Grant {
  const grant = book.check(projectId, text);
  if (!(grant instanceof Grant)) throw new Error(`${text} is not granted: ${grant}`);
  return grant;
}

describe('a token book', () => {
  const book = bookOf(CREDENTIALS, clock.now);

  test.each([
    ['each token of the project', FIRST, 'first token', 'granted'],
    ['each token of the project', FIRST, 'another of the first', 'granted'],
    ['each token of the project', SECOND, 'second token', 'granted'],
    ['a token of several projects', FIRST, 'of two', 'granted'],
    ['a token of several projects', SECOND, 'of two', 'granted'],
    ['a token of all projects', SECOND, 'of all', 'granted'],
    ['a token whose time has not come', FIRST, 'for an hour', 'granted'],
    ['a token whose time has come', FIRST, 'expired', 'expired_token'],
    ['such a token elsewhere', SECOND, 'expired', 'expired_token'],
    ['a suspended project', SUSPENDED, 'of the suspended', 'suspended'],
    ['a suspended project', SUSPENDED, 'of all', 'suspended'],
    ['a suspended project of others', SUSPENDED, 'first token', 'forbidden'],
    ['a token of another project', SECOND, 'first token', 'forbidden'],
    ['a token that nobody has', FIRST, 'first toke', 'unknown_token'],
    ['a token that nobody has', FIRST, 'First token', 'unknown_token'],
    ['no token', FIRST, '', 'unknown_token'],
    ['the hash of a token', FIRST, hashToken('first token'), 'unknown_token'],
    ['a project that is none, whatever the token', 'd4'.repeat(12), 'of all', 'no_such_project'],
    ['a project that is none, whatever the token', '', '', 'no_such_project'],
    ['a name that objects have', '__proto__', 'first token', 'no_such_project'],
  ] as const)('answers for %s (%s, %j): %s', (_case, projectId, text, expected) => {
    expect(verdict(book, projectId, text)).toBe(expected);
  });

  test('knows whose text it is, whatever that may do', () => {
    expect(book.identify('of the suspended')).toBe(CREDENTIALS.tokens[5]);
    expect(book.identify('expired')).toBe('expired_token');
    expect(book.identify('nobody')).toBe('unknown_token');
  });

  test('knows nothing before it is told', () => {
    const empty = new TokenBook(clock.now);
    expect(verdict(empty, FIRST, 'first token')).toBe('no_such_project');
    expect(empty.identify('first token')).toBe('unknown_token');
  });

  test('takes tokens of any characters, by their UTF-8 bytes', () => {
    const other = bookOf({ projects: [project(FIRST)], tokens: [token('schlüssel', [FIRST])] });
    expect(verdict(other, FIRST, 'schlüssel')).toBe('granted');
    expect(verdict(other, FIRST, 'schlussel')).toBe('unknown_token');
  });
});

describe('a grant', () => {
  test('is one object for a token and a project, to count by', () => {
    const book = bookOf(CREDENTIALS, clock.now);
    const grant = grantOf(book, FIRST, 'of two');
    expect(grantOf(book, FIRST, 'of two')).toBe(grant);
    expect(grantOf(book, SECOND, 'of two')).not.toBe(grant);
    book.update({ ...CREDENTIALS, projects: [...CREDENTIALS.projects] });
    expect(grantOf(book, FIRST, 'of two')).toBe(grant);
    expect([grant.project.id, grant.token?.name, grant.permissions]).toEqual([FIRST, 'of two', READ | WRITE]);
  });

  test('ends when its token expires', () => {
    const own = testClock();
    const tokens = [token('t', [FIRST], { expiresAt: own.now() + 1000 })];
    const book = bookOf({ projects: [project(FIRST)], tokens }, own.now);
    const grant = grantOf(book, FIRST, 't');
    expect(grant.denial(own.now() + 999)).toBeUndefined();
    expect(grant.denial(own.now() + 1000)).toBe('expired_token');
    own.advance(1000);
    expect(verdict(book, FIRST, 't')).toBe('expired_token');
  });

  test.each<[string, Credentials, string | undefined, string]>([
    ['its token is revoked', { projects: [project(FIRST)], tokens: [] }, 'unknown_token', 'unknown_token'],
    [
      'its token has another text',
      {
        projects: [project(FIRST)],
        tokens: [token('other', [FIRST], { id: token('t', '*').id })],
      },
      'unknown_token',
      'unknown_token',
    ],
    [
      'its token loses the project',
      { projects: [project(FIRST), project(SECOND)], tokens: [token('t', [SECOND])] },
      'forbidden',
      'forbidden',
    ],
    [
      'its project is deleted',
      { projects: [], tokens: [token('t', '*')] },
      'no_such_project',
      'no_such_project',
    ],
    [
      'its project is suspended',
      { projects: [project(FIRST, { suspended: true })], tokens: [token('t', '*')] },
      'suspended',
      'suspended',
    ],
    [
      'nothing of it changes',
      { projects: [project(FIRST)], tokens: [token('t', '*')] },
      undefined,
      'granted',
    ],
  ])('changes at once when %s', (_case, next, denial, expected) => {
    const book = bookOf({ projects: [project(FIRST)], tokens: [token('t', [FIRST])] });
    const grant = grantOf(book, FIRST, 't');
    book.update(next);
    expect(grant.denial(0)).toBe(denial);
    expect(verdict(book, FIRST, 't')).toBe(expected);
  });

  test('comes back with its project, and has its new permissions and quotas', () => {
    const book = bookOf({ projects: [project(FIRST)], tokens: [token('t', [FIRST])] });
    const grant = grantOf(book, FIRST, 't');
    book.update({ projects: [project(FIRST, { suspended: true })], tokens: [token('t', [FIRST])] });
    const quotas = { requestsPerSecond: 5 };
    const tokens = [token('t', [FIRST], { permissions: ['read'] })];
    book.update({ projects: [project(FIRST, { quotas })], tokens });
    expect([grant.denial(0), grant.permissions, grant.project.quotas]).toEqual([undefined, READ, quotas]);
  });

  test('of a bound listener follows its project alone', () => {
    const book = bookOf({ projects: [project(FIRST)], tokens: [] });
    const grant = book.boundGrant(FIRST);
    expect([grant?.denial(0), grant?.permissions]).toEqual([undefined, READ | WRITE]);
    book.update({ projects: [project(FIRST, { suspended: true })], tokens: [] });
    expect(grant?.denial(0)).toBe('suspended');
    book.update({ projects: [], tokens: [] });
    expect(grant?.denial(0)).toBe('no_such_project');
    book.update({ projects: [project(FIRST)], tokens: [] });
    expect(grant?.denial(0)).toBeUndefined();
    expect(book.boundGrant(SECOND)).toBeUndefined();
  });
});

test('a token is kept as the hexadecimal digits of its SHA-256', () => {
  expect(hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(hashToken('schlüssel')).toBe(
    createHash('sha256').update(Buffer.from('schlüssel', 'utf8')).digest('hex'),
  );
});
