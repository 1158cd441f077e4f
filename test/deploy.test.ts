import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingNames, settings } from '../src/config/settings.ts';

const files = ['deploy/systemd/ironcached.service', 'deploy/kubernetes/ironcached.yaml'];

function textOf(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
}

function numberIn(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1]);
}

test.each(files)('%s names settings that exist', (file) => {
  const variables = settingNames().map((name): string => settings[name].variable);
  const named = textOf(file).match(/\bIRONCACHED_[A-Z_]+\b/g) ?? [];
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((name) => !variables.includes(name))).toEqual([]);
});

test('compose passes on every setting that needs no port and no file of its own', () => {
  const needed = /(?:_HOST|_FILE|_DIR|_BIND|_TLS_PORT|_CLIENT_CA|_CLIENT_AUTH|_CLIENTS)$/;
  const passed: string[] = textOf('docker-compose.yml').match(/(?<=^ {6}- )IRONCACHED_[A-Z_]+/gm) ?? [];
  const all = settingNames().map((name): string => settings[name].variable);
  expect(passed.filter((name) => !all.includes(name))).toEqual([]);
  expect(all.filter((name) => !needed.test(name) && !passed.includes(name))).toEqual([]);
});

test('whoever stops the service gives it the time that it takes', () => {
  const [unit = '', manifest = ''] = files.map(textOf);
  const stopTimeout = Number(settings.stopTimeout.fallback);
  expect(numberIn(unit, /^TimeoutStopSec=(\d+)$/m)).toBeGreaterThan(stopTimeout);
  const delay = numberIn(manifest, /IRONCACHED_STOP_DELAY, value: "(\d+)"/);
  expect(numberIn(manifest, /terminationGracePeriodSeconds: (\d+)/)).toBeGreaterThan(delay + stopTimeout);
});

test('there are file descriptors for as many connections as there may be', () => {
  const limit = numberIn(textOf('deploy/systemd/ironcached.service'), /^LimitNOFILE=(\d+)$/m);
  expect(limit).toBeGreaterThan(2 * Number(settings.maxConnections.fallback) + 128);
});

test('image, unit and benchmark ask for large pages alike', () => {
  const tunables = 'glibc.malloc.hugetlb=1';
  expect(textOf('Dockerfile')).toContain(`GLIBC_TUNABLES=${tunables}\n`);
  expect(textOf('deploy/systemd/ironcached.service')).toContain(`\nEnvironment=GLIBC_TUNABLES=${tunables}\n`);
  expect(textOf('test/bench/servers.mjs')).toContain(`'${tunables}'`);
});
