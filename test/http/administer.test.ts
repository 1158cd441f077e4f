import { expect, test } from 'vitest';
import { AdminScope } from '../../src/http/administer.ts';
import { token } from '../support/credentials.ts';

test('an admin of very many projects is asked about each of them once, not for each project of a token', () => {
  const ids = Array.from({ length: 2000 }, (_, i) => i.toString(16).padStart(24, '0'));
  let looks = 0;
  const counted = new Proxy(ids, {
    get(list, member) {
      if (/^\d+$/.test(String(member))) looks++;
      return Reflect.get(list, member);
    },
  });
  const scope = new AdminScope({ admin: () => token('admin', counted) });
  expect(scope.hasToken({ projects: ids })).toBe(true);
  expect(scope.hasToken({ projects: [...ids, 'f'.repeat(24)] })).toBe(false);
  expect(scope.hasToken({ projects: '*' })).toBe(false);
  expect(looks).toBeLessThanOrEqual(2 * ids.length);
});
