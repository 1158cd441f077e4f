import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { type Addresses, Service } from '../../src/service.ts';
import type { TestClock } from './clock.ts';
import { overhear, plant } from './overheard.ts';

export const PROJECT = '4e71843298b1db3f0d00a001';
export const TOKEN = plant('a-token-for-the-tests');

export interface TestService extends Addresses {
  readonly service: Service;
  /** What was logged so far, a JSON line each. */
  readonly log: string[];
  readonly logger: Logger;
  readonly dataDir: string;
  /** A request with the token; the path starts behind the project's. */
  rest(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

export interface TestServiceOptions {
  readonly clock?: TestClock;
  /** Let the service make its project and token, as at a newcomer's first start. */
  readonly firstStart?: true;
  /** Where an earlier start or the command line kept something. */
  readonly dataDir?: string;
}

/** The whole service on free ports, with a data directory of its own; stopped when the test ends. */
export async function startService(
  flags: readonly string[] = [],
  { clock, firstStart, dataDir = temporaryDirectory() }: TestServiceOptions = {},
): Promise<TestService> {
  const log: string[] = [];
  const given = firstStart ? [] : ['--project-id', PROJECT, '--token', TOKEN];
  const own = [...given, '--data-dir', dataDir];
  const result = readConfig(['--http-port', '0', '--memcached-port', '0', ...own, ...flags], {});
  if (!('config' in result)) throw new Error(JSON.stringify(result));
  const logger = pino({ level: result.config.logLevel }, { write: (line: string) => note(log, line) });
  const service = new Service({
    config: result.config,
    logger,
    version: '1.2.3',
    ...(clock ? { clock } : {}),
  });
  const addresses = await service.start();
  onTestFinished(async () => void (await service.stop()));
  const base = `${addresses.protocol}://127.0.0.1:${addresses.httpPort}/1/projects/${PROJECT}/caches`;
  return {
    ...addresses,
    service,
    log,
    logger,
    dataDir,
    rest: (method, path, body, headers = {}) =>
      fetch(base + path, {
        method,
        headers: { authorization: `OAuth ${TOKEN}`, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

function note(log: string[], line: string): void {
  overhear('the log', line);
  log.push(line);
}

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ironcached-test-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
