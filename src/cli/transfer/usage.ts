import type { OptionTable } from '../option-table.ts';

/** Every option of these commands, with its value and what it says. */
export const TRANSFER_OPTIONS = {
  project: { value: 'ID', about: 'the project; unless given, that of iron.json in the data directory' },
  'all-projects': { about: 'every project, by the admin token' },
  cache: {
    value: 'NAME',
    isRepeatable: true,
    about: 'this cache alone; several times for several, where it is a dump',
  },
  add: { about: 'leave items as they are that are there already' },
  'from-memcached': { value: 'HOST:PORT', about: 'load what a memcached has, instead of a dump' },
  'memcached-auth': {
    value: 'FILE',
    about: 'its file of users, where it has one (memcached -Y): the first line is used',
  },
  token: {
    value: 'TOKEN',
    about: 'of the project (or IRONCACHED_TOKEN, or iron.json; else one is made for it by the admin token)',
  },
  server: { value: 'URL', about: 'the running service; unless given, that of iron.json or of the settings' },
  'data-dir': { value: 'DIR', about: 'the data directory of the service (or IRONCACHED_DATA_DIR)' },
  'admin-token': {
    value: 'TOKEN',
    about: 'unless given, IRONCACHED_ADMIN_TOKEN or the one in the data directory',
  },
} as const satisfies OptionTable;

type OptionName = keyof typeof TRANSFER_OPTIONS;

const EVERYWHERE: readonly OptionName[] = ['token', 'server', 'data-dir', 'admin-token'];

interface Usage {
  readonly about: string;
  readonly options: readonly OptionName[];
}

export const TRANSFERS = {
  dump: {
    about: 'write the items of a running service into a file, or to standard output; .gz is compressed',
    options: ['project', 'all-projects', 'cache', ...EVERYWHERE],
  },
  load: {
    about: 'load such a file, or standard input, into a running service',
    options: ['project', 'cache', 'add', 'from-memcached', 'memcached-auth', ...EVERYWHERE],
  },
} as const satisfies Record<string, Usage>;
