import type { Credentials, Project, Token } from '../../src/auth/credentials.ts';
import { hashToken, TokenBook } from '../../src/auth/token-book.ts';
import type { SignInLimits } from '../../src/limits/failed-sign-ins.ts';
import { plant } from './overheard.ts';

export const PROJECT = '4e71843298b1db3f0d0000aa';
export const TOKEN = plant('token-of-the-first-project');
/** Another project, with a token that has no right to the first. */
export const OTHER_PROJECT = '4e71843298b1db3f0d0000bb';
export const OTHER_TOKEN = plant('token-of-the-other-project');

/** A project that nothing is special about, but for what is given. */
export function project(id: string, special: Partial<Project> = {}): Project {
  return { id, name: `project ${id}`, suspended: false, quotas: {}, ...special };
}

/** A token of this text that may read and write, but for what is given. Its id is made from its text. */
export function token(text: string, projects: Token['projects'], special: Partial<Token> = {}): Token {
  return {
    id: hashToken(`id of ${text}`).slice(0, 24),
    name: text,
    hash: hashToken(text),
    projects,
    permissions: ['read', 'write'],
    expiresAt: Number.POSITIVE_INFINITY,
    ...special,
  };
}

/** Failures cost next to nothing, and no address is ever refused. */
export const SIGN_IN_LIMITS: SignInLimits = { failuresPerAddressMax: 0, refusalMs: 60_000, delayMs: 1 };

export function bookOf(credentials: Credentials, now: () => number = () => 0): TokenBook {
  const book = new TokenBook(now);
  book.update(credentials);
  return book;
}

/** Each of the two projects with its token. */
export const TWO_PROJECTS: Credentials = {
  projects: [project(PROJECT), project(OTHER_PROJECT)],
  tokens: [token(TOKEN, [PROJECT]), token(OTHER_TOKEN, [OTHER_PROJECT])],
};
