import { describe, expect, test } from 'vitest';
import { testClock } from '../../support/clock.ts';
import { testDoor } from '../../support/memcached-door.ts';
import { PROJECT, startService, TOKEN } from '../../support/service.ts';
import { signIn, textClient } from '../../support/text-client.ts';
import { transcript } from '../../support/transcript.ts';

// The test clock starts there.
const NOON = Date.UTC(2030, 0, 15, 12);

describe('lru_crawler metadump', () => {
  transcript('lists the live items of the cache, also behind other commands', [
    ['lru_crawler metadump all\r\n', 'END\r\n'],
    ['set a 0 0 5\r\nhello\r\nget a\r\n', 'STORED\r\nVALUE a 0 5\r\nhello\r\nEND\r\n'],
    ['set gone 0 10 1\r\na\r\n', 'STORED\r\n'],
    { passMs: 10_000 },
    ['lru_crawler metadump all\r\n', `key=a exp=-1 la=${NOON / 1000} cas=1 fetch=yes cls=1 size=6\nEND\r\n`],
    ['delete a\r\nset b 0 60 1\r\na\r\n', 'DELETED\r\nSTORED\r\n'],
    [
      'lru_crawler metadump hash\r\nmn\r\n',
      `key=b exp=${NOON / 1000 + 70} la=${NOON / 1000 + 10} cas=3 fetch=no cls=1 size=2\nEND\r\nMN\r\n`,
    ],
  ]);

  test('encodes keys as a URL does, byte by byte', async () => {
    const client = await (await testDoor()).signedIn();
    const key = 'a/b?c=d%e&\xff\x01~-._Z';
    await client.ask(`set ${key} 0 0 1\r\na\r\n`);
    client.send('lru_crawler metadump 1\r\n');
    expect(await client.takeThrough('END\r\n')).toContain('key=a%2Fb%3Fc%3Dd%25e%26%FF%01~-._Z exp=');
  });

  test.each(['arena', 'lru-cache'])('never tells of a use in the future: %s', async (store) => {
    const service = await startService(['--store', store], { clock: testClock(NOON + 300) });
    const client = await textClient(service.memcachedPort);
    await client.ask(signIn(TOKEN, PROJECT, 'c'));
    await client.ask('set k 0 0 1\r\nv\r\n');
    expect(await client.ask('lru_crawler metadump all\r\n', 'END\r\n')).toContain(` la=${NOON / 1000} `);
  });

  transcript('of a slab class that is none', [
    ['lru_crawler metadump 0\r\n', 'BADCLASS invalid class id\r\n'],
    ['lru_crawler metadump 64\r\n', 'BADCLASS invalid class id\r\n'],
    ['lru_crawler metadump x\r\n', 'BADCLASS invalid class id\r\n'],
    ['lru_crawler metadump\r\n', 'ERROR\r\n'],
  ]);
});

transcript('stats cachedump lists keys, but none that would break its lines', [
  ['set a 0 0 1\r\na\r\n', 'STORED\r\n'],
  ...['a b', 'a\r\nEND\r\n', 'a\nb', 'a\0b'].map((key): [string, string] => [
    `ms ${Buffer.from(key).toString('base64')} 1 b\r\na\r\n`,
    'HD\r\n',
  ]),
  ['stats cachedump 1 0\r\n', 'ITEM a [1 b; 0 s]\r\nEND\r\n'],
]);

transcript('watch is not for one of many tenants', [
  ['watch\r\n', 'CLIENT_ERROR watch commands not allowed\r\n'],
  ['watch fetchers\r\n', 'CLIENT_ERROR watch commands not allowed\r\n'],
]);

transcript('what would concern all tenants is refused', [
  ['slabs reassign 1 2\r\n', 'CLIENT_ERROR slabs is not available: this server has many tenants\r\n'],
  ['cache_memlimit 64\r\n', 'CLIENT_ERROR cache_memlimit is not available: this server has many tenants\r\n'],
  ['lru tune 10 25 0.1 2.0\r\n', 'CLIENT_ERROR lru is not available: this server has many tenants\r\n'],
  ['shutdown\r\n', 'ERROR: shutdown not enabled\r\n'],
]);
