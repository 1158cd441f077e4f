import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Accounts } from '../../src/auth/accounts.ts';
import {
  CredentialsRefusal,
  changeProject,
  createProject,
  createToken,
  DELETED_PROJECTS_MAX,
  deleteProject,
  revokeToken,
} from '../../src/auth/credential-changes.ts';
import type { Credentials } from '../../src/auth/credentials.ts';
import { credentialsFilePath, openDirectory, readCredentialsFile } from '../../src/auth/credentials-file.ts';
import { formatCredentials } from '../../src/auth/credentials-json.ts';
import { project, token } from '../support/credentials.ts';
import { temporaryDirectory } from '../support/service.ts';

const NOW = Date.UTC(2030, 0, 1);
const PROJECT = 'a1'.repeat(12);
const OTHER = 'b2'.repeat(12);

let dataDir: string;
let path: string;

beforeEach(() => {
  dataDir = temporaryDirectory();
  path = credentialsFilePath(dataDir);
});

interface Opened {
  readonly accounts: Accounts;
  readonly deleted: string[];
  readonly logged: string[];
}

async function open(
  options: {
    readOnly?: string;
    hasItems?: boolean;
    onDeleted?: () => Promise<void>;
    deletionsKept?: () => Promise<boolean>;
  } = {},
): Promise<Opened> {
  await openDirectory(dataDir, { firstProject: false, adminToken: false, now: NOW });
  const deleted: string[] = [];
  const logged: string[] = [];
  const accounts = new Accounts({
    file: await readCredentialsFile(path),
    ...(options.readOnly && { readOnly: options.readOnly }),
    ...(options.deletionsKept && { deletionsKept: options.deletionsKept }),
    hasItems: options.hasItems ?? true,
    onChange: (_credentials, ids) => {
      deleted.push(...ids);
      return options.onDeleted?.();
    },
    log: {
      info: (_details, message) => logged.push(message),
      error: (details, message) => logged.push(`${message}: ${JSON.stringify(details)}`),
    },
  });
  onTestFinished(() => accounts.close());
  return { accounts, deleted, logged };
}

/** What the next start would find. */
async function kept(): Promise<Credentials> {
  return (await readCredentialsFile(path)).credentials;
}

const names = ({ projects }: Credentials) => projects.map(({ name }) => name);

