import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Binding } from '../src/config/setting-values.ts';
import { flagOf, settingNames, settings } from '../src/config/settings.ts';
import { type Config, readConfig, unknownVariables } from '../src/config.ts';

const MIB = 1024 * 1024;
const PROJECT_ID = '0123456789abcdef01234567';
const TOKEN = 'a-token-that-nobody-may-see';

const BINDING: Binding = { host: '127.0.0.1', port: 11213, projectId: undefined, cacheName: 'c' };

type SettingName = keyof typeof settings;

/** For each setting: its default, and another value as it is given and as it is read. */
const examples: { readonly [N in SettingName]: readonly [Config[N], given: string, read: Config[N]] } = {
  httpHost: ['127.0.0.1', '0.0.0.0', '0.0.0.0'],
  httpPort: [8080, '0', 0],
  memcachedHost: ['127.0.0.1', '::1', '::1'],
  memcachedPort: [11211, '65535', 65535],
  memcachedTlsPort: [undefined, '11212', 11212],
  memcachedBind: [[], '127.0.0.1:11213=c', [BINDING]],
  projectId: [undefined, PROJECT_ID, PROJECT_ID],
  token: [undefined, TOKEN, TOKEN],
  adminToken: [undefined, 'an-admin-token-of-some-length', 'an-admin-token-of-some-length'],
  credentialsFile: [undefined, '/run/secrets/credentials.json', '/run/secrets/credentials.json'],
  dataDir: ['./data', '/var/lib/ironcached', '/var/lib/ironcached'],
  memoryLimit: ['auto', '2gb', 2048 * MIB],
  store: ['arena', 'lru-cache', 'lru-cache'],
  durability: ['none', 'log', 'log'],
  fsync: ['everysec', 'always', 'always'],
  snapshotInterval: [300, '0', 0],
  logCompactionMin: [64 * MIB, '64kb', 65_536],
  logMaxUnwritten: [64 * MIB, '1mb', MIB],
  maxItemSize: [MIB, '64kb', 65_536],
  maxCaches: [100_000, '1', 1],
  maxTokens: [1000, '1', 1],
  defaultExpiresIn: [0, '2592000', 2_592_000],
  maxConnections: [10_000, '1000000', 1_000_000],
  maxConnectionsPerAddress: [5000, '0', 0],
  stallTimeout: [60, '3600', 3600],
  memcachedIdleTimeout: [0, '86400', 86_400],
  memcachedRequestTimeout: [30, '0', 0],
  memcachedMaxLine: [MIB, '2kb', 2048],
  memcachedMaxUnanswered: [MIB, '64kb', 65_536],
  signInTimeout: [60, '0', 0],
  signInAttempts: [10, '1', 1],
  signInDelay: [1, '0', 0],
  signInAttemptsPerAddress: [100, '0', 0],
  signInRefusal: [60, '1', 1],
  maxRequestsPerSecond: [0, '1000', 1000],
  httpMaxHeaderSize: [16_384, '1mb', MIB],
  httpMaxUnanswered: [MIB, '64kb', 65_536],
  httpRequestTimeout: [30, '3600', 3600],
  httpKeepAliveTimeout: [72, '1', 1],
  trustProxy: [[], '10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
  corsOrigins: [[], 'https://a.test, http://localhost:3000', ['https://a.test', 'http://localhost:3000']],
  stopDelay: [0, '600', 600],
  stopTimeout: [10, '0', 0],
  tlsCert: [undefined, 'cert.pem', 'cert.pem'],
  tlsKey: [undefined, 'key.pem', 'key.pem'],
  tlsReloadInterval: [10, '0', 0],
  tlsClientCa: [undefined, 'ca.pem', 'ca.pem'],
  tlsClientAuth: ['optional', 'required', 'required'],
  tlsClients: [
    new Map(),
    `app=${PROJECT_ID}/c`,
    new Map([['app', { projectId: PROJECT_ID, cacheName: 'c' }]]),
  ],
  tlsHandshakeTimeout: [10, '600', 600],
  metricsToken: [undefined, TOKEN, TOKEN],
  metricsHost: ['127.0.0.1', '0.0.0.0', '0.0.0.0'],
  metricsPort: [undefined, '9464', 9464],
  metricsMaxCaches: [500, '0', 0],
  slowRequest: [100, '0', 0],
  logLevel: ['info', 'silent', 'silent'],
};

const names = settingNames();

function configFrom(args: string[], env: Record<string, string | undefined> = {}): Config {
  const result = readConfig(args, env);
  if (!('config' in result)) throw new Error(`no configuration, but ${JSON.stringify(result)}`);
  return result.config;
}

function mistakesIn(args: string[], env: Record<string, string | undefined> = {}): readonly string[] {
  const result = readConfig(args, env);
  return 'mistakes' in result ? result.mistakes : [];
}

/** What a setting is only accepted together with. */
function besides(name: SettingName): Record<string, string> {
  const companions: { readonly [N in SettingName]?: readonly SettingName[] } = {
    projectId: ['token'],
    token: ['projectId'],
    tlsCert: ['tlsKey'],
    tlsKey: ['tlsCert'],
    memcachedTlsPort: ['tlsCert', 'tlsKey'],
    tlsClientCa: ['tlsCert', 'tlsKey', 'memcachedTlsPort'],
    tlsClientAuth: ['tlsCert', 'tlsKey', 'memcachedTlsPort', 'tlsClientCa'],
    tlsClients: ['tlsCert', 'tlsKey', 'memcachedTlsPort', 'tlsClientCa'],
  };
  const others = companions[name] ?? [];
  return Object.fromEntries(others.map((other) => [settings[other].variable, examples[other][1]]));
}

describe('the configuration', () => {
  test('has a default for whatever is not given', () => {
    const config = configFrom([]);
    for (const name of names) expect([name, config[name]]).toEqual([name, examples[name][0]]);
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(configFrom([]))).toBe(true);
  });

  test.each(names)('takes %s from its variable', (name) => {
    const [, given, read] = examples[name];
    expect(configFrom([], { ...besides(name), [settings[name].variable]: given })[name]).toEqual(read);
  });

  test.each(names)('takes %s from its flag', (name) => {
    const [, given, read] = examples[name];
    expect(configFrom([`--${flagOf(name)}`, given], besides(name))[name]).toEqual(read);
    expect(configFrom([`--${flagOf(name)}=${given}`], besides(name))[name]).toEqual(read);
  });

  test('names flags after variables', () => {
    expect(flagOf('httpPort')).toBe('http-port');
    expect(flagOf('defaultExpiresIn')).toBe('default-expires-in');
  });

  test('prefers a flag to a variable, even to a wrong one', () => {
    expect(configFrom(['--http-port=1'], { IRONCACHED_HTTP_PORT: '2' }).httpPort).toBe(1);
    expect(configFrom(['--http-port=1'], { IRONCACHED_HTTP_PORT: 'x' }).httpPort).toBe(1);
  });

  test('takes the last of several flags', () => {
    expect(configFrom(['--http-port=1', '--http-port=2']).httpPort).toBe(2);
  });

  test('takes an empty variable as one that is not set', () => {
    const env = Object.fromEntries(names.map((name) => [settings[name].variable, '']));
    expect(configFrom([], env)).toEqual(configFrom([]));
  });

  test('pays no attention to other variables', () => {
    expect(configFrom([], { PORT: '1', HTTP_PORT: '2', ironcached_http_port: '3' }).httpPort).toBe(8080);
  });
});

