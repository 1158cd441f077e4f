import { type Level, type Logger, pino } from 'pino';
import type { Secrets } from './secrets.ts';

export interface LogParts {
  readonly level: Level | 'silent';
  /** Coloured lines for a person at a terminal, instead of JSON. */
  readonly forPeople: boolean;
  /** What no line may hold, whatever went wrong. */
  readonly secrets: Secrets;
}

/** The log of the whole program, on standard output. */
export function openLog({ level, forPeople, secrets }: LogParts): Logger {
  return pino({
    level,
    hooks: { streamWrite: (line) => secrets.hide(line) },
    ...(forPeople ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } } : {}),
  });
}

/** Logs more, each request for one, until the next call. */
export function switchLevel(logger: Logger, usual: Level | 'silent'): void {
  const next = logger.level === 'debug' ? usual : 'debug';
  logger.level = 'debug';
  logger.info(`the log level is ${next} now`);
  logger.level = next;
}
