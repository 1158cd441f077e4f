import { type Level, type Logger, pino } from 'pino';
import type { Secrets } from './secrets.ts';

interface LogParts {
  readonly level: Level | 'silent';
  /** Coloured lines for a person at a terminal, instead of JSON. */
  readonly forPeople: boolean;
  /** What no line may hold, whatever went wrong. */
  readonly secrets: Secrets;
}

/** What may wait while the log cannot be written; further lines are dropped. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** The log of the whole program, on standard output. */
export function openLog({ level, forPeople, secrets }: LogParts): Logger {
  const options = { level, hooks: { streamWrite: (line: string) => secrets.hide(line) } };
  return pino(options, forPeople ? terminal() : standardOutput());
}

// It may be closed, and the service goes on.
function terminal() {
  const output = pino.transport({ target: 'pino-pretty', options: { ignore: 'pid,hostname' } });
  return output.on('error', NOTHING);
}

// Where the log cannot be written (a full disk), the service goes on without it, and each line tries again. By itself,
// pino would throw an error that nobody catches, then try for ever to log that.
function standardOutput() {
  const output = pino.destination({ dest: 1, sync: true, maxLength: WAITING_BYTES_MAX });
  output.on('error', NOTHING);
  // There is nothing to flush: each line is written at once.
  output.flushSync = NOTHING;
  return output;
}

const NOTHING = () => undefined;

/** Switches to debug, which logs every request, and back with the next call. */
export function switchLevel(logger: Logger, usual: Level | 'silent'): void {
  const next = logger.level === 'debug' ? usual : 'debug';
  logger.level = 'debug';
  logger.info(`the log level is ${next} now`);
  logger.level = next;
}
