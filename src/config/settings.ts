import {
  bindings,
  clientNames,
  matching,
  networks,
  oneOf,
  origins,
  port,
  seconds,
  size,
  sizeOrAuto,
  text,
  token,
  type ValueKind,
  wholeNumber,
} from './setting-values.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** One thing that its owner can set, by a variable or by its flag. */
export interface Setting {
  readonly variable: `IRONCACHED_${string}`;
  /** The value when nothing is given, in the form that a user would give. */
  readonly fallback?: string;
  /** What the setting is for, and when to change it: for --help and the README. */
  readonly about: string;
  readonly kind: ValueKind<unknown>;
  /** Never repeated in messages. */
  readonly secret?: true;
}

/** Every setting there is. The flag of IRONCACHED_HTTP_PORT is --http-port, and so on. */
export const settings = {
  httpHost: {
    variable: 'IRONCACHED_HTTP_HOST',
    fallback: '127.0.0.1',
    about: 'Address the REST API listens on. 0.0.0.0 serves other machines: set a certificate then.',
    kind: text('a host name or an IP address'),
  },
  httpPort: {
    variable: 'IRONCACHED_HTTP_PORT',
    fallback: '8080',
    about: 'Port of the REST API.',
    kind: port,
  },
  memcachedHost: {
    variable: 'IRONCACHED_MEMCACHED_HOST',
    fallback: '127.0.0.1',
    about: 'Address the memcached listener binds to. Tokens travel in the clear there: keep it private.',
    kind: text('a host name or an IP address'),
  },
  memcachedPort: {
    variable: 'IRONCACHED_MEMCACHED_PORT',
    fallback: '11211',
    about: 'Port of the memcached listener.',
    kind: port,
  },
  memcachedTlsPort: {
    variable: 'IRONCACHED_MEMCACHED_TLS_PORT',
    about: 'Port of a second memcached listener that speaks TLS, with the certificate below. Unset: none.',
    kind: port,
  },
  memcachedBind: {
    variable: 'IRONCACHED_MEMCACHED_BIND',
    fallback: '',
    about:
      'Memcached listeners that need no sign-in, each for one cache: HOST:PORT=PROJECT_ID/CACHE_NAME, or without PROJECT_ID/ for the only project; several separated by commas. Whoever reaches them uses the cache: keep them private.',
    kind: bindings,
  },
  projectId: {
    variable: 'IRONCACHED_PROJECT_ID',
    about:
      'The one project, given from outside (with a token); no projects and tokens are written to the data directory.',
    kind: matching(/^[0-9a-f]{24}$/, '24 lower-case hexadecimal digits'),
    // What is given here by mistake may well be the token.
    secret: true,
  },
  token: {
    variable: 'IRONCACHED_TOKEN',
    about: 'The token of that project.',
    kind: token,
    secret: true,
  },
  adminToken: {
    variable: 'IRONCACHED_ADMIN_TOKEN',
    about: 'A token that may administer all projects and tokens. Unset: the first start makes one.',
    kind: matching(/^[\x21-\x7e]{16,256}$/, '16 to 256 printable characters without spaces'),
    secret: true,
  },
  credentialsFile: {
    variable: 'IRONCACHED_CREDENTIALS_FILE',
    about:
      'Projects and tokens in a file of yours, such as a Kubernetes secret: it is read anew when it changes, and never written.',
    kind: text('a file'),
  },
  dataDir: {
    variable: 'IRONCACHED_DATA_DIR',
    fallback: './data',
    about:
      'Directory that keeps the projects and tokens, where they are not given otherwise, the settings of caches, and the items where these are to be kept.',
    kind: text('a directory'),
  },
  memoryLimit: {
    variable: 'IRONCACHED_MEMORY_LIMIT',
    fallback: 'auto',
    about:
      'What all items may take together, with all that is kept about them; beyond, the least recently used go. auto: a quarter of the machine, or three quarters of what a container leaves besides the program.',
    kind: sizeOrAuto(MIB, 32 * 1024 * MIB),
  },
  store: {
    variable: 'IRONCACHED_STORE',
    fallback: 'arena',
    about:
      'How items are kept: arena packs them in typed arrays, about 45 bytes each above key and value; lru-cache keeps an object each, about 500 bytes, and is there to compare with.',
    kind: oneOf('arena', 'lru-cache'),
  },
  durability: {
    variable: 'IRONCACHED_DURABILITY',
    fallback: 'none',
    about:
      'What a restart brings back: none, nothing, as a cache may; snapshot, all items as they were when they were last saved, now and then and at a stop; log, every change.',
    kind: oneOf('none', 'snapshot', 'log'),
  },
  fsync: {
    variable: 'IRONCACHED_FSYNC',
    fallback: 'everysec',
    about:
      'With log: when changes are brought to disk. always: before they are acknowledged; everysec: every second; no: when the system likes, which loses nothing unless the system itself fails.',
    kind: oneOf('always', 'everysec', 'no'),
  },
  snapshotInterval: {
    variable: 'IRONCACHED_SNAPSHOT_INTERVAL',
    fallback: '300',
    about: 'With snapshot: seconds between two snapshots. 0: only when the service stops.',
    kind: seconds(86_400),
  },
  logCompactionMin: {
    variable: 'IRONCACHED_LOG_COMPACTION_MIN',
    fallback: '64mb',
    about:
      'With log: the files are written anew, without what is out of date, when they are larger by this than twice what they were then.',
    kind: size(64 * KIB, 1024 * 1024 * MIB),
  },
  logMaxUnwritten: {
    variable: 'IRONCACHED_LOG_MAX_UNWRITTEN',
    fallback: '64mb',
    about:
      'Bytes of changes that may wait to be written; beyond, clients wait for their answers, and a snapshot is given up.',
    kind: size(MIB, 4096 * MIB),
  },
  maxItemSize: {
    variable: 'IRONCACHED_MAX_ITEM_SIZE',
    fallback: '1mb',
    about: 'The largest value by memcached, and the largest PUT body by REST.',
    kind: size(1 * KIB, 128 * MIB),
  },
  maxCaches: {
    variable: 'IRONCACHED_MAX_CACHES',
    fallback: '100000',
    about: 'How many caches one project may have, and for how many it may have settings.',
    kind: wholeNumber(1, 10_000_000),
  },
  maxTokens: {
    variable: 'IRONCACHED_MAX_TOKENS',
    fallback: '1000',
    about:
      'How many tokens one project may have, expired ones too, and how many there may be for all projects; those that are there go on working.',
    kind: wholeNumber(1, 100_000),
  },
  defaultExpiresIn: {
    variable: 'IRONCACHED_DEFAULT_EXPIRES_IN',
    fallback: '0',
    about: 'Seconds that an item lives which REST stores without expires_in. 0: for ever.',
    kind: seconds(2_592_000),
  },
  maxConnections: {
    variable: 'IRONCACHED_MAX_CONNECTIONS',
    fallback: '10000',
    about:
      'How many connections REST, and as many memcached, may have open at once; further ones are told so and closed.',
    kind: wholeNumber(1, 1_000_000),
  },
  maxConnectionsPerAddress: {
    variable: 'IRONCACHED_MAX_CONNECTIONS_PER_ADDRESS',
    fallback: '5000',
    about:
      'How many of those one client address may have (of IPv6, one /64). 0: all; then one client can keep out all others. Behind a proxy, all connections are the proxy’s.',
    kind: wholeNumber(0, 1_000_000),
  },
  stallTimeout: {
    variable: 'IRONCACHED_STALL_TIMEOUT',
    fallback: '60',
    about:
      'Seconds that a client may leave unread what waits for it; then it is cut off. By REST, no sooner than a request may take to arrive.',
    kind: wholeNumber(1, 3600),
  },
  memcachedIdleTimeout: {
    variable: 'IRONCACHED_MEMCACHED_IDLE_TIMEOUT',
    fallback: '0',
    about: 'Seconds after which a silent memcached connection is closed. 0: never, as pools expect.',
    kind: seconds(86_400),
  },
  memcachedRequestTimeout: {
    variable: 'IRONCACHED_MEMCACHED_REQUEST_TIMEOUT',
    fallback: '30',
    about:
      'Seconds in which a memcached command and its data must have arrived once it has begun; then the connection is closed. 0: any time.',
    kind: seconds(3600),
  },
  memcachedMaxLine: {
    variable: 'IRONCACHED_MEMCACHED_MAX_LINE',
    fallback: '1mb',
    about:
      'The longest memcached command line: that of a get with many keys. 1 MB is 20,000 keys of 50 bytes. Before sign-in 64 KB.',
    kind: size(2 * KIB, 64 * MIB),
  },
  memcachedMaxUnanswered: {
    variable: 'IRONCACHED_MEMCACHED_MAX_UNANSWERED',
    fallback: '1mb',
    about: 'Reply bytes that wait for a memcached client before its further commands wait, too.',
    kind: size(64 * KIB, 1024 * MIB),
  },
  signInTimeout: {
    variable: 'IRONCACHED_SIGN_IN_TIMEOUT',
    fallback: '60',
    about: 'Seconds in which a memcached connection must have signed in; then it is closed. 0: any time.',
    kind: seconds(86_400),
  },
  signInAttempts: {
    variable: 'IRONCACHED_SIGN_IN_ATTEMPTS',
    fallback: '10',
    about: 'Failed sign-ins after which a memcached connection is closed.',
    kind: wholeNumber(1, 1000),
  },
  signInDelay: {
    variable: 'IRONCACHED_SIGN_IN_DELAY',
    fallback: '1',
    about: 'Seconds that every failed sign-in of a client address but the first three waits for its answer.',
    kind: seconds(60),
  },
  signInAttemptsPerAddress: {
    variable: 'IRONCACHED_SIGN_IN_ATTEMPTS_PER_ADDRESS',
    fallback: '100',
    about:
      'Failed sign-ins, by both doors, after which a client address (of IPv6, its /64) is refused for a while, but for tokens that were right from there before. 0: never.',
    kind: wholeNumber(0, 1_000_000),
  },
  signInRefusal: {
    variable: 'IRONCACHED_SIGN_IN_REFUSAL',
    fallback: '60',
    about: 'Seconds of that refusal, and seconds without a failure after which earlier ones are forgotten.',
    kind: wholeNumber(1, 86_400),
  },
  maxRequestsPerSecond: {
    variable: 'IRONCACHED_MAX_REQUESTS_PER_SECOND',
    fallback: '0',
    about:
      'Requests for items and caches per second that each token may make, by both doors together; a get of several keys counts as so many. 0: any number.',
    kind: wholeNumber(0, 1_000_000_000),
  },
  httpMaxHeaderSize: {
    variable: 'IRONCACHED_HTTP_MAX_HEADER_SIZE',
    fallback: '16kb',
    about: 'The longest request line and headers together; beyond, the answer is 431.',
    kind: size(4 * KIB, MIB),
  },
  httpMaxUnanswered: {
    variable: 'IRONCACHED_HTTP_MAX_UNANSWERED',
    fallback: '1mb',
    about:
      'Bytes of answers to pipelined requests that wait for a client before its further requests wait, too.',
    kind: size(64 * KIB, 1024 * MIB),
  },
  httpRequestTimeout: {
    variable: 'IRONCACHED_HTTP_REQUEST_TIMEOUT',
    fallback: '30',
    about: 'Seconds in which a whole request must have arrived; beyond, the answer is 408.',
    kind: wholeNumber(1, 3600),
  },
  httpKeepAliveTimeout: {
    variable: 'IRONCACHED_HTTP_KEEP_ALIVE_TIMEOUT',
    fallback: '72',
    about: 'Seconds that an idle REST connection stays open. More than a load balancer in front waits.',
    kind: wholeNumber(1, 3600),
  },
  trustProxy: {
    variable: 'IRONCACHED_TRUST_PROXY',
    fallback: '',
    about:
      'Proxies in front of REST whose X-Forwarded-For is believed, so that sign-ins are counted for the client’s address and not the proxy’s: addresses or networks like 10.0.0.0/8, several separated by commas. Unset: none.',
    kind: networks,
  },
  corsOrigins: {
    variable: 'IRONCACHED_CORS_ORIGINS',
    fallback: '',
    about:
      'Whose pages may use the REST API in a browser: origins like https://app.example.org, several separated by commas; * is everyone’s. Unset: none. A token in a page is known to whoever opens it.',
    kind: origins,
  },
  stopDelay: {
    variable: 'IRONCACHED_STOP_DELAY',
    fallback: '0',
    about:
      'Seconds that a stop goes on serving, while REST tells every client to close its connection. Behind a load balancer: as long as it takes to notice.',
    kind: seconds(600),
  },
  stopTimeout: {
    variable: 'IRONCACHED_STOP_TIMEOUT',
    fallback: '10',
    about: 'Seconds that a stop waits for requests in flight before it cuts them off.',
    kind: wholeNumber(0, 600),
  },
  tlsCert: {
    variable: 'IRONCACHED_TLS_CERT',
    about: 'PEM file with the certificate chain; with a key, the REST API speaks HTTPS.',
    kind: text('a file'),
  },
  tlsKey: {
    variable: 'IRONCACHED_TLS_KEY',
    about: 'PEM file with the key of that certificate.',
    kind: text('a file'),
  },
  tlsReloadInterval: {
    variable: 'IRONCACHED_TLS_RELOAD_INTERVAL',
    fallback: '10',
    about:
      'Seconds between two looks at the files of certificate and key (and CA), which are read anew when they have changed. 0: on SIGHUP only.',
    kind: seconds(86_400),
  },
  tlsClientCa: {
    variable: 'IRONCACHED_TLS_CLIENT_CA',
    about:
      'PEM file with the authorities whose client certificates sign memcached clients in, on the port for TLS. Have authorities for this alone: whoever they certify can use a cache.',
    kind: text('a file'),
  },
  tlsClientAuth: {
    variable: 'IRONCACHED_TLS_CLIENT_AUTH',
    fallback: 'optional',
    about:
      'Whether memcached clients by TLS must have such a certificate (required), or may sign in by token without one (optional).',
    kind: oneOf('optional', 'required'),
  },
  tlsClients: {
    variable: 'IRONCACHED_TLS_CLIENTS',
    fallback: '',
    about:
      'Whose certificate is for which cache: COMMON_NAME=PROJECT_ID/CACHE_NAME, several separated by commas. A certificate that is not named says it itself, by the alternative name URI:ironcached://PROJECT_ID/CACHE_NAME.',
    kind: clientNames,
  },
  tlsHandshakeTimeout: {
    variable: 'IRONCACHED_TLS_HANDSHAKE_TIMEOUT',
    fallback: '10',
    about: 'Seconds in which a TLS client must have finished its handshake.',
    kind: wholeNumber(1, 600),
  },
  metricsToken: {
    variable: 'IRONCACHED_METRICS_TOKEN',
    about:
      'The token with which Prometheus may read /metrics on the port of the REST API. Unset: only an admin token for all projects may.',
    kind: token,
    secret: true,
  },
  metricsHost: {
    variable: 'IRONCACHED_METRICS_HOST',
    fallback: '127.0.0.1',
    about: 'Address of the listener for metrics. It asks for no token: keep it private.',
    kind: text('a host name or an IP address'),
  },
  metricsPort: {
    variable: 'IRONCACHED_METRICS_PORT',
    about: 'Port of a listener that serves /metrics and /health/* alone, without a token. Unset: none.',
    kind: port,
  },
  metricsMaxCaches: {
    variable: 'IRONCACHED_METRICS_MAX_CACHES',
    fallback: '500',
    about:
      'How many caches have series of their own in the metrics: the most used ones; all others are told as one.',
    kind: wholeNumber(0, 10_000),
  },
  slowRequest: {
    variable: 'IRONCACHED_SLOW_REQUEST',
    fallback: '100',
    about: 'Milliseconds from which on a request is logged as slow. 0: never.',
    kind: wholeNumber(0, 600_000),
  },
  logLevel: {
    variable: 'IRONCACHED_LOG_LEVEL',
    fallback: 'info',
    about: 'What is logged: trace, debug (adds a line per REST request), info, warn, error, fatal or silent.',
    kind: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

/** The flag of a setting, without the dashes in front: `http-port`. */
export function flagOf(name: SettingName): string {
  return settings[name].variable.slice('IRONCACHED_'.length).toLowerCase().replaceAll('_', '-');
}

export function settingNames(): SettingName[] {
  return Object.keys(settings) as SettingName[];
}
