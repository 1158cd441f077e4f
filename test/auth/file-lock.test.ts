import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { whileLocked } from '../../src/auth/file-lock.ts';
import { temporaryDirectory } from '../support/service.ts';

let path: string;

beforeEach(() => {
  path = join(temporaryDirectory(), 'lock');
});

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

test('lets one do its work at a time, and leaves nothing behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await nextTurn();
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => whileLocked(path, work)));
  expect(most).toBe(1);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('is given back when the work fails', async () => {
  const fail = () => Promise.reject(new Error('the work failed'));
  await expect(whileLocked(path, fail)).rejects.toThrow('the work failed');
  expect(existsSync(path)).toBe(false);
});

test('of a process that was killed is taken over, by one at a time', async () => {
  writeFileSync(path, 'its owner');
  utimesSync(path, ago(60), ago(60));
  let inside = 0;
  const work = async () => {
    expect(++inside).toBe(1);
    await nextTurn();
    inside--;
    return 'done';
  };
  const all = await Promise.all(Array.from({ length: 4 }, () => whileLocked(path, work)));
  expect(all).toEqual(['done', 'done', 'done', 'done']);
  expect(readdirSync(dirname(path))).toEqual([]);
});

test('of a process that was killed while the clock was ahead is taken over, too', async () => {
  writeFileSync(path, 'its owner');
  utimesSync(path, ago(-600), ago(-600));
  expect(await whileLocked(path, async () => 'done')).toBe('done');
});

test('is not taken from one who took it over meanwhile', async () => {
  await whileLocked(path, async () => writeFileSync(path, 'another owner'));
  expect(existsSync(path)).toBe(true);
});
