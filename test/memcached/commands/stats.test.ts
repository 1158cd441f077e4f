import { describe, expect, test } from 'vitest';
import { TWO_PROJECTS } from '../../support/credentials.ts';
import type { MemcachedClient } from '../../support/memcached-client.ts';
import { MemcachedClient as Client } from '../../support/memcached-client.ts';
import { PROJECT, signInCommand, testDoor } from '../../support/memcached-door.ts';
import { memcachedVersion, startMemcached } from '../../support/real-memcached.ts';
import { transcript } from '../../support/transcript.ts';

async function stats(client: MemcachedClient, topic = ''): Promise<Record<string, string>> {
  client.send(`stats${topic === '' ? '' : ` ${topic}`}\r\n`);
  const answer = await client.takeThrough('END\r\n');
  return Object.fromEntries(
    [...answer.matchAll(/^STAT (\S+) ([^\r]*)\r\n/gm)].map(([, name, value]) => [name, value]),
  );
}

const COUNTERS =
  /^(?:cmd_(?!flush)|(?:get|cas|touch|incr|decr)_(?:hits|misses|badval)|total_items|curr_items)/;

describe('stats', () => {
  test('counts what was done to the cache', async () => {
    const client = await (await testDoor()).signedIn();
    const commands = [
      'set a 0 0 1\r\n1',
      'get a a b',
      'delete b',
      'incr a 1',
      'decr b 1',
      'touch a 0',
      'cas a 0 0 1 99\r\n2',
      'delete a',
      'flush_all',
    ];
    client.send(commands.map((command) => `${command}\r\n`).join(''));
    await client.takeThrough('OK\r\n');
    expect(await stats(client)).toMatchObject({
      version: '1.6.18',
      ironcached_version: '1.2.3',
      cmd_get: '3',
      get_hits: '2',
      get_misses: '1',
      delete_misses: '1',
      delete_hits: '1',
      incr_hits: '1',
      decr_misses: '1',
      touch_hits: '1',
      cas_badval: '1',
      cmd_flush: '1',
      curr_items: '0',
      curr_connections: '1',
    });
  });

  // Each command on a line, and by how much it changes what is counted.
  const COUNTED: readonly [commands: string, counts: Record<string, number>][] = [
    ['set a 0 0 1\r\n1', { cmd_set: 1, total_items: 1, curr_items: 1 }],
    ['add a 0 0 1\r\n1', { cmd_set: 1 }],
    ['replace none 0 0 1\r\n1', { cmd_set: 1 }],
    ['append none 0 0 1\r\n1', { cmd_set: 1 }],
    ['append a 0 0 1\r\n1', { cmd_set: 1, total_items: 1 }],
    ['cas a 0 0 1 0\r\n1', { cmd_set: 1, cas_badval: 1 }],
    ['cas none 0 0 1 1\r\n1', { cmd_set: 1, cas_misses: 1 }],
    ['ms a 1 C0\r\n1', { cmd_set: 1, cas_badval: 1 }],
    ['ms none 1 C1\r\n1', { cmd_set: 1, cas_misses: 1 }],
    ['ms a 1 C0 MR\r\n1', { cmd_set: 1, cas_badval: 1 }],
    ['ms none 1 C1 MR\r\n1', { cmd_set: 1, cas_misses: 1 }],
    // Made from an older version, and marked stale.
    ['ms a 1 C1 I\r\n1', { cmd_set: 1, cas_hits: 1, total_items: 1 }],
    ['ms a 1 C1 ME\r\n1', { cmd_set: 1 }],
    ['ms a 1 C0 MA\r\n1', { cmd_set: 1, total_items: 1 }],
    ['ms none 1 MR\r\n1', { cmd_set: 1 }],
    ['mg none T5', { cmd_get: 1, get_misses: 1 }],
    ['mg a T5', { cmd_touch: 1, touch_hits: 1 }],
    ['mg b N5', { cmd_get: 1, get_hits: 1, total_items: 1, curr_items: 1 }],
    ['ma c N0', { total_items: 1, curr_items: 1 }],
    ['ma d N0 MD', { total_items: 1, curr_items: 1 }],
    ['ma d MD', { decr_hits: 1 }],
    ['ma none', { incr_misses: 1 }],
    ['me a', { cmd_meta: 1 }],
    ['me none', { cmd_meta: 1 }],
  ];

  async function countsOf(client: MemcachedClient): Promise<[string, Record<string, number>][]> {
    const counts: [string, Record<string, number>][] = [];
    let before = await stats(client);
    for (const [command] of COUNTED) {
      client.send(`${command}\r\nmn\r\n`);
      await client.takeThrough('MN\r\n');
      const now = await stats(client);
      const changed = Object.keys(now).filter((name) => COUNTERS.test(name) && now[name] !== before[name]);
      counts.push([
        command,
        Object.fromEntries(changed.map((name) => [name, Number(now[name]) - Number(before[name])])),
      ]);
      before = now;
    }
    return counts;
  }

  test('counts what each command did', async () => {
    const client = await (await testDoor()).signedIn();
    expect(Object.fromEntries(await countsOf(client))).toEqual(Object.fromEntries(COUNTED));
  });

  test.skipIf(memcachedVersion() === undefined)('counts as memcached does', async () => {
    const memcached = await startMemcached();
    try {
      const client = await Client.connect(memcached.port);
      expect(Object.fromEntries(await countsOf(client))).toEqual(Object.fromEntries(COUNTED));
      client.destroy();
    } finally {
      await memcached.stop();
    }
  });

  test('reset begins to count anew, for this cache alone', async () => {
    const door = await testDoor();
    const [client, other] = [await door.signedIn(), await door.signedIn({ cache: 'another' })];
    await client.ask('get a\r\n');
    await other.ask('get a\r\n');
    expect(await client.ask('stats reset\r\n')).toBe('RESET\r\n');
    expect(await stats(client)).toMatchObject({ get_misses: '0' });
    expect(await stats(other)).toMatchObject({ get_misses: '1' });
  });

  test('tell the same to all clients of a cache, however many others are asked for meanwhile', async () => {
    const door = await testDoor();
    const askForOthers = () => {
      for (let i = 0; i < 20_001; i++) door.engine.cache(PROJECT, `other-${i}`);
    };
    const client = await door.signedIn();
    askForOthers();
    await client.ask('get a\r\n');
    const other = await door.signedIn();
    expect(await stats(other)).toMatchObject({ cmd_get: '1' });
    for (const { socket } of [client, other]) socket.destroy();
    const last = await door.signedIn({ cache: 'another' });
    await expect.poll(() => stats(last)).toMatchObject({ curr_connections: '1' });
    askForOthers();
    expect(await stats(await door.signedIn())).toMatchObject({ cmd_get: '0' });
  });

  test('are not kept for a client that lost its right to a cache and signed in to another', async () => {
    const door = await testDoor();
    const client = await door.signedIn();
    await client.ask('get a\r\n');
    door.tokens.update({ ...TWO_PROJECTS, tokens: [] });
    expect(await client.ask('get a\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
    door.tokens.update(TWO_PROJECTS);
    expect(await client.ask(signInCommand({ cache: 'another' }))).toBe('STORED\r\n');
    for (let i = 0; i < 20_001; i++) door.engine.cache(PROJECT, `other-${i}`);
    expect(await stats(await door.signedIn())).toMatchObject({ cmd_get: '0' });
  });

  test('items and slabs show the cache as one class, as exporters look for it', async () => {
    const client = await (await testDoor()).signedIn();
    expect(await stats(client, 'items')).toEqual({});
    expect(await stats(client, 'slabs')).toEqual({ active_slabs: '0', total_malloced: '0' });
    await client.ask('set a 0 0 1\r\na\r\n');
    expect(await stats(client, 'items')).toMatchObject({ 'items:1:number': '1', 'items:1:evicted': '0' });
    expect(await stats(client, 'slabs')).toMatchObject({ '1:used_chunks': '1', active_slabs: '1' });
  });

  test('tell of a cache that evicts nothing that it does not, and what was refused for that', async () => {
    const door = await testDoor();
    const client = await door.signedIn({ cache: 'kept' });
    expect(await stats(client, 'settings')).toMatchObject({ evictions: 'on' });
    door.engine.configure(PROJECT, 'kept', { policy: 'none', quota: { itemsMax: 1 } });
    client.send('set a 0 0 1\r\na\r\nset b 0 0 1\r\nb\r\n');
    await client.takeThrough('SERVER_ERROR out of memory storing object\r\n');
    expect(await stats(client, 'settings')).toMatchObject({ evictions: 'off' });
    expect(await stats(client, 'items')).toMatchObject({ 'items:1:outofmemory': '1' });
    expect(await stats(await door.signedIn(), 'settings')).toMatchObject({ evictions: 'on' });
  });

  test('of a connection that has not signed in tell nothing', async () => {
    const client = await (await testDoor()).connect();
    expect(await client.ask('stats\r\n')).toBe('CLIENT_ERROR unauthenticated\r\n');
  });

  transcript('topics', [
    ['stats sizes\r\n', 'STAT sizes_status disabled\r\nEND\r\n'],
    ['stats conns\r\n', 'END\r\n'],
    ['stats nonsense\r\n', 'ERROR\r\n'],
    ['stats detail on\r\n', 'CLIENT_ERROR usage: stats detail on|off|dump\r\n'],
  ]);

  transcript('cachedump lists keys of the cache', [
    ['stats cachedump 1 0\r\n', 'END\r\n'],
    ['set a 0 0 5\r\nhello\r\nset gone 0 10 1\r\na\r\n', 'STORED\r\nSTORED\r\n'],
    { passMs: 10_000 },
    ['stats cachedump 1 0\r\nmn\r\n', 'ITEM a [5 b; 0 s]\r\nEND\r\nMN\r\n'],
    ['stats cachedump 2 0\r\n', 'END\r\n'],
    ['delete a\r\nset b 0 60 1\r\na\r\n', 'DELETED\r\nSTORED\r\n'],
    ['stats cachedump 1 5\r\n', `ITEM b [1 b; ${Date.UTC(2030, 0, 15, 12, 1, 10) / 1000} s]\r\nEND\r\n`],
  ]);

  test('cachedump stops at its limit', async () => {
    const client = await (await testDoor()).signedIn();
    for (const key of ['a', 'b', 'c']) await client.ask(`set ${key} 0 0 1\r\nv\r\n`);
    client.send('stats cachedump 1 2\r\n');
    expect((await client.takeThrough('END\r\n')).match(/^ITEM /gm)).toHaveLength(2);
  });

  test.skipIf(memcachedVersion() === undefined)('every name is one that memcached has, too', async () => {
    const memcached = await startMemcached();
    try {
      const [ours, theirs] = [await (await testDoor()).signedIn(), await Client.connect(memcached.port)];
      for (const client of [ours, theirs]) await client.ask('set a 0 0 1\r\na\r\n');
      for (const topic of ['', 'settings', 'items', 'slabs', 'sizes']) {
        const known = new Set(Object.keys(await stats(theirs, topic)).map(anyClass));
        const foreign = Object.keys(await stats(ours, topic)).filter((name) => !known.has(anyClass(name)));
        expect(foreign).toEqual(topic === '' ? ['ironcached_version'] : []);
      }
      theirs.destroy();
    } finally {
      await memcached.stop();
    }
  });
});

// Items of one byte are in class 1 here, wherever they may be there.
function anyClass(name: string): string {
  return name.replace(/\d+:/, 'N:');
}
