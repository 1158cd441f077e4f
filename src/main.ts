#!/usr/bin/env node
import type { Logger } from 'pino';
import { programOf } from './cli/usage.ts';
import { type Config, forgetTokens, readConfig, tokensIn, unknownVariables } from './config.ts';
import { readVersion } from './package-files.ts';
import { hideCommandLine, tokensOn } from './process/command-line.ts';
import { openLog, switchLevel } from './process/log.ts';
import { endWithOutput } from './process/output-end.ts';
import { Secrets } from './process/secrets.ts';
import { onStopSignals } from './process/stop-signals.ts';
import { Service } from './service.ts';
import { StartError } from './start-error.ts';

const version = readVersion();
const args = process.argv.slice(2);
const program = programOf(args);
const result = program ? undefined : readConfig(args);
// A transfer notices for itself that its output is closed, and the service goes on without its log.
if (program !== 'transfer' && (!result || 'show' in result)) endWithOutput(process);
if (!result) {
  // A transfer may take hours, in which its command line can be read.
  const secrets = new Secrets();
  for (const token of tokensOn(args)) secrets.add(token);
  hideCommandLine(secrets);
  // Loaded only where it is needed, here and below, to keep the start short.
  const { runProgram } = await import('./cli/program.ts');
  process.exitCode = await runProgram(args);
} else if ('show' in result) {
  const { helpText } = await import('./help.ts');
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
  for (const name of unknownVariables()) logger.warn(`${name} is no setting, and has no effect; see --help`);
  try {
    const service = new Service({ config, logger, version });
    obeySignals(service, { logger, config });
    const addresses = await service.start();
    if (service.plain) secrets.add(service.plain.token);
    if (forPeople) {
      // The terminal may have been closed meanwhile.
      process.stdout.on('error', () => {});
      const { welcome } = await import('./service/welcome.ts');
      process.stdout.write(`${welcome(version, addresses, service)}\n`);
    }
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`ironcached: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function obeySignals(service: Service, { logger, config }: { logger: Logger; config: Config }): void {
  process.on('SIGHUP', () => {
    service.reloadCertificate();
    void service.reloadCredentials();
  });
  // Windows has no such signal. SIGUSR1 is Node's own: it opens the debugger.
  if (process.platform !== 'win32') process.on('SIGUSR2', () => switchLevel(logger, config.logLevel));
  const stop = async (signal: string) => {
    logger.info({ signal }, 'stopping; the same again ends it at once');
    const isKept = await service.stop();
    logger.info('stopped');
    // A peer that keeps its half of a connection open is no reason to stay.
    process.exit(isKept ? 0 : 1);
  };
  onStopSignals(stop, (signal) => {
    logger.warn({ signal }, 'stopping at once');
    process.exit(1);
  });
}

// Errors in a request are caught there. One that gets here leaves an unknown state: better to start anew, with
// a line that says where it was.
function endOnBug(logger: Logger): void {
  process.on('uncaughtException', (err, origin) => {
    logger.fatal({ err, origin }, 'ironcached ends because of an error that nothing caught; this is a bug');
    process.exit(70);
  });
}
