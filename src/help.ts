import { commandLines, transferLines } from './cli/help.ts';
import { flagOf, settingNames, settings } from './config/settings.ts';

/** What --help prints: every setting with its flag, variable and default. */
export function helpText(version: string): string {
  const rows = settingNames().map((name) => {
    const setting = settings[name];
    const fallback = 'fallback' in setting ? ` [${setting.fallback}]` : '';
    return `  --${flagOf(name)}, ${setting.variable}${fallback}\n      ${setting.about}`;
  });
  return [
    `ironcached ${version}: a self-hosted IronCache, by REST and by memcached's text protocol`,
    '',
    'Usage: ironcached [--setting value ...]',
    '       ironcached project|token COMMAND [--option value ...]',
    '       ironcached dump|load [--option value ...] [FILE]',
    '       ironcached repair [--data-dir DIR]',
    '',
    'Projects and tokens, while the service runs or not (ironcached token --help says more):',
    '',
    ...commandLines(),
    '',
    'Items, out of a running service and into it:',
    '',
    ...transferLines(),
    '',
    'What was kept of the items, where a start refuses to read it (ironcached repair --help says more):',
    '',
    '  repair',
    '      write what is readable anew, and keep what was there',
    '',
    'Settings, as flag or as environment variable, with defaults in brackets:',
    '',
    ...rows,
    '',
    '  --help, -h     this text',
    '  --version, -v  the version',
    '',
  ].join('\n');
}
