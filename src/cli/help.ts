import { helpLineOf, type OptionUsage } from './option-table.ts';
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

/** A paragraph for each command, with its options. */
export function commandLines(): string[] {
  return Object.entries(COMMANDS).flatMap(([name, command]) => {
    const argument = 'argument' in command ? ` ${command.argument}` : '';
    const options = command.options.map((option) => helpLineOf(option, OPTIONS[option]));
    return [`  ${name}${argument}`, `      ${command.about}`, ...options];
  });
}
