import { helpLineOf } from './option-table.ts';
import { COMMANDS, OPTIONS } from './usage.ts';

/** What `ironcached project --help` and `ironcached token --help` print. */
export function commandsHelp(): string {
  return [
    'Usage: ironcached COMMAND [--option value ...]',
    '',
    ...commandLines(),
    '',
    'Options of all commands:',
    '',
    '  --json               print JSON, as the REST interface answers it',
    '  --data-dir DIR       the data directory of the service, which may run or not (or IRONCACHED_DATA_DIR)',
    '  --server URL         go through a running service instead, like http://127.0.0.1:8080',
    '  --admin-token TOKEN  for --server (or IRONCACHED_ADMIN_TOKEN; else the one in the data directory)',
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
