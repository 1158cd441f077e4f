#!/usr/bin/env node
import { type Logger, pino } from 'pino';
import { readConfig } from './config.ts';
import { helpText } from './help.ts';
import { Service } from './service.ts';
import { StartError } from './start-error.ts';
import { readVersion } from './version.ts';
import { welcome } from './welcome.ts';

const version = readVersion();
const result = readConfig();
if ('show' in result) {
  process.stdout.write(result.show === 'help' ? helpText(version) : `${version}\n`);
} else if ('mistakes' in result) {
  process.stderr.write(`ironcached cannot start:\n${result.mistakes.map((line) => `  ${line}\n`).join('')}`);
  process.exitCode = 2;
} else {
  const { config } = result;
  const forPeople = process.stdout.isTTY;
  const logger = pino({
    level: config.logLevel,
    ...(forPeople ? { transport: { target: 'pino-pretty', options: { ignore: 'pid,hostname' } } } : {}),
  });
  endOnBug(logger);
  try {
    const service = new Service({ config, logger, version });
    stopOnSignal(service, logger);
    const addresses = await service.start();
    if (forPeople) process.stdout.write(`${welcome(version, addresses, service.plain, service.warnings)}\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`ironcached: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function stopOnSignal(service: Service, logger: Logger): void {
  let isStopping = false;
  process.on('SIGHUP', () => {
    service.reloadCertificate();
    void service.reloadCredentials();
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, async () => {
      if (isStopping) {
        logger.warn({ signal }, 'stopping at once');
        process.exit(1);
      }
      isStopping = true;
      logger.info({ signal }, 'stopping; the same again ends it at once');
      await service.stop();
      logger.info('stopped');
      // A peer that keeps its half of a connection open is no reason to stay.
      process.exit(0);
    });
  }
}

// What is thrown while a request is answered never gets here. Whatever does leaves a state that nobody
// knows: better to start anew, with a line that says where it was.
function endOnBug(logger: Logger): void {
  process.on('uncaughtException', (err, origin) => {
    logger.fatal({ err, origin }, 'ironcached ends because of an error that nothing caught; this is a bug');
    process.exit(70);
  });
}