describe('a size', () => {
  test.each([
    ['2097152', 2 * MIB],
    ['2097152b', 2 * MIB],
    ['2048kb', 2 * MIB],
    ['2048K', 2 * MIB],
    ['2048KiB', 2 * MIB],
    ['2mb', 2 * MIB],
    ['2 MB', 2 * MIB],
    ['2M', 2 * MIB],
    ['1.5gb', 1536 * MIB],
    ['0.5GiB', 512 * MIB],
    ['32gb', 32 * 1024 * MIB],
  ])('may be given as %j', (given, bytes) => {
    expect(configFrom([`--memory-limit=${given}`]).memoryLimit).toBe(bytes);
  });

  test.each(['mb', '-1mb', '1e9', '1xb', '1ib', '1.mb', '.5gb', '1mb2', 'lots', ' 5mb', '1048575', '1025gb'])(
    'may not be given as %j',
    (given) => {
      expect(mistakesIn([], { IRONCACHED_MEMORY_LIMIT: given })).toEqual([
        `IRONCACHED_MEMORY_LIMIT: "${given}" is not accepted; expected auto, or a size from 1mb to 32gb, like 64kb, 512mb or 2gb`,
      ]);
    },
  );
});

describe('a binding', () => {
  test.each<[string, Binding[]]>([
    ['127.0.0.1:11213=c', [BINDING]],
    [`127.0.0.1:11213=${PROJECT_ID}/c`, [{ ...BINDING, projectId: PROJECT_ID }]],
    ['[::1]:11213=c', [{ ...BINDING, host: '::1' }]],
    [
      'localhost:0=a cache = of mine',
      [{ ...BINDING, host: 'localhost', port: 0, cacheName: 'a cache = of mine' }],
    ],
    [' 127.0.0.1:11213=c , 127.0.0.1:1=d,', [BINDING, { ...BINDING, port: 1, cacheName: 'd' }]],
  ])('may be given as %j', (given, read) => {
    expect(configFrom([], { IRONCACHED_MEMCACHED_BIND: given }).memcachedBind).toEqual(read);
  });

  test.each([
    'c',
    '11213=c',
    ':11213=c',
    '127.0.0.1=c',
    '127.0.0.1:11213',
    '127.0.0.1:11213=',
    'h:65536=c',
    '::1:1=c',
    'h:1=c,d',
  ])('may not be given as %j', (given) => {
    expect(mistakesIn([], { IRONCACHED_MEMCACHED_BIND: given })).toEqual([
      `IRONCACHED_MEMCACHED_BIND: "${given}" is not accepted; expected HOST:PORT=PROJECT_ID/CACHE_NAME or HOST:PORT=CACHE_NAME, several separated by commas`,
    ]);
  });
});

