import { existsSync } from 'node:fs';
import { Accounts, type AccountsParts } from '../auth/accounts.ts';
import type { TokenRules } from '../auth/credential-changes.ts';
import type { Credentials, Token } from '../auth/credentials.ts';
import { adminTokenPath, openDirectory, readCredentialsFile } from '../auth/credentials-file.ts';
import { idFromName } from '../auth/credentials-json.ts';
import { type PlainCredentials, readIronFile } from '../auth/iron-file.ts';
import { hashToken } from '../auth/token-book.ts';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';

interface OpenAccounts {
  readonly accounts: Accounts;
  /** The first project with its token, where the token's text is known: to show, or to sign in with. */
  readonly plain: PlainCredentials | undefined;
  /** The file with the admin token, where the service made one. */
  readonly adminTokenPath?: string | undefined;
}

interface OpenAccountsParts extends Pick<AccountsParts, 'onChange' | 'hasItems' | 'deletionsKept' | 'log'> {
  readonly now: () => number;
  /** Make a first project where a data directory has nothing yet. */
  readonly firstProject: boolean;
}

/** The projects and tokens, from where the settings say: given, in a file of its owner, or in the data directory. */
export async function openAccounts(
  config: Config,
  { now, firstProject, ...parts }: OpenAccountsParts,
): Promise<OpenAccounts> {
  const { projectId, token, credentialsFile, dataDir, adminToken } = config;
  const tokenRules = tokenRulesOf(config);
  if (projectId !== undefined && token !== undefined) {
    const readOnly = `${settings.projectId.variable} and ${settings.token.variable} give the one project and its token: change them there.`;
    const given = givenCredentials({ projectId, token });
    return { accounts: new Accounts({ ...parts, given, readOnly }), plain: { projectId, token } };
  }
  if (credentialsFile !== undefined) {
    const readOnly = `The projects and tokens are kept in a file that is not changed here (${settings.credentialsFile.variable}): change them there.`;
    const file = await readCredentialsFile(credentialsFile, tokenRules.elsewhere);
    return { accounts: new Accounts({ ...parts, file, readOnly, tokenRules }), plain: undefined };
  }
  const options = { firstProject, adminToken: adminToken === undefined, now: now() };
  const file = await openDirectory(dataDir, options);
  if (file.unwritable) {
    const message =
      'the credentials file has an older form and cannot be written anew: no change will be kept';
    parts.log.error({ err: file.unwritable }, message);
  }
  const accounts = new Accounts({ ...parts, file, tokenRules });
  const path = adminTokenPath(dataDir);
  return {
    accounts,
    plain: await readIronFile(dataDir, file.credentials),
    adminTokenPath: existsSync(path) ? path : undefined,
  };
}

/** The admin token that was given from outside, as one among the others. */
export function givenAdminToken({ adminToken }: Config): Token[] {
  if (adminToken === undefined) return [];
  const { variable: name } = settings.adminToken;
  return [{ ...tokenOf(name, adminToken), projects: '*', permissions: ['admin'] }];
}

function tokenRulesOf(config: Config): TokenRules {
  return {
    elsewhere: givenAdminToken(config),
    tokensMax: config.maxTokens,
    advice: `Revoke one that is no longer used or has expired, or raise ${settings.maxTokens.variable}.`,
  };
}

function givenCredentials({ projectId: id, token }: PlainCredentials): Credentials {
  return {
    projects: [{ id, name: id, suspended: false, quotas: {} }],
    tokens: [{ ...tokenOf(settings.token.variable, token), projects: [id], permissions: ['read', 'write'] }],
  };
}

function tokenOf(name: string, text: string) {
  return { id: idFromName(name), name, hash: hashToken(text), expiresAt: Number.POSITIVE_INFINITY };
}
