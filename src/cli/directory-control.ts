import type { Accounts } from '../auth/accounts.ts';
import {
  type Change,
  CredentialsRefusal,
  changeProject,
  createProject,
  createToken,
  deleteProject,
  revokeToken,
} from '../auth/credential-changes.ts';
import { projectJson, quotaChangesFrom, quotasFrom, tokenJson } from '../auth/credentials-json.ts';
import {
  type AskedChange,
  type AskedProject,
  type AskedToken,
  type Control,
  ControlError,
} from './control.ts';

/** Projects and tokens in the files of a data directory. A service that runs on it notices by itself. */
export class DirectoryControl implements Control {
  readonly #accounts: Accounts;

  constructor(accounts: Accounts) {
    this.#accounts = accounts;
  }

  async createProject({ id, name, quotas }: AskedProject) {
    const asked = { id, name, quotas: quotasFrom(quotas) };
    return projectJson(await this.#change(createProject(asked, Date.now())));
  }

  async projects() {
    return this.#accounts.credentials.projects.map(projectJson);
  }

  async changeProject(id: string, { name, status, quotas = {} }: AskedChange) {
    const change = {
      ...(name !== undefined && { name }),
      ...(status && { suspended: status === 'suspended' }),
      quotas: quotaChangesFrom(quotas),
    };
    return projectJson(await this.#change(changeProject(id, change)));
  }

  async deleteProject(id: string) {
    await this.#change(deleteProject(id));
  }

  async createToken({ expires_in: seconds, ...asked }: AskedToken) {
    const now = Date.now();
    const expiresAt = seconds === undefined ? undefined : now + seconds * 1000;
    const create = createToken({ ...asked, expiresAt }, now, this.#accounts.tokenRules);
    const { token, text } = await this.#change(create);
    return { ...tokenJson(token), token: text };
  }

  async tokens() {
    return this.#accounts.credentials.tokens.map(tokenJson);
  }

  async revokeToken(id: string) {
    await this.#change(revokeToken(id));
  }

  async #change<R>(change: Change<R>): Promise<R> {
    try {
      return await this.#accounts.change(change);
    } catch (error) {
      throw error instanceof CredentialsRefusal ? new ControlError(error.message) : error;
    }
  }
}
