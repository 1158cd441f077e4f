import type { projectJson, QuotasJson, tokenJson } from '../auth/credentials-json.ts';
import type { Permission } from '../auth/permissions.ts';

export type ShownProject = ReturnType<typeof projectJson>;
export type ShownToken = ReturnType<typeof tokenJson>;

export interface AskedProject {
  readonly id?: string;
  readonly name: string;
  readonly quotas: QuotasJson;
}

export interface AskedChange {
  readonly name?: string;
  readonly status?: 'active' | 'suspended';
  readonly quotas?: QuotasJson;
}

export interface AskedToken {
  readonly name: string;
  readonly projects: '*' | readonly string[];
  readonly permissions: readonly Permission[];
  readonly expires_in?: number;
}

/** Where projects and tokens are looked after: in a data directory, or by a running service. */
export interface Control {
  createProject(asked: AskedProject): Promise<ShownProject>;
  projects(): Promise<ShownProject[]>;
  changeProject(id: string, change: AskedChange): Promise<ShownProject>;
  deleteProject(id: string): Promise<void>;
  /** With the text of the token. */
  createToken(asked: AskedToken): Promise<ShownToken & { token: string }>;
  tokens(): Promise<ShownToken[]>;
  revokeToken(id: string): Promise<void>;
}

/** What was asked for cannot be done, for a reason that the message says. */
export class ControlError extends Error {
  override readonly name = 'ControlError';
}
