import { setTimeout as delay } from 'node:timers/promises';
import type { PortableItem } from '../../dump/item-line.ts';
import { NEVER } from '../../engine/item.ts';
import type { MemcachedAddress } from './invocation.ts';
import { MemcachedConnection } from './memcached-connection.ts';

/** A memcached makes one listing at a time: how long, and how often, to wait for someone else's to end. */
const BUSY_WAIT_MS = 500;
const BUSY_TRIES_MAX = 80;

/** How long a get may be, about: ironcached takes 64 KB, memcached any length. */
const GET_LENGTH_MAX = 16 * 1024;

/** What a memcached has, and how to sign in: a user and a password, with a space between them. */
export interface MemcachedSource {
  readonly address: MemcachedAddress;
  readonly signIn: string | undefined;
}

/**
 * The items of a memcached, by its listing of keys and gets of many. What comes, goes or changes meanwhile
 * may be among them or not; nor does memcached list what it is just moving from one order of use to another.
 * Throws ControlError.
 */
export async function* memcachedItems(source: MemcachedSource): AsyncGenerator<PortableItem> {
  const listing = await signedIn(source);
  try {
    const values = await signedIn(source);
    try {
      for await (const keys of listedKeys(listing)) yield* itemsOf(keys, values);
    } finally {
      values.close();
    }
  } finally {
    listing.close();
  }
}

/** Keys (one character a byte) with the times of their expiry, in ms since the Unix epoch, or NEVER. */
type ListedKeys = Map<string, number>;

async function signedIn({ address, signIn }: MemcachedSource): Promise<MemcachedConnection> {
  const connection = await MemcachedConnection.connect(address);
  if (signIn === undefined) return connection;
  connection.send(`set sign-in 0 0 ${signIn.length}\r\n${signIn}\r\n`);
  if ((await connection.line()) === 'STORED') return connection;
  connection.close();
  throw connection.failure('it does not accept this user and password');
}

/** All keys, as many at a time as a get takes. */
async function* listedKeys(connection: MemcachedConnection): AsyncGenerator<ListedKeys> {
  let keys: ListedKeys = new Map();
  let length = 0;
  for (let line = await beginListing(connection); line !== 'END'; line = await connection.line()) {
    const { key, expiresAt } = listedKey(line, connection);
    keys.set(key, expiresAt);
    length += key.length + 1;
    if (length < GET_LENGTH_MAX) continue;
    yield keys;
    keys = new Map();
    length = 0;
  }
  yield keys;
}

// In the order of use. By its hash table (`hash`), a memcached would keep others from items while we take our
// time with the listing, and ourselves as well.
const LIST = 'lru_crawler metadump all\r\n';

/** Answers the first line of the listing. */
async function beginListing(connection: MemcachedConnection): Promise<string> {
  for (let tries = 0; tries < BUSY_TRIES_MAX; tries++) {
    connection.send(LIST);
    const line = await connection.line();
    if (line === 'END' || line.startsWith('key=')) return line;
    if (!line.startsWith('BUSY')) throw connection.failure(refusalOf(line));
    await delay(BUSY_WAIT_MS);
  }
  throw connection.failure('others are listing its keys all the time (BUSY); try again later');
}

function refusalOf(line: string): string {
  if (line.includes('unauthenticated')) return 'it asks for a user and a password: give --memcached-auth';
  return `it does not list its keys, as memcached does from 1.4.31 on (lru_crawler metadump): ${line}`;
}

// A key ends at a space alone: `\S` would end it at the byte A0, too, which is a space to JavaScript.
const LISTED = /^key=([^ ]+) exp=(-?\d+) /;

function listedKey(line: string, connection: MemcachedConnection) {
  const [, encoded, seconds] = LISTED.exec(line) ?? [];
  if (encoded === undefined) throw connection.failure('its listing of keys cannot be understood');
  const key = encoded.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return { key, expiresAt: Number(seconds) <= 0 ? NEVER : Number(seconds) * 1000 };
}

/** The items of those keys that are still there. */
async function* itemsOf(keys: ListedKeys, connection: MemcachedConnection): AsyncGenerator<PortableItem> {
  const plain = [...keys.keys()].filter((key) => !NO_PLAIN_KEY.test(key));
  if (plain.length > 0) yield* gotten(plain, keys, connection);
  for (const key of keys.keys()) {
    if (!NO_PLAIN_KEY.test(key)) continue;
    const item = await metaGotten(key, keys, connection);
    if (item) yield item;
  }
}

// What a command line cannot have in it, and clients of the meta commands can have stored in base64.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
const NO_PLAIN_KEY = /[\x00-\x20\x7f]/;

const VALUE = /^VALUE ([^ ]+) (\d+) (\d+)/;
const META_VALUE = /^VA (\d+) (?:[^ ]+ )*f(\d+)/;

async function* gotten(plain: readonly string[], keys: ListedKeys, connection: MemcachedConnection) {
  connection.send(`get ${plain.join(' ')}\r\n`);
  for (let line = await connection.line(); line !== 'END'; line = await connection.line()) {
    const [, key, flags, length] = VALUE.exec(line) ?? [];
    if (key === undefined) throw connection.failure(`it answers a get with: ${line}`);
    const value = await connection.data(Number(length));
    yield itemWith(key, value, Number(flags), keys);
  }
}

async function metaGotten(key: string, keys: ListedKeys, connection: MemcachedConnection) {
  connection.send(`mg ${Buffer.from(key, 'latin1').toString('base64')} b f v\r\n`);
  const line = await connection.line();
  if (line === 'EN') return undefined;
  const [, length, flags] = META_VALUE.exec(line) ?? [];
  if (length === undefined) throw connection.failure(`it answers a meta get with: ${line}`);
  const value = await connection.data(Number(length));
  return itemWith(key, value, Number(flags), keys);
}

function itemWith(key: string, value: Buffer, flags: number, keys: ListedKeys): PortableItem {
  return { key, value, kind: 'bytes', flags, expiresAt: keys.get(key) ?? NEVER, stale: false };
}
