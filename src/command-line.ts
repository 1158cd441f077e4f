import type { Secrets } from './secrets.ts';

/**
 * Takes secrets out of the command line as other users of this machine see it. True: there were some.
 * Node keeps a copy for its diagnostic reports, which cannot be changed.
 */
export function hideCommandLine(secrets: Secrets): boolean {
  const given = process.argv.join(' ');
  const shown = secrets.hide(given);
  if (shown === given) return false;
  process.title = shown;
  return true;
}
