import type { OptionUsage } from './option-table.ts';
import { TRANSFER_OPTIONS, TRANSFERS } from './transfer/usage.ts';
import { COMMANDS, COMMON_OPTIONS, OPTIONS } from './usage.ts';

/** What `ironcached project --help` and `ironcached token --help` print. */
export function commandsHelp(): string {
  return [
    'Usage: ironcached COMMAND [--option value ...]',
    '',
    ...commandLines(),
    '',
    'Options of all commands:',
    '',
    ...Object.entries<OptionUsage>(COMMON_OPTIONS).map(
      ([name, { value = '', about }]) => `  ${`--${name} ${value}`.padEnd(19)}  ${about}`,
    ),
    '',
  ].join('\n');
}

/** What `ironcached dump --help` and `ironcached load --help` print. */
export function transferHelp(): string {
  return ['Usage: ironcached dump|load [--option value ...] [FILE]', '', ...transferLines(), ''].join('\n');
}

/** A paragraph for each command that looks after projects and tokens, with its options. */
export function commandLines(): string[] {
  return Object.entries(COMMANDS).flatMap(([name, command]) => {
    const argument = 'argument' in command ? ` ${command.argument}` : '';
    const options = command.options.map((option) => optionLine(option, OPTIONS[option]));
    return [`  ${name}${argument}`, `      ${command.about}`, ...options];
  });
}

/** A paragraph each for dump and load, with their options. */
export function transferLines(): string[] {
  return Object.entries(TRANSFERS).flatMap(([name, { about, options }]) => {
    const lines = options.map((option) => optionLine(option, TRANSFER_OPTIONS[option]));
    return [`  ${name} [FILE]`, `      ${about}`, ...lines];
  });
}

function optionLine(name: string, { value, about }: OptionUsage): string {
  return `      --${name}${value === undefined ? '' : ` ${value}`}: ${about}`;
}
