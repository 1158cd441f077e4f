import { randomBytes } from 'node:crypto';
import {
  type Credentials,
  madeAt,
  type Project,
  type Quotas,
  remadeProjects,
  type Token,
} from './credentials.ts';
import type { Emptied } from './emptied-projects.ts';
import type { Permission } from './permissions.ts';
import { hashToken } from './token-book.ts';

/** How many deleted projects are remembered. What earlier ones left behind stays, and nobody can use it. */
export const DELETED_PROJECTS_MAX = 1_000;

/** Why projects and tokens cannot be changed as asked. The message says what to do. */
export class CredentialsRefusal extends Error {
  override readonly name = 'CredentialsRefusal';
  /** `not_kept`: it could not be written; nothing has changed. */
  readonly code: 'read_only' | 'not_found' | 'conflict' | 'too_many' | 'not_kept';

  constructor(code: CredentialsRefusal['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** The change could not be written, and has no effect; the log says why. */
export function notKept(): CredentialsRefusal {
  return new CredentialsRefusal(
    'not_kept',
    'The change could not be kept, and was not made. The log says why.',
  );
}

/** A change: the credentials that come out of it, and what to tell. Throws CredentialsRefusal. */
export type Change<R> = (credentials: Credentials) => { credentials: Credentials; result: R };

export interface NewProject {
  /** A random one unless given: projects that come from elsewhere keep theirs. */
  readonly id?: string | undefined;
  readonly name: string;
  readonly suspended?: boolean | undefined;
  readonly quotas?: Quotas | undefined;
}

export interface ProjectChange {
  readonly name?: string;
  readonly suspended?: boolean;
  readonly quotas?: Partial<Quotas>;
}

export interface NewToken {
  readonly name: string;
  readonly projects: '*' | readonly string[];
  readonly permissions: readonly Permission[];
  /** Milliseconds since the Unix epoch; never unless given. */
  readonly expiresAt?: number | undefined;
  /** A random one unless given, as with a project's id. */
  readonly text?: string | undefined;
}

/** What every new token has to heed. */
export interface TokenRules {
  /** Tokens that are given elsewhere, and have texts that no other may have. */
  readonly elsewhere: readonly Token[];
  /** How many a project may have, and how many there may be for all projects. */
  readonly tokensMax: number;
  /** What to do where there are so many: a sentence. */
  readonly advice: string;
}

export const NO_RULES: TokenRules = { elsewhere: [], tokensMax: Number.POSITIVE_INFINITY, advice: '' };

/** A token with its text, which only its maker ever sees. */
interface MadeToken {
  readonly token: Token;
  readonly text: string;
}

export function createProject(asked: NewProject, now: number): Change<Project> {
  const { id = randomId(), name, suspended = false, quotas = {} } = asked;
  const project = { id, name, suspended, quotas, createdAt: now };
  return (credentials) => {
    const { projects } = credentials;
    if (projects.some((other) => other.id === id)) {
      throw new CredentialsRefusal('conflict', `There is a project ${id} already. Choose another id.`);
    }
    return { credentials: { ...credentials, projects: [...projects, project] }, result: project };
  };
}

/** Changes what is given of a project; of its quotas, too. */
export function changeProject(id: string, change: ProjectChange): Change<Project> {
  return (credentials) => {
    const project = found(credentials.projects, id, 'project');
    const changed = { ...project, ...change, quotas: { ...project.quotas, ...change.quotas } };
    const projects = credentials.projects.map((each) => (each.id === id ? changed : each));
    return { credentials: { ...credentials, projects }, result: changed };
  };
}

/** Deletes a project, and with it the tokens that were for no other. */
export function deleteProject(id: string): Change<Project> {
  return ({ projects, tokens, deletedProjects = [] }) => ({
    result: found(projects, id, 'project'),
    credentials: {
      deletedProjects: [...deletedProjects.filter((other) => other !== id), id].slice(-DELETED_PROJECTS_MAX),
      projects: projects.filter((project) => project.id !== id),
      tokens: tokens.flatMap((token) => {
        if (token.projects === '*' || !token.projects.includes(id)) return [token];
        const others = token.projects.filter((project) => project !== id);
        return others.length > 0 ? [{ ...token, projects: others }] : [];
      }),
    },
  });
}

/**
 * What there was before these were made again, at these times, is gone: their deletion need not be remembered any more,
 * unless one was made once more since.
 */
export function forgetDeletions(emptied: Emptied): Change<void> {
  return (credentials) => {
    const isEmptied = (id: string) => emptied.has(id) && emptied.get(id) === madeAt(credentials, id);
    const remade = remadeProjects(credentials).filter(isEmptied);
    const deletedProjects = credentials.deletedProjects?.filter((id) => !remade.includes(id));
    return {
      credentials: { ...credentials, ...(deletedProjects && { deletedProjects }) },
      result: undefined,
    };
  };
}

export function createToken(asked: NewToken, now: number, rules: TokenRules = NO_RULES): Change<MadeToken> {
  const { name, projects, permissions, text = randomBytes(24).toString('base64url') } = asked;
  const { expiresAt = Number.POSITIVE_INFINITY } = asked;
  const hash = hashToken(text);
  const token = { id: randomId(), name, hash, projects, permissions, expiresAt, createdAt: now };
  return (credentials) => {
    if (projects !== '*') checkProjects(credentials, projects);
    const isSame = (other: Token) => other.hash === hash;
    if (credentials.tokens.some(isSame) || rules.elsewhere.some(isSame)) {
      throw new CredentialsRefusal('conflict', 'There is a token of this text already. Choose another.');
    }
    checkNumber(credentials, projects, rules);
    const tokens = [...credentials.tokens, token];
    return { credentials: { ...credentials, tokens }, result: { token, text } };
  };
}

export function revokeToken(id: string): Change<Token> {
  return (credentials) => ({
    result: found(credentials.tokens, id, 'token'),
    credentials: { ...credentials, tokens: credentials.tokens.filter((token) => token.id !== id) },
  });
}

// A token may be for thousands of as many projects.
function checkProjects({ projects }: Credentials, ids: readonly string[]): void {
  const known = new Set(projects.map(({ id }) => id));
  for (const id of ids) if (!known.has(id)) found(projects, id, 'project');
}

// Each is kept, read and looked through with all others at every change, an expired one too.
function checkNumber(
  { tokens }: Credentials,
  asked: NewToken['projects'],
  { tokensMax, advice }: TokenRules,
): void {
  if (asked === '*') {
    const there = tokens.filter(({ projects }) => projects === '*').length;
    if (there >= tokensMax) {
      throw tooMany(`There are as many tokens for all projects as there may be (${there}). ${advice}`);
    }
    return;
  }
  const counts = new Map(asked.map((id) => [id, 0]));
  for (const { projects } of tokens) {
    for (const id of projects === '*' ? [] : projects) {
      const count = counts.get(id);
      if (count !== undefined) counts.set(id, count + 1);
    }
  }
  for (const [id, there] of counts) {
    if (there < tokensMax) continue;
    throw tooMany(`The project ${id} has as many tokens as it may have (${there}). ${advice}`);
  }
}

function tooMany(message: string): CredentialsRefusal {
  return new CredentialsRefusal('too_many', message);
}

function found<T extends { readonly id: string }>(
  all: readonly T[],
  id: string,
  kind: 'project' | 'token',
): T {
  const one = all.find((each) => each.id === id);
  if (one) return one;
  throw new CredentialsRefusal('not_found', `There is no ${kind} ${id}.`);
}

function randomId(): string {
  return randomBytes(12).toString('hex');
}
