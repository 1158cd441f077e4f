import { type PermissionSet, READ, WRITE } from '../../auth/permissions.ts';
import type { MetaFlags } from '../requests/meta-flags.ts';
import type { Request } from '../requests/request.ts';

const NONE: PermissionSet = 0;

/** Where it does not depend on what is asked. */
const NEEDED: Readonly<Record<Exclude<Request['command'], 'mg' | 'stats' | 'refused'>, PermissionSet>> = {
  get: READ,
  gets: READ,
  gat: READ | WRITE,
  gats: READ | WRITE,
  set: WRITE,
  add: WRITE,
  replace: WRITE,
  append: WRITE,
  prepend: WRITE,
  cas: WRITE,
  delete: WRITE,
  incr: WRITE,
  decr: WRITE,
  touch: WRITE,
  flush_all: WRITE,
  verbosity: NONE,
  version: NONE,
  quit: NONE,
  mn: NONE,
  lru_crawler: READ,
  watch: READ,
  ms: WRITE,
  md: WRITE,
  ma: WRITE,
  me: READ,
};

/** What a client must be permitted to do for a request. */
export function permissionsNeeded(request: Request): PermissionSet {
  switch (request.command) {
    case 'mg':
      return changesItem(request.flags) ? READ | WRITE : READ;
    case 'stats':
      return request.words[0] === 'reset' ? WRITE : READ;
    case 'refused':
      // A set that is too large still removes the old value.
      return request.tooLargeFor === undefined ? NONE : WRITE;
    default:
      return NEEDED[request.command];
  }
}

// By making an item, giving it another expiry, or winning the right to store it anew.
function changesItem({ autovivify, ttl, recache }: MetaFlags): boolean {
  return autovivify !== undefined || ttl !== undefined || recache !== undefined;
}
