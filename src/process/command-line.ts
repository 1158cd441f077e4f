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

const TOKEN_FLAG = /^--(?:[a-z]+-)?token(?:=(.+))?$/s;

/** What a command line names as tokens, whether they can be such or not. */
export function tokensOn(args: readonly string[]): string[] {
  return args.flatMap((arg, i) => {
    const flag = TOKEN_FLAG.exec(arg);
    return flag ? (flag[1] ?? args[i + 1] ?? []) : [];
  });
}
