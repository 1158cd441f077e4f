import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ControlError } from '../../../src/cli/control.ts';
import { writeDumpFile } from '../../../src/cli/transfer/dump-file.ts';
import { temporaryDirectory } from '../../support/service.ts';

const { signal } = new AbortController();

test('a file that cannot be written to its end is named, and nothing is left of it', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'dump');
  async function* pieces() {
    yield Buffer.from('{}\n');
    // By now, nothing can have this name.
    mkdirSync(file);
  }
  const error = await writeDumpFile(file, pieces(), signal).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ControlError);
  expect(error.message).toContain(`${file} cannot be written: EISDIR`);
  expect(readdirSync(directory)).toEqual(['dump']);
});

test('what kept the items from coming is told as it is', async () => {
  async function* pieces() {
    yield Buffer.from('{}\n');
    throw new ControlError('it broke off');
  }
  const file = join(temporaryDirectory(), 'dump');
  await expect(writeDumpFile(file, pieces(), signal)).rejects.toThrow(new ControlError('it broke off'));
});

// In a container, every process of its kind may have the same number.
test('what another one left that was killed is in nobody’s way', async () => {
  const file = join(temporaryDirectory(), 'dump');
  async function* pieces() {
    yield Buffer.from('{}\n');
  }
  writeFileSync(join(file, '..', `.dump.${process.pid}.part`), 'half of');
  await writeDumpFile(file, pieces(), signal);
  expect(readFileSync(file, 'utf8')).toBe('{}\n');
});
