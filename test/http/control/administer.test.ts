import { describe, expect, onTestFinished, test } from 'vitest';
import { AdminScope } from '../../../src/http/control/administer.ts';
import { OTHER_PROJECT, PROJECT, testApp } from '../../support/app.ts';
import { TWO_PROJECTS, token } from '../../support/credentials.ts';
import { HttpSocket } from '../../support/http-socket.ts';
import { temporaryDirectory } from '../../support/service.ts';

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

describe('an admin whose right ends before the change is made', () => {
  const [first, second] = ['first', 'second'].map((name) => token(name, '*', { permissions: ['admin'] }));
  if (!first || !second) throw new Error('there are two');
  const third = token('third', [PROJECT]);
  const credentials = { ...TWO_PROJECTS, tokens: [first, second, third] };

  async function start() {
    const rest = await testApp({ dataDir: temporaryDirectory(), credentials });
    onTestFinished(() => rest.app.close());
    const ask = async (method: 'GET' | 'DELETE', url: string, { name }: { name: string }) => {
      const headers = { authorization: `OAuth ${name}` };
      return (await rest.app.inject({ method, url, headers })).statusCode;
    };
    return { ...rest, ask };
  }

  test.each([`/1/projects/${OTHER_PROJECT}`, `/1/tokens/${third.id}`])(
    'by one that was asked for earlier, deletes nothing: %s',
    async (url) => {
      const { ask } = await start();
      const revoked = ask('DELETE', `/1/tokens/${second.id}`, first);
      expect(await ask('DELETE', url, second)).toBe(403);
      expect([await revoked, await ask('GET', url, first)]).toEqual([200, 200]);
    },
  );

  test('by a change of its permissions, changes nothing', async () => {
    const { ask, tokens, listen } = await start();
    const socket = new HttpSocket(await listen());
    const url = `/1/projects/${PROJECT}`;
    socket.write(
      `PATCH ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: OAuth second\r\n` +
        'Content-Length: 12\r\nExpect: 100-continue\r\n\r\n',
    );
    expect((await socket.answer()).status).toBe(100);
    const reader = { ...second, permissions: ['read'] as const };
    tokens.update({ ...credentials, tokens: [first, reader] });
    socket.write('{"name":"x"}');
    expect((await socket.answer()).status).toBe(403);
    socket.destroy();
    expect(await ask('GET', url, first)).toBe(200);
  });
});
