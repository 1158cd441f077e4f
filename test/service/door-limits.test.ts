import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { httpLimits, memcachedLimits, openTogether, signInLimits } from '../../src/service/door-limits.ts';

const SETTINGS = {
  'max-item-size': '11kb',
  'max-connections': 12,
  'max-connections-per-address': 13,
  'stall-timeout': 14,
  'tls-handshake-timeout': 15,
  'http-max-header-size': '16kb',
  'http-max-unanswered': '65kb',
  'http-request-timeout': 18,
  'http-keep-alive-timeout': 19,
  'memcached-idle-timeout': 20,
  'memcached-request-timeout': 21,
  'memcached-max-line': '22kb',
  'memcached-max-unanswered': '66kb',
  'sign-in-timeout': 24,
  'sign-in-attempts': 25,
  'sign-in-attempts-per-address': 26,
  'sign-in-refusal': 27,
  'sign-in-delay': 28,
};

test('each setting is the limit that it is named for, in milliseconds or bytes', () => {
  const flags = Object.entries(SETTINGS).map(([name, value]) => `--${name}=${value}`);
  const read = readConfig(flags, {});
  if (!('config' in read)) throw new Error(JSON.stringify(read));
  const { config } = read;
  const together = openTogether();
  const shared = {
    connections: { max: 12, perAddressMax: 13, together },
    stallTimeoutMs: 14_000,
    handshakeTimeoutMs: 15_000,
  };
  expect(httpLimits(config, together)).toEqual({
    ...shared,
    bodyBytesMax: 11 * 1024,
    headerBytesMax: 16 * 1024,
    unansweredBytesMax: 65 * 1024,
    requestTimeoutMs: 18_000,
    keepAliveTimeoutMs: 19_000,
  });
  expect(memcachedLimits(config, together)).toEqual({
    ...shared,
    idleTimeoutMs: 20_000,
    requestTimeoutMs: 21_000,
    signInTimeoutMs: 24_000,
    lineBytesMax: 22 * 1024,
    unansweredBytesMax: 66 * 1024,
    signInFailuresMax: 25,
  });
  expect(signInLimits(config)).toEqual({ failuresPerAddressMax: 26, refusalMs: 27_000, delayMs: 28_000 });
});
