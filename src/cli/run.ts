import { readFile } from 'node:fs/promises';
import { adminTokenPath } from '../auth/credentials-file.ts';
import { readIronAddress, type ServiceAddress } from '../auth/iron-file.ts';
import { type Config, readConfig, settings } from '../config.ts';
import { reachableHost } from '../host-address.ts';
import { openAccounts } from '../open-accounts.ts';
import { type CommandParts, carryOut } from './commands.ts';
import { ControlError } from './control.ts';
import { DirectoryControl } from './directory-control.ts';
import { commandsHelp } from './help.ts';
import { type Invocation, readInvocation } from './invocation.ts';
import { ServerControl } from './server-control.ts';

/** Where a command's output goes: results, and words for people. */
export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
}

/** Carries out `ironcached project …` and `ironcached token …`; gives the exit status. */
export async function runCommand(args: readonly string[], { out, err }: Streams): Promise<number> {
  const read = readInvocation(args);
  if ('show' in read) {
    out.write(commandsHelp());
    return 0;
  }
  if ('mistakes' in read) return tellMistakes(read.mistakes, err);
  const config = readConfig(read.invocation.settings);
  if (!('config' in config)) return tellMistakes('mistakes' in config ? config.mistakes : [], err);
  try {
    const { out: result, note } = await carryOut(
      read.invocation,
      await open(read.invocation, config.config, err),
    );
    out.write(result);
    if (note !== undefined) err.write(`${note}\n`);
    return 0;
  } catch (error) {
    err.write(`ironcached: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function tellMistakes(mistakes: readonly string[], err: Streams['err']): number {
  err.write(mistakes.map((mistake) => `ironcached: ${mistake}\n`).join(''));
  return 2;
}

async function open({ server }: Invocation, config: Config, err: Streams['err']): Promise<CommandParts> {
  if (server)
    return { control: new ServerControl(server, await adminToken(config)), address: addressOf(server) };
  const log = {
    info: () => {},
    error: (details: { err?: unknown }, message: string) =>
      void err.write(`${message}: ${details.err instanceof Error ? details.err.message : ''}\n`),
  };
  const now = Date.now;
  const { accounts } = await openAccounts(config, { now, log, firstProject: false, onChange: () => {} });
  const address = (await readIronAddress(config.dataDir)) ?? configuredAddress(config);
  return { control: new DirectoryControl(accounts, now), address };
}

async function adminToken({ adminToken, dataDir }: Config): Promise<string> {
  if (adminToken !== undefined) return adminToken;
  try {
    return (await readFile(adminTokenPath(dataDir), 'utf8')).trim();
  } catch {
    const { variable } = settings.adminToken;
    throw new ControlError(
      `an admin token is needed: ${variable}, --admin-token, or the file that ${settings.dataDir.variable} has`,
    );
  }
}

function addressOf({ protocol, hostname, port }: URL): ServiceAddress {
  const isTls = protocol === 'https:';
  const host = hostname.replace(/^\[|\]$/g, '');
  return { protocol: isTls ? 'https' : 'http', host, port: Number(port) || (isTls ? 443 : 80) };
}

function configuredAddress({ httpHost, httpPort, tlsCert }: Config): ServiceAddress {
  return {
    protocol: tlsCert === undefined ? 'http' : 'https',
    host: reachableHost(httpHost),
    port: httpPort,
  };
}
