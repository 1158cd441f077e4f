import { credentialsFilePath } from '../auth/credentials-file.ts';
import { readIronAddress } from '../auth/iron-file.ts';
import type { Config } from '../config.ts';
import { readIfThere } from '../files/private-file.ts';
import { openAccounts } from '../service/open-accounts.ts';
import { messageOf } from '../thrown.ts';
import { type CommandParts, carryOut } from './commands.ts';
import { DirectoryControl } from './directory-control.ts';
import { commandsHelp } from './help.ts';
import { type Invocation, readInvocation } from './invocation.ts';
import { tellMistakes } from './option-reader.ts';
import { ServerControl } from './server-control.ts';
import { addressOf, adminToken, configuredAddress } from './service-access.ts';

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
  const { asked, config } = read;
  try {
    const { out: result, note } = await carryOut(asked, await open(asked, config, err));
    out.write(result);
    if (note !== undefined) err.write(`${note}\n`);
    return 0;
  } catch (error) {
    err.write(`ironcached: ${messageOf(error)}\n`);
    return 1;
  }
}

async function open(
  { server, command }: Invocation,
  config: Config,
  err: Streams['err'],
): Promise<CommandParts> {
  if (server)
    return { control: new ServerControl(server, await adminToken(config)), address: addressOf(server) };
  const log = {
    info: () => {},
    error: (details: { err?: unknown }, message: string) =>
      void err.write(`${message}: ${details.err instanceof Error ? details.err.message : ''}\n`),
  };
  const { credentialsFile, projectId, dataDir } = config;
  const isInDirectory = credentialsFile === undefined && projectId === undefined;
  // Only `project create` makes the files: any other command most likely meant another directory. And where the files
  // are, even empty, a start makes no first project.
  const needsFiles = isInDirectory && command !== 'project create';
  if (needsFiles && (await readIfThere(credentialsFilePath(dataDir))) === undefined) {
    throw new Error(
      `there are no projects and tokens in ${dataDir}: give another directory by --data-dir, start the service there, or create a project first`,
    );
  }
  const parts = { now: Date.now, log, firstProject: false, onChange: () => {} };
  const { accounts } = await openAccounts(config, parts);
  const address = (await readIronAddress(dataDir)) ?? configuredAddress(config);
  return { control: new DirectoryControl(accounts), address };
}
