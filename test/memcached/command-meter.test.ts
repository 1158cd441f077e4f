import { describe, expect, test } from 'vitest';
import { CommandMeter, type Operation } from '../../src/memcached/command-meter.ts';
import { RequestMeter } from '../../src/metrics/request-meter.ts';
import { TWO_PROJECTS, token } from '../support/credentials.ts';
import { Faults, faultyStore } from '../support/faulty-store.ts';
import { PROJECT, signInCommand, testDoor } from '../support/memcached-door.ts';

describe('commands are counted once each', () => {
  function counting() {
    const requests = new RequestMeter('memcached');
    const meter = new CommandMeter(requests, 0);
    const counts = (operation: Operation) => Object.fromEntries(requests.operation(operation).counts);
    return { meter, counts, requests };
  }

  test('as refused or failed where that was noted, also before the command itself was counted', () => {
    const { meter, counts } = counting();
    for (let i = 0; i < 2; i++) meter.refuse('set');
    meter.fail('get');
    meter.fail('get');
    meter.count('set');
    meter.count('get');
    meter.settle(0);
    expect(counts('set')).toEqual({ client_error: 1 });
    expect(counts('get')).toEqual({ server_error: 1 });
    for (let i = 0; i < 2; i++) {
      meter.count('set');
      meter.count('get');
    }
    meter.settle(0);
    meter.settle(0);
    expect(counts('set')).toEqual({ client_error: 2, ok: 1 });
    expect(counts('get')).toEqual({ server_error: 2, ok: 1 });
  });

  test('as refused where their token may not use them, and as failed where that is the service’s fault', async () => {
    const faults = new Faults();
    const credentials = { ...TWO_PROJECTS, tokens: [token('reader', [PROJECT], { permissions: ['read'] })] };
    const door = await testDoor({ credentials, around: (store) => faultyStore(store, faults) });
    const client = await door.signedIn({ token: 'reader' });
    expect(await client.ask('delete k\r\n')).toBe('CLIENT_ERROR this token may not write\r\n');
    expect(await client.ask('get k\r\n')).toBe('END\r\n');
    faults.inject('read', new TypeError('a bug'));
    expect(await client.ask('get k\r\n')).toBe('SERVER_ERROR internal error\r\n');
    const counts = (operation: Operation) => Object.fromEntries(door.requests.operation(operation).counts);
    expect(counts('delete')).toEqual({ client_error: 1 });
    expect(counts('get')).toEqual({ ok: 1, server_error: 1 });
  });

  test('as refused where it was not understood', () => {
    const { meter, counts, requests } = counting();
    meter.count('refused');
    meter.settle(0);
    meter.count('mn');
    meter.count('mn');
    meter.settle(0);
    expect(counts('refused')).toEqual({ client_error: 1 });
    expect(counts('mn')).toEqual({ ok: 2 });
    expect(requests.operation('mn').buckets.reduce((sum, n) => sum + n)).toBe(2);
    expect(requests.operation('refused').buckets.reduce((sum, n) => sum + n)).toBe(1);
  });
});

describe('commands that take long', () => {
  test('are told of together, with whose cache they are about, once a minute', async () => {
    const door = await testDoor({ slowMs: Number.MIN_VALUE });
    const client = await door.connect();
    client.send(`${signInCommand()}get a\r\nget b\r\nmn\r\n`);
    await client.takeThrough('MN\r\n');
    const about = { door: 'memcached', project: PROJECT, cache: 'first-cache' };
    const message = 'slow commands';
    expect(door.logged).toMatchObject([
      { level: 'warn', message, details: { ...about, operation: 'sign_in+get+mn', commands: 4 } },
    ]);
    door.clock.advance(60_000);
    expect(await client.ask('delete a\r\n')).toBe('NOT_FOUND\r\n');
    expect(door.logged.slice(1)).toMatchObject([
      { message, details: { ...about, operation: 'delete', commands: 1 } },
    ]);
  });

  test('are not told of where that is not asked for, nor is a failed sign-in, which takes long on purpose', async () => {
    const door = await testDoor();
    expect(await (await door.signedIn()).ask('get a\r\n')).toBe('END\r\n');
    expect(door.logged).toEqual([]);
    const slow = await testDoor({ slowMs: Number.MIN_VALUE });
    const stranger = await slow.connect();
    expect(await stranger.ask('set oauth 0 0 5\r\nwrong\r\n')).toBe(
      'CLIENT_ERROR authentication failure\r\n',
    );
    expect(slow.logged.map(({ message }) => message)).toEqual(['a sign-in failed']);
  });
});
