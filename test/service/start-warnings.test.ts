import { describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { isEasilyGuessed, startWarnings } from '../../src/service/start-warnings.ts';

const PRIVATE = { protocol: 'http', httpHost: '127.0.0.1', memcachedHost: '10.1.2.3', bound: [] } as const;

function warningsOf(flags: readonly string[], doors: Partial<Parameters<typeof startWarnings>[1]> = {}) {
  const result = readConfig(['--max-connections=1', ...flags], {});
  if (!('config' in result)) throw new Error(JSON.stringify(result));
  return startWarnings(result.config, { ...PRIVATE, ...doors });
}

const given = (token: string) => ['--project-id', '0'.repeat(24), '--token', token];

test('there is nothing to warn of in private', () => {
  expect(warningsOf(given('8f1c0a53e7d94b62'))).toEqual([]);
});

describe('a token', () => {
  test.each([
    'changeme',
    'password',
    'secret-token-1234',
    'ironcached-test-token',
    'aaaaaaaaaaaaaaaaaaaaaaaa',
    '12121212121212121212',
    'x7Gq2mPz',
  ])('is easy to guess: %s', (token) => {
    expect(isEasilyGuessed(token)).toBe(true);
    expect(warningsOf(given(token))).toEqual([
      'IRONCACHED_TOKEN is EASY TO GUESS; make a random one: openssl rand -hex 24',
    ]);
  });

  test.each(['0e7ac198d2a34f6b', 'zT9wQ-4vLm_2RkXe8sHb', '5f8c9b1e-7d3a-4c62-9e10-b4f7a2d68c35'])(
    'is not: %s',
    (token) => {
      expect(isEasilyGuessed(token)).toBe(false);
    },
  );
});

test('a token for the metrics that is easy to guess is named, too', () => {
  expect(warningsOf(['--metrics-token=metrics-metrics'])).toEqual([
    'IRONCACHED_METRICS_TOKEN is EASY TO GUESS; make a random one: openssl rand -hex 24',
  ]);
});

test('changes that are not brought to disk before they are acknowledged, though this was asked for', () => {
  const always = 'IRONCACHED_FSYNC=always does nothing without IRONCACHED_DURABILITY=log';
  for (const mode of ['none', 'snapshot']) {
    expect(warningsOf(['--fsync=always', `--durability=${mode}`])).toEqual([expect.stringContaining(always)]);
  }
  expect(warningsOf(['--fsync=always', '--durability=log'])).toEqual([]);
});

test('metrics that are public are named', () => {
  expect(warningsOf(['--metrics-host=0.0.0.0'], { metricsPort: 9121 })).toEqual([
    '0.0.0.0:9121 tells the metrics WITHOUT A TOKEN to whoever reaches it',
  ]);
  expect(warningsOf(['--metrics-host=0.0.0.0'])).toEqual([]);
  expect(warningsOf([], { metricsPort: 9121 })).toEqual([]);
});

test('doors that are public without TLS, or without sign-in, are named', () => {
  const doors = { httpHost: '0.0.0.0', memcachedHost: '::' };
  expect(warningsOf([], doors)).toEqual([
    'REST listens on 0.0.0.0 without TLS: tokens and values can be read on the way',
    'memcached listens on :: without TLS: tokens and values can be read on the way',
  ]);
  expect(warningsOf([], { ...doors, protocol: 'https' })).toEqual([
    'memcached listens on :: without TLS: tokens and values can be read on the way',
  ]);
  const bound = [
    { host: '127.0.0.1', port: 1, cacheName: 'private' },
    { host: '192.0.2.1', port: 2, cacheName: 'c' },
  ];
  expect(warningsOf([], { bound })).toEqual([
    '192.0.2.1:2 serves the cache c WITHOUT SIGN-IN to whoever reaches it',
  ]);
});
