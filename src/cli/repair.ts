import { stat } from 'node:fs/promises';
import { ItemDirectory } from '../durability/item-directory.ts';
import { repair } from '../durability/repair.ts';
import { itemDirectoryPath } from '../service/open-durability.ts';
import { codeOf, messageOf } from '../thrown.ts';
import { OptionReader, type Reading, tellMistakes } from './option-reader.ts';
import type { Streams } from './run.ts';
import { COMMON_OPTIONS } from './usage.ts';

const HELP = `Usage: ironcached repair [--data-dir DIR]

Writes what is readable of the kept items into a new file, which the next start reads, and keeps the files that
were there as .damaged. Changes that were in what is not readable are lost: what they deleted may be there again.
The service must not run meanwhile. The directory is that of the service (or IRONCACHED_DATA_DIR).
`;

/** Carries out `ironcached repair`; gives the exit status. */
export async function runRepair(args: readonly string[], { out, err }: Streams): Promise<number> {
  const read = readArguments(args.slice(1));
  if ('show' in read) {
    out.write(HELP);
    return 0;
  }
  if ('mistakes' in read) return tellMistakes(read.mistakes, err);
  try {
    out.write(await repaired(itemDirectoryPath(read.config.dataDir)));
    return 0;
  } catch (error) {
    err.write(`ironcached: ${messageOf(error)}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): Reading<undefined> {
  const reader = new OptionReader(args, { 'data-dir': COMMON_OPTIONS['data-dir'] });
  if (reader.asksForHelp) return { show: 'help' };
  reader.refuseOthers(['data-dir'], 'repair');
  reader.refuseRepeated();
  reader.argument(reader.positionals, undefined);
  return reader.reading(undefined, reader.settings());
}

async function repaired(path: string): Promise<string> {
  await stat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(`there is no directory ${path}: give the service's by --data-dir`);
  });
  const result = await repair(await ItemDirectory.open(path));
  if (!result) return `there are no items in ${path}\n`;
  const { file, bytesRead, bytesLost, kept } = result;
  return [
    `${bytesRead} bytes were readable and are in ${file}`,
    `${bytesLost} bytes were not`,
    ...kept.map((name) => `what was there before is in ${name}`),
    '',
  ].join('\n');
}
