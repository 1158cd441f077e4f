#!/usr/bin/env node
import type { Logger } from 'pino';
import { isInvocation } from './cli/invocation.ts';
import { isRepair, runRepair } from './cli/repair.ts';
import { runCommand } from './cli/run.ts';
import { isTransfer } from './cli/transfer/invocation.ts';
import { runTransfer } from './cli/transfer/run.ts';
import { hideCommandLine } from './command-line.ts';
import { type Config, forgetTokens, readConfig, tokensIn } from './config.ts';
import { helpText } from './help.ts';
import { openLog, switchLevel } from './log.ts';
import { Secrets } from './secrets.ts';
import { Service } from './service.ts';
import { StartError } from './start-error.ts';
import { readVersion } from './version.ts';
import { welcome } from './welcome.ts';

const version = readVersion();
const args = process.argv.slice(2);
const isCommand = isInvocation(args) || isTransfer(args) || isRepair(args);
const result = isCommand ? undefined : readConfig(args);
if (!result) {
  process.exitCode = await carryOut();
} else if ('show' in result) {
  process.stdout.write(result.show === 'help' ? helpText(version) : `${version}\n`);
} else if ('mistakes' in result) {
  process.stderr.write(`ironcached cannot start:\n${result.mistakes.map((line) => `  ${line}\n`).join('')}`);
  process.exitCode = 2;
} else {
  const { config } = result;
  const forPeople = process.stdout.isTTY;
  const secrets = new Secrets();
  for (const token of tokensIn(config)) secrets.add(token);
  forgetTokens();
  const logger = openLog({ level: config.logLevel, forPeople, secrets });
  endOnBug(logger);
  if (hideCommandLine(secrets)) {
    logger.warn('a token was given as a flag, which other users may have seen: give it as a variable');
  }
  try {
    const service = new Service({ config, logger, version });
    obeySignals(service, { logger, config });
    const addresses = await service.start();
    if (service.plain) secrets.add(service.plain.token);
    if (forPeople) process.stdout.write(`${welcome(version, addresses, service)}\n`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`ironcached: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function carryOut(): Promise<number> {
  const { stdin, stdout, stderr } = process;
  if (isRepair(args)) return runRepair(args, { out: stdout, err: stderr });
  if (!isTransfer(args)) return runCommand(args, { out: stdout, err: stderr });
  const interruption = new AbortController();
  // The same again ends it at once.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort(signal));
  return runTransfer(args, { in: stdin, out: stdout, err: stderr }, interruption.signal);
}

function obeySignals(service: Service, { logger, config }: { logger: Logger; config: Config }): void {
  let isStopping = false;
  process.on('SIGHUP', () => {
    service.reloadCertificate();
    void service.reloadCredentials();
  });
  // Windows has no such signal. SIGUSR1 is Node's own: it opens the debugger.
  if (process.platform !== 'win32') process.on('SIGUSR2', () => switchLevel(logger, config.logLevel));
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
