import { describe, expect, test } from 'vitest';
import { OTHER_PROJECT, OTHER_TOKEN, project, TWO_PROJECTS, token } from '../support/credentials.ts';
import { PROJECT, TOKEN, testDoor } from '../support/memcached-door.ts';

const REFUSED = 'SERVER_ERROR too many requests; this token may make 10 per second\r\n';
const set = (key: string, value = 'v') => `set ${key} 0 0 ${value.length}\r\n${value}\r\n`;

describe('a token with too many requests', () => {
  test('has those beyond refused, in order; data blocks are no commands', async () => {
    const door = await testDoor({ requestsPerSecond: 10 });
    const client = await door.signedIn();
    client.send(
      `${set('a').repeat(8)}get a\r\nmn\r\n${set('b', 'get a\r\nmn')}get a\r\nms c 1\r\nv\r\nversion\r\nquit\r\n`,
    );
    expect(await client.rest()).toBe(
      `${'STORED\r\n'.repeat(8)}VALUE a 0 1\r\nv\r\nEND\r\nMN\r\n${REFUSED.repeat(4)}`,
    );
    expect(await door.engine.cache(PROJECT, 'first-cache').info()).toMatchObject({ items: 1 });
  });

  test('has room again when time has passed', async () => {
    const door = await testDoor({ requestsPerSecond: 10 });
    const client = await door.signedIn();
    client.send('mn\r\n'.repeat(11));
    expect(await client.take('MN\r\n'.length * 10 + REFUSED.length)).toBe('MN\r\n'.repeat(10) + REFUSED);
    door.clock.advance(200);
    client.send('mn\r\n'.repeat(3));
    expect(await client.take('MN\r\n'.length * 2 + REFUSED.length)).toBe('MN\r\n'.repeat(2) + REFUSED);
  });

  test('has all its connections counted together, and no other token', async () => {
    const door = await testDoor({ requestsPerSecond: 10 });
    const [first, second] = [await door.signedIn(), await door.signedIn({ cache: 'another' })];
    const other = await door.signedIn({ project: OTHER_PROJECT, token: OTHER_TOKEN });
    first.send('mn\r\n'.repeat(10));
    await first.take(40);
    expect(await second.ask('mn\r\n')).toBe(REFUSED);
    expect(await other.ask('mn\r\n')).toBe('MN\r\n');
  });

  test('is told nothing by noreply', async () => {
    const door = await testDoor({ requestsPerSecond: 1 });
    const client = await door.signedIn();
    client.send('mn\r\nset k 0 0 1 noreply\r\nv\r\nquit\r\n');
    expect(await client.rest()).toBe('MN\r\n');
    expect(await door.engine.cache(PROJECT, 'first-cache').info()).toBeUndefined();
  });

  test.each([
    [299, 10_000],
    [9999, 500],
  ])(
    'pays for every key of a get of %i, once, however long its client takes to read',
    async (keys, bytes) => {
      const door = await testDoor({ requestsPerSecond: 100, limits: { unansweredBytesMax: 64 * 1024 } });
      const client = await door.signedIn();
      expect(await client.ask(set('k', 'v'.repeat(bytes)))).toBe('STORED\r\n');
      client.send(`get${' k'.repeat(keys)}\r\nmn\r\n`);
      const answer = await client.takeThrough('second\r\n');
      expect(answer.match(/^VALUE/gm)).toHaveLength(keys);
      expect(answer).toMatch(
        /END\r\nSERVER_ERROR too many requests; this token may make 100 per second\r\n$/,
      );
      door.clock.advance(10 * (1 + keys - 100));
      expect(await client.ask('mn\r\n')).toContain('SERVER_ERROR');
      door.clock.advance(20);
      expect(await client.ask('mn\r\n')).toBe('MN\r\n');
    },
  );
});

test('a project has its quota, which may change under an open connection', async () => {
  const credentials = (requestsPerSecond?: number) => ({
    projects: [project(PROJECT, { quotas: { requestsPerSecond } })],
    tokens: [token(TOKEN, [PROJECT])],
  });
  const door = await testDoor({ credentials: credentials(2) });
  const client = await door.signedIn();
  client.send('mn\r\n'.repeat(3));
  expect(await client.takeThrough('second\r\n')).toBe(
    'MN\r\nMN\r\nSERVER_ERROR too many requests; this project may make 2 per second\r\n',
  );
  door.tokens.update(credentials());
  expect(await client.ask('mn\r\n')).toBe('MN\r\n');
});

test('there is no limit unless there is one', async () => {
  const client = await (await testDoor({ credentials: TWO_PROJECTS })).signedIn();
  client.send('mn\r\n'.repeat(10_000));
  expect(await client.take(40_000)).toBe('MN\r\n'.repeat(10_000));
});
