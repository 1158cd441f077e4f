import { z } from 'zod';
import { idSchema, tokenTextSchema } from '../../auth/credential-members.ts';
import { serverUrl } from '../invocation.ts';
import { OptionReader, type Reading } from '../option-reader.ts';
import { TRANSFER_OPTIONS, TRANSFERS } from './usage.ts';

/** Where a memcached listens. */
export interface MemcachedAddress {
  readonly host: string;
  readonly port: number;
}

export interface Transfer {
  readonly command: keyof typeof TRANSFERS;
  /** Undefined: standard input or output. */
  readonly file: string | undefined;
  readonly project: string | undefined;
  readonly allProjects: boolean;
  readonly caches: readonly string[];
  readonly add: boolean;
  readonly memcached: MemcachedAddress | undefined;
  readonly memcachedAuth: string | undefined;
  readonly token: string | undefined;
  readonly server: URL | undefined;
}

/** Understands a command line of `dump` or `load`. Finds every mistake. */
export function readTransfer([name = '', ...args]: readonly string[]): Reading<Transfer> {
  const reader = new OptionReader(args, TRANSFER_OPTIONS);
  if (reader.asksForHelp) return { show: 'help' };
  const command = name as Transfer['command'];
  reader.refuseOthers(TRANSFERS[command].options, command);
  reader.refuseRepeated();
  const transfer = transferFrom(command, reader);
  const settings = reader.settings();
  reader.mistakes.push(...contradictions(transfer));
  return reader.reading(transfer, settings);
}

function transferFrom(command: Transfer['command'], reader: OptionReader): Transfer {
  const file = reader.argument(reader.positionals, 'FILE');
  return {
    command,
    file: file === undefined || file === '-' ? undefined : reader.valid('the FILE', fileName, file),
    project: reader.checked('project', idSchema),
    allProjects: reader.flag('all-projects'),
    caches: reader.list('cache', cacheName),
    add: reader.flag('add'),
    memcached: reader.checked('from-memcached', memcachedAddress),
    memcachedAuth: reader.checked('memcached-auth', fileName),
    token: reader.checked('token', tokenTextSchema),
    server: reader.checked('server', serverUrl),
  };
}

const NO_NAME = { error: 'must be the name of a cache' };
const cacheName = z.string(NO_NAME).min(1, NO_NAME);

// What a variable of a shell is that was never set.
const fileName = z.string().min(1, { error: 'must be the name of a file' });

const ADDRESS = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/;

const memcachedAddress = z.string().transform((text, context) => {
  const [, v6, host = v6, port] = ADDRESS.exec(text) ?? [];
  if (host !== undefined && Number(port) >= 1 && Number(port) <= 65_535) return { host, port: Number(port) };
  context.addIssue('must be an address like 127.0.0.1:11211');
  return z.NEVER;
});

function contradictions(transfer: Transfer): string[] {
  const { command, file, project, allProjects, caches, memcached, memcachedAuth } = transfer;
  const isLoad = command === 'load';
  return [
    [allProjects && project !== undefined, '--project and --all-projects exclude each other'],
    [allProjects && caches.length > 0, '--cache and --all-projects exclude each other'],
    [isLoad && caches.length > 1, '--cache: load takes one cache'],
    [memcached && caches.length === 0, '--from-memcached needs --cache, to load into'],
    [memcached && file !== undefined, '--from-memcached takes no FILE'],
    [memcachedAuth !== undefined && !memcached, '--memcached-auth needs --from-memcached'],
  ].flatMap(([is, mistake]) => (is ? String(mistake) : []));
}
