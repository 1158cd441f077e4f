import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runRepair } from '../../src/cli/repair.ts';
import { temporaryDirectory } from '../support/service.ts';

async function run(...args: string[]) {
  let [out, err] = ['', ''];
  const streams = {
    out: { write: (text: string) => (out += text) },
    err: { write: (text: string) => (err += text) },
  };
  return { status: await runRepair(['repair', ...args], streams), out, err };
}

describe('a mistake', () => {
  test.each([
    [['data'], 'there is an argument too many; it takes none'],
    [['--http-port=80'], '--http-port: repair has no such option; see ironcached repair --help'],
    [['--data-dir', 'one', '--data-dir', 'another'], '--data-dir can be given once'],
    [['--data-dir'], '--data-dir needs a value'],
    [['--data-dir='], '--data-dir: "" is not accepted; expected a directory'],
  ])('is told with status 2: %j', async (args, mistake) => {
    expect(await run(...args)).toEqual({ status: 2, out: '', err: `ironcached: ${mistake}\n` });
  });

  test('is not to ask for help', async () => {
    expect(await run('-h')).toMatchObject({
      status: 0,
      out: expect.stringContaining('--data-dir DIR'),
      err: '',
    });
  });
});

// As one of another user does that only its owner may look into.
test('a directory that does not let be looked into is told as such, not as one that is not there', async () => {
  const path = join(temporaryDirectory(), 'data');
  symlinkSync(path, path);
  expect(await run('--data-dir', path)).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^ironcached: ELOOP: .*\n$/),
  });
});
