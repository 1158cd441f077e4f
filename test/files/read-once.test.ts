import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isReadOnce } from '../../src/files/read-once.ts';
import { temporaryDirectory } from '../support/service.ts';

test('a pipe or a device, such as a terminal, is read once, a file as often as one likes', () => {
  const pipe = join(temporaryDirectory(), 'pipe');
  expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
  const paths = [pipe, '/dev/null', 'package.json'];
  expect(paths.map((path) => isReadOnce(statSync(path)))).toEqual([true, true, false]);
});
