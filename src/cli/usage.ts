import type { OptionTable } from './option-table.ts';
import { TRANSFERS } from './transfer/usage.ts';

/** A line for a command's help, and which options it takes besides those of all. */
export interface Usage {
  /** What stands behind the command, if anything. */
  readonly argument?: 'NAME' | 'ID';
  readonly options: readonly (keyof typeof OPTIONS)[];
  readonly about: string;
}

const QUOTAS = ['bytes', 'items', 'requests-per-second'] as const;

/** The options of single commands. */
export const OPTIONS = {
  id: { value: 'ID', about: 'its id, for a project that comes from elsewhere' },
  name: { value: 'NAME', about: 'another name' },
  bytes: { value: 'SIZE', about: 'what its items may take, like 64mb; none: no limit' },
  items: { value: 'NUMBER', about: 'how many items it may have; none: no limit' },
  'requests-per-second': { value: 'NUMBER', about: 'how many requests it may make; none: no limit' },
  project: {
    value: 'ID',
    isRepeatable: true,
    about: 'a project of the token, several times for several; the only one may be left out',
  },
  'all-projects': { about: 'for all projects, those to come as well' },
  permissions: { value: 'LIST', about: 'what it may do: some of read,write,admin; read,write unless given' },
  'expires-in': {
    value: 'TIME',
    about: 'how long it lives, like 90d, 12h, 30m or 60s; for ever unless given',
  },
} as const satisfies OptionTable;

/** The options of all commands. */
export const COMMON_OPTIONS = {
  json: { about: 'print JSON, as the REST interface answers it' },
  'data-dir': {
    value: 'DIR',
    about: 'the data directory of the service, which may run or not (or IRONCACHED_DATA_DIR)',
  },
  server: { value: 'URL', about: 'go through a running service instead, like http://127.0.0.1:8080' },
  'admin-token': {
    value: 'TOKEN',
    about: 'for --server (or IRONCACHED_ADMIN_TOKEN; else the one in the data directory)',
  },
} as const satisfies OptionTable;

export const COMMANDS = {
  'project create': {
    argument: 'NAME',
    options: ['id', ...QUOTAS],
    about: 'make a project with a token, and print their iron.json',
  },
  'project list': { options: [], about: 'list the projects' },
  'project change': { argument: 'ID', options: ['name', ...QUOTAS], about: 'change its name or its quotas' },
  'project suspend': { argument: 'ID', options: [], about: 'refuse it to everyone, and keep it' },
  'project resume': { argument: 'ID', options: [], about: 'end that' },
  'project delete': { argument: 'ID', options: [], about: 'delete it, its caches, and tokens for it alone' },
  'token create': {
    argument: 'NAME',
    options: ['project', 'all-projects', 'permissions', 'expires-in'],
    about: 'make a token, and print the iron.json of its project',
  },
  'token list': { options: ['project'], about: 'list the tokens' },
  'token revoke': { argument: 'ID', options: [], about: 'end a token, at once and for good' },
} as const satisfies Record<string, Usage>;

export type CommandName = keyof typeof COMMANDS;

/** Which program the arguments ask for; undefined: the service itself. */
export function programOf([first = '']: readonly string[]): 'commands' | 'transfer' | 'repair' | undefined {
  if (first === 'repair') return first;
  if (Object.hasOwn(TRANSFERS, first)) return 'transfer';
  return Object.keys(COMMANDS).some((name) => name.split(' ')[0] === first) ? 'commands' : undefined;
}
