import { parseArgs } from 'node:util';
import type { ValueKind } from './config/setting-values.ts';
import { flagOf, type Setting, type SettingName, settingNames, settings } from './config/settings.ts';

type Settings = typeof settings;
type ValueOf<S extends Setting> = S extends { readonly fallback: string }
  ? Value<S['kind']>
  : Value<S['kind']> | undefined;
type Value<K> = K extends ValueKind<infer T> ? T : never;

/** Sizes are bytes, times are seconds. */
export type Config = { readonly [N in SettingName]: ValueOf<Settings[N]> };

type ConfigResult =
  | { readonly config: Config }
  | { readonly show: 'help' | 'version' }
  | { readonly mistakes: readonly string[] };

/** Reads flags, then variables, then defaults. Finds every mistake, not just the first. */
export function readConfig(
  args: readonly string[] = process.argv.slice(2),
  env: Readonly<Record<string, string | undefined>> = process.env,
): ConfigResult {
  const { flags, show, mistakes } = readFlags(args);
  if (show) return { show };
  const values: Partial<Record<SettingName, unknown>> = {};
  const present = new Set<SettingName>();
  for (const name of settingNames()) {
    const setting: Setting = settings[name];
    const flag = flags.get(name);
    // An empty variable is one that a compose file passes on without a value.
    const given = flag ?? (env[setting.variable] || undefined);
    const source = flag === undefined ? setting.variable : `--${flagOf(name)}`;
    const value = given ?? setting.fallback;
    if (value === undefined) continue;
    if (given !== undefined) present.add(name);
    const read = setting.kind.read(value);
    if (read === undefined) mistakes.push(mistakeText(source, setting, value));
    else values[name] = read;
  }
  mistakes.push(...missingNeeds(present));
  if (present.has('credentialsFile') && present.has('projectId')) {
    mistakes.push(
      `${settings.credentialsFile.variable}: cannot be used together with ${settings.projectId.variable}; give one of them`,
    );
  }
  return mistakes.length > 0 ? { mistakes } : { config: Object.freeze(values as Config) };
}

// In a cluster with a service of this program's name, each process is given such.
const OF_KUBERNETES = /^IRONCACHED_(?:PORT|SERVICE)(?:_|$)/;

/** Variables that look like settings and are none: misspelt ones, most likely. */
export function unknownVariables(env: Readonly<Record<string, string | undefined>> = process.env): string[] {
  const known = new Set(settingNames().map((name): string => settings[name].variable));
  return Object.keys(env).filter(
    (name) => name.startsWith('IRONCACHED_') && !known.has(name) && !OF_KUBERNETES.test(name),
  );
}

/** The settings that are tokens. */
export const TOKEN_SETTINGS = [
  'token',
  'adminToken',
  'metricsToken',
] as const satisfies readonly SettingName[];

/** The tokens that the settings hold. */
export function tokensIn(config: Config): string[] {
  return TOKEN_SETTINGS.flatMap((name) => config[name] ?? []);
}

/** Takes the tokens out of the environment, which diagnostic reports and child processes are given. */
export function forgetTokens(env: Record<string, string | undefined> = process.env): void {
  for (const name of TOKEN_SETTINGS) delete env[settings[name].variable];
}

function mistakeText(source: string, setting: Setting, value: string): string {
  const shown = setting.secret ? 'its value' : JSON.stringify(value);
  return `${source}: ${shown} is not accepted; expected ${setting.kind.accepts}`;
}

function readFlags(args: readonly string[]) {
  const mistakes: string[] = [];
  const flags = new Map<SettingName, string>();
  const names = new Map(settingNames().map((name) => [flagOf(name), name]));
  const options = Object.fromEntries([...names.keys()].map((flag) => [flag, { type: 'string' as const }]));
  const { tokens } = parseArgs({
    args: [...args],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });
  let show: 'help' | 'version' | undefined;
  for (const token of tokens) {
    // Its text is not repeated: it may be a token behind a misspelt flag.
    if (token.kind === 'positional') mistakes.push(`argument ${token.index + 1}: ${NO_COMMAND}`);
    if (token.kind !== 'option') continue;
    if (token.name === 'help' || token.rawName === '-h') show = 'help';
    else if (token.name === 'version' || token.rawName === '-v') show ??= 'version';
    else {
      const name = names.get(token.name);
      if (!name) mistakes.push(`${token.rawName}: there is no such flag; see --help`);
      else if (token.value === undefined) mistakes.push(`${token.rawName}: this flag needs a value`);
      else flags.set(name, token.value);
    }
  }
  return { flags, show, mistakes };
}

// Which word it was is not told: it may be a token.
const NO_COMMAND =
  'there is no such command; there are project, token, dump, load and repair, and to run the service takes none; see --help';

// What makes no sense without the other.
function missingNeeds(present: ReadonlySet<SettingName>): string[] {
  const needs = [
    ['projectId', 'token'],
    ['token', 'projectId'],
    ['tlsCert', 'tlsKey'],
    ['tlsKey', 'tlsCert'],
    ['memcachedTlsPort', 'tlsCert'],
    ['tlsClientCa', 'memcachedTlsPort'],
    ['tlsClientAuth', 'tlsClientCa'],
    ['tlsClients', 'tlsClientCa'],
  ] as const;
  return needs.flatMap(([given, needed]) => {
    if (!present.has(given) || present.has(needed)) return [];
    return [`${settings[needed].variable}: is needed as well, since ${settings[given].variable} is set`];
  });
}
