import type { PlainCredentials } from '../auth/iron-file.ts';
import { reachableHost, reachableInUrl } from '../config/host-address.ts';
import type { Addresses } from '../service.ts';

/** Who may use the service, and what its owner should beware of. */
interface Known {
  readonly plain: PlainCredentials | undefined;
  /** The file with the admin token, where the service made one. */
  readonly adminTokenPath: string | undefined;
  readonly warnings: readonly string[];
}

/** What a person at a terminal is told once the service is ready: where it is, and lines to paste. */
export function welcome(
  version: string,
  addresses: Addresses,
  { plain, adminTokenPath, warnings }: Known,
): string {
  const { protocol, httpHost, httpPort, memcachedHost, memcachedPort, memcachedTlsPort, bound } = addresses;
  const rest = `${protocol}://${reachableInUrl(httpHost)}:${httpPort}`;
  const lines = [
    '',
    `  ironcached ${version} is ready`,
    '',
    `  REST       ${rest}/1`,
    `  memcached  ${reachableInUrl(memcachedHost)}:${memcachedPort}`,
    ...(memcachedTlsPort === undefined
      ? []
      : [`  by TLS     ${reachableInUrl(memcachedHost)}:${memcachedTlsPort}`]),
    ...bound.map(
      ({ host, port, cacheName }) =>
        `             ${reachableInUrl(host)}:${port} is the cache ${cacheName}, without sign-in`,
    ),
    `  docs       ${rest}/docs`,
    ...(adminTokenPath === undefined
      ? []
      : [`  admin      the token in ${adminTokenPath} makes projects and tokens`]),
  ];
  const last = warnings.length > 0 ? [...warnings.map((warning) => `  WARNING    ${warning}`), ''] : [];
  if (!plain) {
    return [...lines, '', '  The token is known to its owner only; iron.json has none.', '', ...last].join(
      '\n',
    );
  }
  const { projectId, token } = plain;
  const signIn = `${token} ${projectId} demo`;
  const insecure = protocol === 'https' ? '-k ' : '';
  return [
    ...lines,
    `  project    ${projectId}`,
    `  token      ${token}`,
    '',
    '  Store an item by REST, and read it by memcached:',
    '',
    `  curl ${insecure}-X PUT -H 'Authorization: OAuth ${token}' -d '{"value":"Hello"}' \\`,
    `    ${rest}/1/projects/${projectId}/caches/demo/items/greeting`,
    '',
    `  printf 'set oauth 0 0 ${signIn.length}\\r\\n${signIn}\\r\\nget greeting\\r\\nquit\\r\\n' | nc ${reachableHost(memcachedHost)} ${memcachedPort}`,
    '',
    ...last,
  ].join('\n');
}
