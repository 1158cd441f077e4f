import { isIP } from 'node:net';

/*
 * What values of settings may be. By hand: to load zod for it would take as long as half of what the service
 * itself takes to start.
 */

/** One kind of value, as text of a flag or a variable. */
export interface ValueKind<T> {
  /** What is accepted, for whoever gives something else. */
  readonly accepts: string;
  /** The value; undefined: it is not accepted. */
  readonly read: (text: string) => T | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  kb: KIB,
  mb: MIB,
  gb: 1024 * MIB,
  tb: 1024 * 1024 * MIB,
};

/** Any text but none. */
export function text(accepts: string): ValueKind<string> {
  return { accepts, read: (text) => text || undefined };
}

export function matching(pattern: RegExp, accepts: string): ValueKind<string> {
  return { accepts, read: (text) => (pattern.test(text) ? text : undefined) };
}

export function oneOf<const W extends string>(...words: readonly W[]): ValueKind<W> {
  const accepts = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return { accepts, read: (text) => words.find((word) => word === text) };
}

export function wholeNumber(
  min: number,
  max: number,
  accepts = `a whole number from ${min} to ${max}`,
): ValueKind<number> {
  return { accepts, read: (text) => (/^\d{1,15}$/.test(text) ? within(min, Number(text), max) : undefined) };
}

export function seconds(max: number): ValueKind<number> {
  return wholeNumber(0, max, `seconds, from 0 to ${max}`);
}

export const port = wholeNumber(0, 65_535, 'a port from 0 to 65535 (0: any free one)');

/** A size, in bytes. */
export function size(min: number, max: number): ValueKind<number> {
  return {
    accepts: `a size from ${sizeText(min)} to ${sizeText(max)}, like 64kb, 512mb or 2gb`,
    read: (text) => (SIZE.test(text) ? within(min, bytesOf(text), max) : undefined),
  };
}

const SIZE = /^\d{1,15}(\.\d+)? *(b|[kmgt]b?|[kmgt]ib)?$/i;

/** A size of any kind, in bytes. */
export const anySize = size(1, Number.MAX_SAFE_INTEGER);

/** A size, or `auto`. */
export function sizeOrAuto(min: number, max: number): ValueKind<number | 'auto'> {
  const { accepts, read } = size(min, max);
  return { accepts: `auto, or ${accepts}`, read: (text) => (text === 'auto' ? text : read(text)) };
}

export const token = matching(/^[\x21-\x7e]{8,256}$/, '8 to 256 printable characters without spaces');

/** A memcached listener for one cache, without sign-in. */
export interface Binding {
  readonly host: string;
  readonly port: number;
  /** Undefined: the only project. */
  readonly projectId: string | undefined;
  readonly cacheName: string;
}

export const bindings = severalOf(
  bindingFrom,
  'HOST:PORT=PROJECT_ID/CACHE_NAME or HOST:PORT=CACHE_NAME, several separated by commas',
);

const BINDING = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})=(?:([0-9a-f]{24})\/)?(.{1,250})$/;

function bindingFrom(text: string): Binding | undefined {
  const [, v6, host = v6, port, projectId, cacheName] = BINDING.exec(text) ?? [];
  if (host === undefined || cacheName === undefined || Number(port) > 65_535) return undefined;
  return { host, port: Number(port), projectId, cacheName };
}

export const networks = severalOf(
  (text) => (isNetwork(text) ? text : undefined),
  'IP addresses or networks like 10.0.0.0/8, several separated by commas',
);

function isNetwork(text: string): boolean {
  const [address = '', prefix, more] = text.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) > 0 && more === undefined && (prefix === undefined || isPrefix(prefix, bits));
}

function isPrefix(text: string, bits: number): boolean {
  return /^\d{1,3}$/.test(text) && Number(text) <= bits;
}

export const origins = severalOf(
  (text) => (ORIGIN.test(text) ? text : undefined),
  'origins like https://app.example.org, several separated by commas, or *',
);

const ORIGIN = /^(?:\*|[a-z][a-z0-9+.-]*:\/\/[^\s/?#,]+)$/;

const clientList = severalOf(clientFrom, 'COMMON_NAME=PROJECT_ID/CACHE_NAME, several separated by commas');

/** The caches of clients, by the names in their certificates. */
export const clientNames: ValueKind<Map<string, { projectId: string; cacheName: string }>> = {
  accepts: clientList.accepts,
  read: (text) => {
    const clients = clientList.read(text);
    return clients && new Map(clients);
  },
};

const CLIENT_NAME = /^([^=]{1,64})=([0-9a-f]{24})\/(.{1,250})$/;

function clientFrom(text: string) {
  const [, name, projectId, cacheName] = CLIENT_NAME.exec(text) ?? [];
  if (name === undefined || projectId === undefined || cacheName === undefined) return undefined;
  return [name, { projectId, cacheName }] as const;
}

/** Several of the same, separated by commas; none is accepted if one is not. */
function severalOf<T>(readOne: (text: string) => T | undefined, accepts: string): ValueKind<T[]> {
  return {
    accepts,
    read: (text) => {
      const parts = text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
      const values = parts.map(readOne).filter((value) => value !== undefined);
      return values.length === parts.length ? values : undefined;
    },
  };
}

function within(min: number, value: number, max: number): number | undefined {
  return value >= min && value <= max ? value : undefined;
}

function bytesOf(value: string): number {
  const [, number = '', unit = ''] = /^([\d.]+) *(\w*)$/.exec(value.toLowerCase()) ?? [];
  const normalUnit = unit.replace('ib', 'b').replace(/^([kmgt])$/, '$1b');
  return Math.floor(Number(number) * (UNITS[normalUnit] ?? Number.NaN));
}

function sizeText(bytes: number): string {
  const [unit, factor] = Object.entries(UNITS).findLast(([, factor]) => bytes % factor === 0) ?? ['', 1];
  return `${bytes / factor}${unit}`;
}