describe('a change', () => {
  test('is kept, for its owner alone, when it is said to be', async () => {
    const { accounts } = await open();
    const made = await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    expect(made).toEqual({ id: PROJECT, name: 'web', suspended: false, quotas: {}, createdAt: NOW });
    const { token: web, text } = await accounts.change(
      createToken({ name: 'web', projects: [PROJECT], permissions: ['read'], expiresAt: NOW + 1 }, NOW),
    );
    expect(text).toMatch(/^[\w-]{32}$/);
    expect(await kept()).toEqual(accounts.credentials);
    expect((await kept()).tokens).toEqual([web]);
    expect(readFileSync(path, 'utf8')).not.toContain(text);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('of a project changes what is given, and nothing else', async () => {
    const { accounts } = await open();
    await accounts.change(createProject({ id: PROJECT, name: 'web', quotas: { bytes: 1, items: 2 } }, NOW));
    await accounts.change(changeProject(PROJECT, { suspended: true, quotas: { items: undefined } }));
    expect(await kept()).toMatchObject({
      projects: [{ name: 'web', suspended: true, quotas: { bytes: 1 } }],
    });
    expect((await kept()).projects[0]?.quotas.items).toBeUndefined();
  });

  test('that deletes a project deletes the tokens that were for no other', async () => {
    const { accounts, deleted } = await open();
    for (const id of [PROJECT, OTHER]) await accounts.change(createProject({ id, name: id }, NOW));
    for (const projects of [[PROJECT], [PROJECT, OTHER], '*'] as const) {
      await accounts.change(createToken({ name: String(projects), projects, permissions: ['read'] }, NOW));
    }
    await accounts.change(deleteProject(PROJECT));
    expect((await kept()).tokens.map(({ projects }) => projects)).toEqual([[OTHER], '*']);
    expect(deleted).toEqual([PROJECT]);
  });

  test('that deletes very many projects remembers the last', async () => {
    const { accounts } = await open();
    const deleteOne = (credentials: Credentials, i: number) => {
      const id = i.toString(16).padStart(24, '0');
      return deleteProject(id)(createProject({ id, name: id }, NOW)(credentials).credentials).credentials;
    };
    await accounts.change((credentials) => {
      let changed = credentials;
      for (let i = 0; i <= DELETED_PROJECTS_MAX; i++) changed = deleteOne(changed, i);
      return { credentials: changed, result: undefined };
    });
    const { deletedProjects = [] } = await kept();
    expect(deletedProjects).toHaveLength(DELETED_PROJECTS_MAX);
    expect(deletedProjects.at(-1)).toBe(DELETED_PROJECTS_MAX.toString(16).padStart(24, '0'));
  });

  test.each([
    ['a project that is there', createProject({ id: PROJECT, name: 'x' }, NOW), 'conflict'],
    ['a project that is not', deleteProject(OTHER), 'not_found'],
    ['a project that is not', changeProject(OTHER, {}), 'not_found'],
    ['a token that is not', revokeToken(OTHER), 'not_found'],
    [
      'a token of no project',
      createToken({ name: 'x', projects: [OTHER], permissions: ['read'] }, NOW),
      'not_found',
    ],
    [
      'a token that is there',
      createToken({ name: 'x', projects: '*', permissions: ['read'], text: 'the same text' }, NOW),
      'conflict',
    ],
  ] as const)('of %s is refused, and changes nothing', async (_case, change, code) => {
    const { accounts } = await open();
    await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    await accounts.change(
      createToken({ name: 'web', projects: '*', permissions: ['read'], text: 'the same text' }, NOW),
    );
    const before = readFileSync(path, 'utf8');
    const error = await accounts.change<unknown>(change).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CredentialsRefusal);
    expect(error).toMatchObject({ code });
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  test('is not made where it cannot be kept', async () => {
    const { accounts, logged } = await open();
    mkdirSync(`${path}.new`);
    await expect(accounts.change(createProject({ name: 'web' }, NOW))).rejects.toMatchObject({
      code: 'not_kept',
    });
    expect(logged.join()).toContain('could not be kept');
    expect([names(accounts.credentials), names(await kept())]).toEqual([[], []]);
    rmSync(`${path}.new`, { recursive: true });
    await accounts.change(createProject({ name: 'web' }, NOW));
    expect(names(await kept())).toEqual(['web']);
  });

  test('waits for others, here and in other processes: none is lost', async () => {
    const all = await Promise.all([open(), open(), open()]);
    const made = all.flatMap(({ accounts }, i) =>
      [1, 2, 3, 4].map((n) => accounts.change(createProject({ name: `${i}.${n}` }, NOW))),
    );
    await Promise.all(made);
    expect(names(await kept())).toHaveLength(12);
    await Promise.all(all.map(({ accounts }) => accounts.reload()));
    for (const { accounts } of all) expect(accounts.credentials).toEqual(await kept());
  });

  test('that makes a token for very many projects looks at each once or twice', () => {
    let looks = 0;
    const ids = Array.from({ length: 2000 }, (_, i) => i.toString(16).padStart(24, '0'));
    const projects = ids.map((id) => ({
      ...project(id),
      get id() {
        looks++;
        return id;
      },
    }));
    createToken({ name: 'all', projects: ids, permissions: ['read'] }, NOW)({ projects, tokens: [] });
    expect(looks).toBeLessThanOrEqual(2 * ids.length);
  });

  test('checks no file that says what is known: of very many tokens, each would hold everyone up', async () => {
    const { accounts } = await open();
    await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    const parse = vi.spyOn(JSON, 'parse');
    onTestFinished(() => parse.mockRestore());
    await accounts.change(createProject({ id: OTHER, name: 'shop' }, NOW));
    expect(await accounts.reload()).toBe(true);
    expect(parse.mock.calls.filter(([text]) => text.includes(PROJECT))).toEqual([]);
    expect(await kept()).toEqual(accounts.credentials);
  });

  test('is made, whatever becomes of what it entails', async () => {
    const { accounts, logged } = await open({ onDeleted: () => Promise.reject(new Error('no room')) });
    await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    await accounts.change(deleteProject(PROJECT));
    await accounts.reload();
    expect([names(accounts.credentials), names(await kept())]).toEqual([[], []]);
    expect(logged.join()).toContain('what deleted projects had could not be deleted');
  });

  test('that makes a deleted project again has what the deleted one had deleted, once', async () => {
    const { accounts, deleted } = await open();
    const other = await open({ hasItems: false });
    await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    await other.accounts.change(deleteProject(PROJECT));
    await other.accounts.change(createProject({ id: PROJECT, name: 'again' }, NOW));
    await accounts.reload();
    expect(deleted).toEqual([PROJECT]);
    await vi.waitFor(async () => expect((await kept()).deletedProjects ?? []).toEqual([]), 4000);
    await accounts.change(createProject({ name: 'another' }, NOW));
    expect([deleted, accounts.remade]).toEqual([[PROJECT], []]);
    // There is nothing left to be written down.
    const { ino } = statSync(path);
    await accounts.forgetEmptied();
    expect(statSync(path).ino).toBe(ino);
  });

  test('of that kind is one more where it happens again before the first is written down', async () => {
    const tell: ((isKept: boolean) => void)[] = [];
    const deletionsKept = () => new Promise<boolean>((resolve) => tell.push(resolve));
    const { accounts, deleted } = await open({ deletionsKept });
    const other = await open({ hasItems: false });
    for (const time of [NOW, NOW + 1000, NOW + 2000]) {
      if (time > NOW) await other.accounts.change(deleteProject(PROJECT));
      await other.accounts.change(createProject({ id: PROJECT, name: 'web' }, time));
      await accounts.reload();
    }
    await accounts.change(createProject({ name: 'another' }, NOW + 3000));
    expect(deleted).toEqual([PROJECT, PROJECT]);
    // What the first had cannot come back any more; what the second had still may.
    tell[0]?.(true);
    await nextTurn();
    await accounts.change(createProject({ name: 'a third' }, NOW + 4000));
    expect((await kept()).deletedProjects).toEqual([PROJECT]);
    tell[1]?.(true);
    await vi.waitFor(async () => expect((await kept()).deletedProjects ?? []).toEqual([]), 4000);
  });

  test('of that kind is written down once it cannot come back, again where it could not be', async () => {
    let tell = (_isKept: boolean) => {};
    const deletionsKept = () =>
      new Promise<boolean>((resolve) => {
        tell = resolve;
      });
    const { accounts, logged } = await open({ deletionsKept });
    await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
    await accounts.change(deleteProject(PROJECT));
    await accounts.change(createProject({ id: PROJECT, name: 'again' }, NOW));
    await accounts.reload();
    expect((await kept()).deletedProjects).toEqual([PROJECT]);
    mkdirSync(`${path}.new`);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    tell(true);
    await vi.waitFor(() => expect(logged.join()).toContain('could not be kept'), 4000);
    rmSync(`${path}.new`, { recursive: true });
    await vi.advanceTimersByTimeAsync(10_000);
    tell(true);
    await vi.waitFor(async () => expect((await kept()).deletedProjects ?? []).toEqual([]), 4000);
  });

  test('waits for what the one before entails', async () => {
    let finish = () => {};
    const { accounts } = await open({
      onDeleted: () =>
        new Promise((resolve) => {
          finish = resolve;
        }),
    });
    const order: string[] = [];
    const first = accounts
      .change(createProject({ id: PROJECT, name: 'one' }, NOW))
      .then(() => order.push('first'));
    const second = accounts.change(createProject({ name: 'two' }, NOW)).then(() => order.push('second'));
    await vi.waitFor(() => expect(names(accounts.credentials)).toEqual(['one']), 4000);
    order.push('finished');
    finish();
    await first;
    await vi.waitFor(() => expect(names(accounts.credentials)).toEqual(['one', 'two']), 4000);
    finish();
    await second;
    expect(order).toEqual(['finished', 'first', 'second']);
  });

  test('that is under way is kept before all is over', async () => {
    const { accounts } = await open();
    void accounts.change(createProject({ name: 'web' }, NOW));
    await accounts.close();
    expect(names(await kept())).toEqual(['web']);
  });

  test('of a file that is its owner’s is refused with the reason', async () => {
    const { accounts } = await open({ readOnly: 'It is kept elsewhere.' });
    await expect(accounts.change(createProject({ name: 'web' }, NOW))).rejects.toThrow(
      new CredentialsRefusal('read_only', 'It is kept elsewhere.'),
    );
  });

  test('of a file that is its owner’s deletes nothing of a project that was made again, since it would over and over', async () => {
    const { accounts, deleted } = await open({ readOnly: 'It is kept elsewhere.' });
    const remade = { projects: [project(PROJECT)], tokens: [], deletedProjects: [PROJECT] };
    writeFileSync(path, formatCredentials(remade));
    await accounts.reload();
    expect([names(accounts.credentials), accounts.remade, deleted]).toEqual([[`project ${PROJECT}`], [], []]);
  });
});

describe('a changed file', () => {
  const changed = formatCredentials({ projects: [project(PROJECT)], tokens: [token('t', [PROJECT])] });

  test('is read when asked to, and told of', async () => {
    const { accounts, logged } = await open();
    writeFileSync(path, changed);
    await accounts.reload();
    expect(names(accounts.credentials)).toEqual([`project ${PROJECT}`]);
    await accounts.reload();
    expect(logged).toEqual(['projects and tokens were read anew']);
  });

  test('is noticed, also when it is exchanged as Kubernetes does it', async () => {
    const mount = temporaryDirectory();
    for (const [version, text] of [
      ['one', formatCredentials({ projects: [], tokens: [] })],
      ['two', changed],
    ] as const) {
      mkdirSync(join(mount, version));
      writeFileSync(join(mount, version, 'credentials.json'), text);
    }
    symlinkSync('one', join(mount, 'data'));
    symlinkSync(join('data', 'credentials.json'), join(mount, 'credentials.json'));
    const file = await readCredentialsFile(join(mount, 'credentials.json'));
    const log = { info: () => {}, error: () => {} };
    const accounts = new Accounts({ file, readOnly: 'no', onChange: () => {}, log });
    onTestFinished(() => accounts.close());
    accounts.watch(5);
    symlinkSync('two', join(mount, 'data.new'));
    renameSync(join(mount, 'data.new'), join(mount, 'data'));
    await vi.waitFor(() => expect(accounts.credentials.projects).toHaveLength(1), 4000);
  });

  test.each([
    ['broken', () => writeFileSync(path, '{')],
    ['no credentials', () => writeFileSync(path, '{"version": 7}')],
    ['gone', () => rmSync(path)],
  ])(
    'that is %s is logged; the old credentials stay, and nothing is written over it',
    async (_case, damage) => {
      const { accounts, logged } = await open();
      await accounts.change(createProject({ id: PROJECT, name: 'web' }, NOW));
      damage();
      await accounts.reload();
      expect(logged.join()).toContain('the projects and tokens stay as they were');
      expect(names(accounts.credentials)).toEqual(['web']);
      await expect(accounts.change(deleteProject(PROJECT))).rejects.toThrow();
      expect(names(accounts.credentials)).toEqual(['web']);
    },
  );
});
