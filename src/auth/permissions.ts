/**
 * What a token may do with its projects: read items and what is known about caches; change items, clear
 * and delete caches; administer projects and tokens. None includes another.
 */
export const PERMISSIONS = ['read', 'write', 'admin'] as const;

export type Permission = (typeof PERMISSIONS)[number];

/** Several permissions as bits of one number, so that a command can be checked without a search. */
export type PermissionSet = number;

export const READ = 1;
export const WRITE = 2;
export const ADMIN = 4;

const BITS: Record<Permission, PermissionSet> = { read: READ, write: WRITE, admin: ADMIN };

export function permissionSet(permissions: readonly Permission[]): PermissionSet {
  return permissions.reduce((set, permission) => set | BITS[permission], 0);
}

/** The first of the permissions that are needed and not there, if any. */
export function missingPermission(there: PermissionSet, needed: PermissionSet): Permission | undefined {
  return PERMISSIONS.find((permission) => (needed & ~there & BITS[permission]) !== 0);
}
