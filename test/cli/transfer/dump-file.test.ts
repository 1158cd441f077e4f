import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { ControlError } from '../../../src/cli/control.ts';
import { writeDump, writeDumpFile } from '../../../src/cli/transfer/dump-file.ts';
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

test('a directory is told to be none, and what to name', async () => {
  const directory = temporaryDirectory();
  async function* pieces() {
    yield Buffer.from('{}\n');
  }
  await expect(writeDumpFile(directory, pieces(), signal)).rejects.toThrow(
    new ControlError(`${directory} is a directory: name a file in it`),
  );
  expect(readdirSync(directory)).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('a device that takes no more is named', async () => {
  async function* pieces() {
    yield Buffer.from('{}\n');
  }
  await expect(writeDumpFile('/dev/full', pieces(), signal)).rejects.toThrow(
    new ControlError('/dev/full cannot be written: ENOSPC: no space left on device, write'),
  );
});

test('standard output that takes no more is named', async () => {
  async function* pieces() {
    yield Buffer.from('{}\n');
  }
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' });
  const output = new Writable({ write: (_chunk, _encoding, done) => done(full) });
  await expect(writeDump(output, pieces(), signal)).rejects.toThrow(
    new ControlError('standard output cannot be written: ENOSPC: no space left'),
  );
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
