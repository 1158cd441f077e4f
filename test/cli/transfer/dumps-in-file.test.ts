import { expect, test } from 'vitest';
import { ControlError } from '../../../src/cli/control.ts';
import { dumpsIn } from '../../../src/cli/transfer/dumps-in-file.ts';

const LINE_BYTES_MAX = 100;

const FIRST = '{"format":"ironcached items","version":1}\n';
const ITEM = '{"key":"a","value":"1"}\n';
const END = '{"end":true,"items":1}\n';
const WITHOUT_END = 'x'.repeat(LINE_BYTES_MAX + 1);

/** Reads all dumps of a file that comes in these pieces. */
async function readAll(pieces: readonly string[]): Promise<void> {
  async function* bytes() {
    for (const piece of pieces) yield Buffer.from(piece);
  }
  const dumps = dumpsIn(bytes(), () => {}, LINE_BYTES_MAX);
  for await (const dump of dumps) {
    for await (const _ of dump.pieces);
  }
}

// As an error of another kind it would be taken for one of the service that the lines go to.
test.each([
  [1, [WITHOUT_END]],
  [1, [...WITHOUT_END]],
  [3, [FIRST + ITEM, WITHOUT_END]],
  [4, [FIRST + ITEM + END + WITHOUT_END]],
])('a line without an end is told with its number: %i', async (line, pieces) => {
  await expect(readAll(pieces)).rejects.toThrow(
    new ControlError(`line ${line} is longer than ${LINE_BYTES_MAX} bytes`),
  );
});
