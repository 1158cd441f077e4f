import { describe, expect, test } from 'vitest';
import { formatCredentials } from '../../src/auth/credentials-json.ts';
import { readCredentials } from '../../src/auth/credentials-reader.ts';
import { hashToken } from '../../src/auth/token-book.ts';

const PATH = '/etc/ironcached/credentials.json';
const PROJECT = 'a1'.repeat(12);
const OTHER = 'b2'.repeat(12);
const SECRET = 'the-text-of-a-token';
const HASH = hashToken(SECRET);

function read(json: unknown) {
  return readCredentials(PATH, JSON.stringify(json));
}

function mistakesIn(json: unknown): string {
  try {
    read(json);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'none';
}

/** A file with this project and token, and these members changed. */
function fileOf(project: object = {}, token: object = {}): object {
  return {
    version: 2,
    projects: [{ id: PROJECT, ...project }],
    tokens: [{ name: 'web', hash: HASH, projects: [PROJECT], ...token }],
  };
}

describe('a credentials file', () => {
  test('may leave out what has a default', () => {
    const { credentials, outdated } = read(fileOf());
    expect(outdated).toBe(false);
    expect(credentials).toEqual({
      projects: [{ id: PROJECT, name: PROJECT, suspended: false, quotas: {}, createdAt: undefined }],
      tokens: [
        {
          id: expect.stringMatching(/^[0-9a-f]{24}$/),
          name: 'web',
          hash: HASH,
          projects: [PROJECT],
          permissions: ['read', 'write'],
          expiresAt: Number.POSITIVE_INFINITY,
          createdAt: undefined,
        },
      ],
    });
  });

  // Some editors put one there, which nobody sees.
  test('may begin with a byte order mark', () => {
    expect(readCredentials(PATH, `\uFEFF${JSON.stringify(fileOf())}`)).toEqual(read(fileOf()));
  });

  test('may say everything, and comes back as it was written', () => {
    const quotas = { bytes: 1_048_576, items: 1000, requests_per_second: 50 };
    const project = { name: 'Größe', status: 'suspended', quotas, created_at: '2030-01-01T00:00:00Z' };
    const token = {
      id: 'c3'.repeat(12),
      permissions: ['admin', 'read', 'admin'],
      expires_at: '2031-01-01T01:00:00+01:00',
      created_at: '2030-01-01T00:00:00.500Z',
    };
    const { credentials } = read(fileOf(project, token));
    expect(credentials.projects[0]).toMatchObject({
      suspended: true,
      quotas: { bytes: 1_048_576, items: 1000, requestsPerSecond: 50 },
    });
    expect(credentials.tokens[0]).toMatchObject({
      id: 'c3'.repeat(12),
      permissions: ['read', 'admin'],
      expiresAt: Date.UTC(2031, 0, 1),
    });
    expect(readCredentials(PATH, formatCredentials(credentials))).toEqual({ credentials, outdated: false });
  });

  test('may hold a token as plain text, and is never written so', () => {
    const { credentials } = read(fileOf({}, { hash: undefined, token: SECRET }));
    expect(credentials.tokens[0]?.hash).toBe(HASH);
    expect(formatCredentials(credentials)).not.toContain(SECRET);
  });

  test('names a token without an id by its name, each time the same', () => {
    const id = (json: object) => read(json).credentials.tokens[0]?.id;
    expect(id(fileOf())).toBe(id(fileOf({}, { hash: hashToken('another text') })));
    expect(id(fileOf())).not.toBe(id(fileOf({}, { name: 'batch' })));
  });

  test('may be for no project, and for all', () => {
    expect(read({ version: 2, projects: [], tokens: [] }).credentials).toEqual({ projects: [], tokens: [] });
    expect(read(fileOf({}, { projects: '*' })).credentials.tokens[0]?.projects).toBe('*');
  });
});

describe('a mistake in a credentials file', () => {
  const second = (member: object) => ({
    ...fileOf(),
    tokens: [
      { name: 'web', hash: HASH, projects: [PROJECT] },
      { name: 'batch', hash: hashToken('other'), projects: '*', ...member },
    ],
  });

  test.each<[string, unknown, string]>([
    ['no object', [], 'must be an object with the members version, projects, tokens'],
    ['no version', { projects: [], tokens: [] }, 'version must be 2 (or 1)'],
    ['a version to come', { version: 3 }, 'version must be 2 (or 1)'],
    ['no projects', { version: 2, tokens: [] }, 'projects must be a list of projects'],
    ['no tokens', { version: 2, projects: [] }, 'tokens must be a list of tokens'],
    [
      'another member',
      { version: 2, projects: [], tokens: [], [SECRET]: 1 },
      'has a member that is not known; these are: version, projects, tokens',
    ],
    ['a project id', fileOf({ id: 'XYZ' }), 'projects[0].id must be 24 lower-case hexadecimal digits'],
    [
      'a project name',
      fileOf({ name: 'a\nb' }),
      'projects[0].name must be a text of 1 to 100 characters, without control characters',
    ],
    ['a status', fileOf({ status: 'off' }), 'projects[0].status must be "active" or "suspended"'],
    ...[0, -1, 1.5, '1mb', 2 ** 53].map((bytes): [string, unknown, string] => [
      `a quota of ${bytes}`,
      fileOf({ quotas: { bytes } }),
      'projects[0].quotas.bytes must be a whole number from 1 to 9007199254740991, or null for no limit',
    ]),
    [
      'an unknown quota',
      fileOf({ quotas: { connections: 1 } }),
      'projects[0].quotas has a member that is not known; these are: bytes, items, requests_per_second',
    ],
    [
      'a misspelt member of a project',
      fileOf({ qoutas: {} }),
      'projects[0] has a member that is not known; these are: id, name, status, quotas, created_at',
    ],
    [
      'a misspelt member of a token',
      fileOf({}, { expires: '2030-01-01T00:00:00Z' }),
      'tokens[0] has a member that is not known; these are: id, name, hash or token, projects, permissions, expires_at, created_at',
    ],
    [
      'a token without a name',
      fileOf({}, { name: undefined }),
      'tokens[0].name must be a text of 1 to 100 characters, without control characters',
    ],
    [
      'a hash that is none',
      fileOf({}, { hash: SECRET }),
      'tokens[0].hash must be the SHA-256 of the token, as 64 lower-case hexadecimal digits',
    ],
    [
      'a text that is none',
      fileOf({}, { hash: undefined, token: `${SECRET} x` }),
      'tokens[0].token must be 8 to 256 printable ASCII characters without spaces',
    ],
    ['hash and text', fileOf({}, { token: SECRET }), 'tokens[0] must have either hash or token'],
    ['neither hash nor text', fileOf({}, { hash: undefined }), 'tokens[0] must have either hash or token'],
    ...[PROJECT, [PROJECT, 'x'], [], null].map((projects): [string, unknown, string] => [
      `projects like ${JSON.stringify(projects)}`,
      fileOf({}, { projects }),
      'tokens[0].projects must be a list of one or more project ids, each of 24 lower-case hexadecimal digits, or "*" for all',
    ]),
    [
      'a project that is not there',
      fileOf({}, { projects: [OTHER] }),
      'tokens[0].projects[0] is no project here',
    ],
    [
      'a permission',
      fileOf({}, { permissions: ['reed'] }),
      'tokens[0].permissions[0] must be "read", "write" or "admin"',
    ],
    [
      'no permission',
      fileOf({}, { permissions: [] }),
      'tokens[0].permissions must name at least one of "read", "write" and "admin"',
    ],
    [
      'a time',
      fileOf({}, { expires_at: 'tomorrow' }),
      'tokens[0].expires_at must be a time like "2030-12-31T23:59:59Z" (RFC 3339)',
    ],
    [
      'a time before the year 0 in UTC',
      fileOf({}, { created_at: '0000-01-01T00:00:00+00:01' }),
      'tokens[0].created_at must be a time in UTC from the year 0000 to 9999',
    ],
    [
      'a project twice',
      { ...fileOf(), projects: [{ id: PROJECT }, { id: PROJECT }] },
      'projects[1].id is that of another project',
    ],
    [
      'a name twice, without ids',
      second({ name: 'web' }),
      'tokens[1].name is that of another token; use another, or give both an id',
    ],
    ['a token twice', second({ hash: HASH }), 'tokens[1] has the same text as another token'],
    [
      'a token twice, once in plain text',
      second({ hash: undefined, token: SECRET }),
      'tokens[1] has the same text as another token',
    ],
    ['version 1 without projects', { version: 1 }, 'projects'],
    [
      'version 1 with a wrong hash',
      { version: 1, projects: [{ id: PROJECT, tokenHashes: ['abc'] }] },
      'projects[0].tokenHashes[0] must be the SHA-256 of the token, as 64 lower-case hexadecimal digits',
    ],
  ])('is told with its place: %s', (_case, json, told) => {
    const text = mistakesIn(json);
    expect(text).toContain(`${PATH} is not a credentials file of ironcached: `);
    expect(text).toContain(told);
    expect(text).not.toContain(SECRET);
  });

  test('never comes alone: all are told at once', () => {
    expect(mistakesIn(fileOf({ id: 'x', status: 1 }, { permissions: 'all' }))).toBe(
      `${PATH} is not a credentials file of ironcached: ` +
        'projects[0].id must be 24 lower-case hexadecimal digits; ' +
        'projects[0].status must be "active" or "suspended"; ' +
        'tokens[0].permissions must be a list of "read", "write" and "admin"',
    );
  });

  test('comes with the first others only, where there are very many', () => {
    const tokens = Array.from({ length: 1000 }, (_, i) => ({ hash: hashToken(`token ${i}`), projects: '*' }));
    const text = mistakesIn({ ...fileOf(), tokens });
    expect(text).toMatch(/tokens\[19\]\.name must be [^;]*; and 980 more$/);
    expect(text).toContain('tokens[0].name must be ');
  });

  test.each(['', '{', `{"token": "${SECRET}"`, SECRET])(
    'that makes it no JSON says nothing of it: %j',
    (text) => {
      expect(() => readCredentials(PATH, text)).toThrow(new Error(`${PATH} is not valid JSON`));
    },
  );
});
