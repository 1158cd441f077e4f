import { helpLineOf } from '../option-table.ts';
import { TRANSFER_OPTIONS, TRANSFERS } from './usage.ts';

/** What `ironcached dump --help` and `ironcached load --help` print. */
export function transferHelp(): string {
  return ['Usage: ironcached dump|load [--option value ...] [FILE]', '', ...transferLines(), ''].join('\n');
}

/** A paragraph for each command, with its options. */
export function transferLines(): string[] {
  return Object.entries(TRANSFERS).flatMap(([name, { about, options }]) => {
    const lines = options.map((option) => helpLineOf(option, TRANSFER_OPTIONS[option]));
    return [`  ${name} [FILE]`, `      ${about}`, ...lines];
  });
}