describe('origins', () => {
  test.each([
    ['*', ['*']],
    ['capacitor://localhost,', ['capacitor://localhost']],
  ])('may be given as %j', (given, read) => {
    expect(configFrom([], { IRONCACHED_CORS_ORIGINS: given }).corsOrigins).toEqual(read);
  });

  test.each(['app.example.org', 'https://app.example.org/', 'https://a.test b.test', '**'])(
    'may not be given as %j',
    (given) => {
      expect(mistakesIn([], { IRONCACHED_CORS_ORIGINS: given })).toEqual([
        `IRONCACHED_CORS_ORIGINS: "${given}" is not accepted; expected origins like https://app.example.org, several separated by commas, or *`,
      ]);
    },
  );
});

describe('a network', () => {
  test.each(['10.0.0.1', '10.0.0.0/0', '2001:db8::/128', '::1, 127.0.0.1,'])(
    'may be given as %j',
    (given) => {
      expect(mistakesIn([], { IRONCACHED_TRUST_PROXY: given })).toEqual([]);
    },
  );

  test.each(['true', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0/8', '10.0.0.0/', 'proxy.test', '::1/129'])(
    'may not be given as %j',
    (given) => {
      expect(mistakesIn([], { IRONCACHED_TRUST_PROXY: given })).toEqual([
        `IRONCACHED_TRUST_PROXY: "${given}" is not accepted; expected IP addresses or networks like 10.0.0.0/8, several separated by commas`,
      ]);
    },
  );
});

describe('names of clients', () => {
  test('may be several, with spaces', () => {
    const given = `my app=${PROJECT_ID}/a cache, other=${PROJECT_ID}/c/d=e`;
    const tls = ['--tls-cert=c', '--tls-key=k', '--memcached-tls-port=0', '--tls-client-ca=ca'];
    expect([...configFrom([...tls, `--tls-clients=${given}`]).tlsClients]).toEqual([
      ['my app', { projectId: PROJECT_ID, cacheName: 'a cache' }],
      ['other', { projectId: PROJECT_ID, cacheName: 'c/d=e' }],
    ]);
  });

  test.each(['app', 'app=c', `=${PROJECT_ID}/c`, `app=${PROJECT_ID}/`, `app=${PROJECT_ID}/c,b`])(
    'may not be given as %j',
    (given) => {
      expect(mistakesIn([], { IRONCACHED_TLS_CLIENTS: given })).toContain(
        `IRONCACHED_TLS_CLIENTS: "${given}" is not accepted; expected COMMON_NAME=PROJECT_ID/CACHE_NAME, several separated by commas`,
      );
    },
  );
});

describe('a mistake', () => {
  test.each([
    ['IRONCACHED_HTTP_PORT', '65536', 'a port from 0 to 65535 (0: any free one)'],
    ['IRONCACHED_HTTP_PORT', '-1', 'a port from 0 to 65535 (0: any free one)'],
    ['IRONCACHED_MEMCACHED_PORT', '80.5', 'a port from 0 to 65535 (0: any free one)'],
    ['IRONCACHED_MAX_CACHES', '0', 'a whole number from 1 to 10000000'],
    ['IRONCACHED_DEFAULT_EXPIRES_IN', '2592001', 'seconds, from 0 to 2592000'],
    ['IRONCACHED_MAX_ITEM_SIZE', '129mb', 'a size from 1kb to 128mb, like 64kb, 512mb or 2gb'],
    ['IRONCACHED_LOG_LEVEL', 'loud', 'trace, debug, info, warn, error, fatal or silent'],
    ['IRONCACHED_LOG_LEVEL', 'INFO', 'trace, debug, info, warn, error, fatal or silent'],
  ])('names %s, its value %j and what is accepted', (variable, value, accepted) => {
    expect(mistakesIn([], { [variable]: value })).toEqual([
      `${variable}: "${value}" is not accepted; expected ${accepted}`,
    ]);
  });

  test('names the flag where a flag was used', () => {
    expect(mistakesIn(['--http-port', 'x'])).toEqual([
      '--http-port: "x" is not accepted; expected a port from 0 to 65535 (0: any free one)',
    ]);
    expect(mistakesIn(['--data-dir='])).toEqual(['--data-dir: "" is not accepted; expected a directory']);
  });

  test('never comes alone: all are told at once', () => {
    const env = Object.fromEntries(
      names.filter((name) => 'fallback' in settings[name]).map((name) => [settings[name].variable, '\u0000']),
    );
    const texts = ['httpHost', 'memcachedHost', 'metricsHost', 'dataDir'];
    const wrong = names.filter((name) => 'fallback' in settings[name] && !texts.includes(name));
    const told = mistakesIn(['--no-such-flag', 'argument', '--tls-key=k'], env).map(
      (mistake) => mistake.split(':')[0],
    );
    expect(told.sort()).toEqual(
      [
        '--no-such-flag',
        'argument 2',
        'IRONCACHED_TLS_CERT',
        // For the rules and for the names of clients.
        'IRONCACHED_TLS_CLIENT_CA',
        'IRONCACHED_TLS_CLIENT_CA',
        ...wrong.map((name) => settings[name].variable),
      ].sort(),
    );
  });

  test('may be a flag that does not exist, or one without a value', () => {
    expect(mistakesIn(['--port=80', '-x', '--http-port'])).toEqual([
      '--port: there is no such flag; see --help',
      '-x: there is no such flag; see --help',
      '--http-port: this flag needs a value',
    ]);
  });

  test('may be an argument that is no flag', () => {
    expect(mistakesIn(['--http-port=80', 'start'])).toEqual([
      expect.stringMatching(/^argument 2: there is no such command; there are project, .*; see --help$/),
    ]);
  });
});

describe('settings that need each other', () => {
  test.each([
    ['projectId', 'token'],
    ['token', 'projectId'],
    ['tlsCert', 'tlsKey'],
    ['tlsKey', 'tlsCert'],
  ] as const)('%s is not accepted without %s', (given, missing) => {
    expect(mistakesIn([], { [settings[given].variable]: examples[given][1] })).toEqual([
      `${settings[missing].variable}: is needed as well, since ${settings[given].variable} is set`,
    ]);
  });

  test('a memcached port for TLS is not accepted without a certificate', () => {
    expect(mistakesIn(['--memcached-tls-port=11212'])).toEqual([
      'IRONCACHED_TLS_CERT: is needed as well, since IRONCACHED_MEMCACHED_TLS_PORT is set',
    ]);
  });

  test('one project given and a file of projects exclude each other', () => {
    const env = { IRONCACHED_PROJECT_ID: PROJECT_ID, IRONCACHED_TOKEN: TOKEN };
    expect(mistakesIn(['--credentials-file=c.json'], env)).toEqual([
      'IRONCACHED_CREDENTIALS_FILE: cannot be used together with IRONCACHED_PROJECT_ID; give one of them',
    ]);
  });

  test('rules for client certificates are not accepted without authorities, nor these without a port', () => {
    expect(mistakesIn(['--tls-client-auth=required', `--tls-clients=app=${PROJECT_ID}/c`])).toEqual([
      'IRONCACHED_TLS_CLIENT_CA: is needed as well, since IRONCACHED_TLS_CLIENT_AUTH is set',
      'IRONCACHED_TLS_CLIENT_CA: is needed as well, since IRONCACHED_TLS_CLIENTS is set',
    ]);
    expect(mistakesIn(['--tls-client-ca=ca.pem'])).toEqual([
      'IRONCACHED_MEMCACHED_TLS_PORT: is needed as well, since IRONCACHED_TLS_CLIENT_CA is set',
    ]);
  });

  test('may come from a flag and a variable', () => {
    expect(configFrom(['--tls-cert=c'], { IRONCACHED_TLS_KEY: 'k' })).toMatchObject({
      tlsCert: 'c',
      tlsKey: 'k',
    });
  });

  test('are not called missing when they are there but wrong', () => {
    expect(mistakesIn([], { IRONCACHED_PROJECT_ID: PROJECT_ID, IRONCACHED_TOKEN: 'short' })).toEqual([
      'IRONCACHED_TOKEN: its value is not accepted; expected 8 to 256 printable characters without spaces',
    ]);
  });
});

describe('the token', () => {
  const wrongToken = `${TOKEN} with spaces`;

  test.each<[string, string[], Record<string, string>]>([
    ['it is wrong', [], { IRONCACHED_PROJECT_ID: PROJECT_ID, IRONCACHED_TOKEN: wrongToken }],
    ['it is wrong in a flag', ['--token', wrongToken, '--project-id', PROJECT_ID], {}],
    ['the project is missing', [], { IRONCACHED_TOKEN: TOKEN }],
    ['it was given as the project', [], { IRONCACHED_PROJECT_ID: TOKEN, IRONCACHED_TOKEN: PROJECT_ID }],
    ['its flag is misspelt', ['--tokn', TOKEN], {}],
    ['its flag is misspelt', [`--tokn=${TOKEN}`], {}],
    ['it follows a flag without a value', ['--log-level', '--token', TOKEN], {}],
    ['it stands alone', [TOKEN], {}],
  ])('is not repeated when %s', (_case, args, env) => {
    const mistakes = mistakesIn(args, env);
    expect(mistakes.length).toBeGreaterThan(0);
    expect(mistakes.join('\n')).not.toContain(TOKEN);
  });

  test.each(['x'.repeat(7), 'x'.repeat(257), 'with space', 'tab\there', 'schlüssel'])(
    'may not be %j',
    (token) => {
      expect(mistakesIn([], { IRONCACHED_PROJECT_ID: PROJECT_ID, IRONCACHED_TOKEN: token })).toHaveLength(1);
    },
  );

  test.each(['x'.repeat(8), 'x'.repeat(256), '!"#$%&/()=?~'])('may be %j', (token) => {
    expect(configFrom([], { IRONCACHED_PROJECT_ID: PROJECT_ID, IRONCACHED_TOKEN: token }).token).toBe(token);
  });

  test.each(['x'.repeat(15), 'x'.repeat(257), `${'x'.repeat(16)} `])(
    'for administration may not be %j, nor is it repeated',
    (adminToken) => {
      expect(mistakesIn(['--admin-token', adminToken])).toEqual([
        '--admin-token: its value is not accepted; expected 16 to 256 printable characters without spaces',
      ]);
    },
  );

  test.each([PROJECT_ID.toUpperCase(), PROJECT_ID.slice(1), `${PROJECT_ID}0`, 'g'.repeat(24)])(
    'does not help a project id like %j',
    (projectId) => {
      expect(mistakesIn([], { IRONCACHED_PROJECT_ID: projectId, IRONCACHED_TOKEN: TOKEN })).toEqual([
        'IRONCACHED_PROJECT_ID: its value is not accepted; expected 24 lower-case hexadecimal digits',
      ]);
    },
  );
});

describe('instead of starting', () => {
  test.each([
    [['--help'], 'help'],
    [['-h'], 'help'],
    [['--version'], 'version'],
    [['-v'], 'version'],
    [['--version', '--help'], 'help'],
    [['--http-port=x', 'argument', '--help'], 'help'],
  ] as const)('%j shows the %s', (args, show) => {
    expect(readConfig(args, { IRONCACHED_HTTP_PORT: 'wrong' })).toEqual({ show });
  });
});

describe('the README', () => {
  const path = new URL('../README.md', import.meta.url);

  function readme(): string {
    if (!existsSync(path)) throw new Error('README.md does not exist; it is to hold the table of settings');
    return readFileSync(path, 'utf8');
  }

  test.each(names)('has one row for %s in its table of settings, with the default', (name) => {
    const setting: { variable: string; fallback?: string } = settings[name];
    const beginning = `| \`${setting.variable}\` |`;
    const rows = readme()
      .split('\n')
      .filter((line) => line.startsWith(beginning));
    expect(rows, `rows of README.md that begin with ${beginning}`).toHaveLength(1);
    if (setting.fallback) expect(rows[0]).toContain(`\`${setting.fallback}\``);
  });

  test('tells in its table of limits the defaults as they are', () => {
    const rows = readme().matchAll(/^\|[^|]*\| ([^|]*) \|.*\| `(IRONCACHED_\w+)` \|$/gm);
    const told = [...rows].map(([, fallback = '', variable]) => [variable, fallback.replace(/ s$/, '')]);
    const defaults = names.map((name): [string, string | undefined] => {
      const setting: { variable: string; fallback?: string } = settings[name];
      return [setting.variable, setting.fallback];
    });
    expect(told.length).toBeGreaterThan(15);
    expect(defaults).toEqual(expect.arrayContaining(told));
  });

  test('names no setting that does not exist', () => {
    const variables = names.map((name): string => settings[name].variable);
    const named = readme().match(/\bIRONCACHED_[A-Z_]+\b/g) ?? [];
    expect(named.filter((name) => !variables.includes(name))).toEqual([]);
  });
});

test('variables that are no settings are found, but for those of a Kubernetes service', () => {
  const env = {
    IRONCACHED_DURABILTY: 'log',
    IRONCACHED_DURABILITY: 'log',
    IRONCACHED_PORT: 'tcp://10.0.0.1:8080',
    IRONCACHED_PORT_8080_TCP_ADDR: '10.0.0.1',
    IRONCACHED_SERVICE_HOST: '10.0.0.1',
    PATH: '/bin',
  };
  expect(unknownVariables(env)).toEqual(['IRONCACHED_DURABILTY']);
});
