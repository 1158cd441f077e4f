import { describe, expect, test } from 'vitest';
import { lineParsers } from '../../src/memcached/requests/command-lines.ts';
import { PROJECT, testDoor } from '../support/memcached-door.ts';

const OPEN = ['mn', 'quit', 'verbosity', 'version'];

// Complete and valid, so that each would be carried out after sign-in; with the data block that it needs.
const LINES: Record<string, string> = {
  get: 'get k',
  bget: 'bget k',
  gets: 'gets k',
  gat: 'gat 0 k',
  gats: 'gats 0 k',
  set: 'set k 0 0 6\r\nmn\r\nmn',
  add: 'add k 0 0 6\r\nmn\r\nmn',
  replace: 'replace k 0 0 6\r\nmn\r\nmn',
  append: 'append k 0 0 6\r\nmn\r\nmn',
  prepend: 'prepend k 0 0 6\r\nmn\r\nmn',
  cas: 'cas k 0 0 6 1\r\nmn\r\nmn',
  delete: 'delete k',
  incr: 'incr k 1',
  decr: 'decr k 1',
  touch: 'touch k 0',
  mg: 'mg k v',
  ms: 'ms k 6\r\nmn\r\nmn',
  md: 'md k',
  ma: 'ma k N0',
  me: 'me k',
  lru_crawler: 'lru_crawler metadump all',
};

const WITH_NOREPLY = [
  'set',
  'add',
  'replace',
  'append',
  'prepend',
  'cas',
  'delete',
  'incr',
  'decr',
  'touch',
  'flush_all',
];

test('four commands are open to everyone, and there are more', () => {
  const commands = [...lineParsers.keys()];
  expect(commands).toEqual(expect.arrayContaining(OPEN));
  expect(commands.length).toBeGreaterThan(30);
});

describe.each([...lineParsers.keys()].filter((command) => !OPEN.includes(command)))('%s', (command) => {
  const line = `${LINES[command] ?? command}\r\n`;

  test.each([
    ['before sign-in', ''],
    ['after a wrong sign-in', 'set oauth 0 0 5\r\nwrong\r\n'],
  ])('is refused %s, and its data block is passed over', async (_when, before) => {
    const door = await testDoor();
    const client = await door.connect();
    if (before !== '') expect(await client.ask(before)).toBe('CLIENT_ERROR authentication failure\r\n');
    client.send(`${line}mn\r\n`);
    expect(await client.takeThrough('MN\r\n')).toBe('CLIENT_ERROR unauthenticated\r\nMN\r\n');
    expect(await door.engine.list(PROJECT, 0, 10)).toEqual([]);
  });
});

test.each(WITH_NOREPLY)('%s noreply is refused in silence', async (command) => {
  const [words = '', ...data] = (LINES[command] ?? command).split('\r\n');
  const client = await (await testDoor()).connect();
  client.send(`${[`${words} noreply`, ...data].join('\r\n')}\r\nmn\r\n`);
  expect(await client.takeThrough('MN\r\n')).toBe('MN\r\n');
});

test.each(OPEN.filter((command) => command !== 'quit'))('%s is answered before sign-in', async (command) => {
  const client = await (await testDoor()).connect();
  const answer = await client.ask(command === 'verbosity' ? 'verbosity 1\r\n' : `${command}\r\n`);
  expect(answer).toMatch(/^(?:MN|OK|VERSION 1\.6\.18)\r\n$/);
});

test('quit ends the connection before sign-in', async () => {
  const client = await (await testDoor()).connect();
  client.send('version\r\nquit\r\nversion\r\n');
  expect(await client.rest()).toBe('VERSION 1.6.18\r\n');
});

test('what is no command at all is told no more than others', async () => {
  const client = await (await testDoor()).connect();
  for (const line of ['hello', '', 'set', 'set k 0 0 x', 'get', 'ms k', `get ${'k'.repeat(251)}`]) {
    expect(await client.ask(`${line}\r\n`)).toBe('CLIENT_ERROR unauthenticated\r\n');
  }
});
