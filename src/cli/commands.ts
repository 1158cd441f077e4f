import { ironFileText, type ServiceAddress } from '../auth/iron-file.ts';
import {
  type AskedToken,
  type Control,
  ControlError,
  type ShownProject,
  type ShownToken,
} from './control.ts';
import type { Invocation } from './invocation.ts';
import type { CommandName } from './usage.ts';

/** What a command prints: the result, for programs as well, and a word about it for people. */
interface Printed {
  readonly out: string;
  readonly note?: string;
}

export interface CommandParts {
  readonly control: Control;
  /** Where clients find the service, for their iron.json. */
  readonly address: ServiceAddress;
}

type Command = (invocation: Invocation, parts: CommandParts) => Promise<Printed>;

const commands: Record<CommandName, Command> = {
  'project create': createProject,
  'project list': async ({ json }, { control }) => {
    const projects = await control.projects();
    return { out: json ? jsonText({ projects }) : table(PROJECT_COLUMNS, projects.map(projectRow)) };
  },
  'project change': (invocation, parts) => {
    const { name, quotas } = invocation;
    return changeProject(invocation, parts, { ...(name !== undefined && { name }), quotas }, 'is changed');
  },
  'project suspend': (invocation, parts) =>
    changeProject(invocation, parts, { status: 'suspended' }, 'is suspended: nobody may use it'),
  'project resume': (invocation, parts) =>
    changeProject(invocation, parts, { status: 'active' }, 'is in use again'),
  'project delete': async ({ argument: id, json }, { control }) => {
    await control.deleteProject(id);
    return done(json, `the project ${id} is deleted`);
  },
  'token create': createToken,
  'token list': async ({ json, projects: [project] }, { control }) => {
    const all = await control.tokens();
    const tokens = all.filter(({ projects }) => !project || projects === '*' || projects.includes(project));
    return { out: json ? jsonText({ tokens }) : table(TOKEN_COLUMNS, tokens.map(tokenRow)) };
  },
  'token revoke': async ({ argument: id, json }, { control }) => {
    await control.revokeToken(id);
    return done(json, `the token ${id} is revoked`);
  },
};

/** Carries out a command. Throws ControlError. */
export function carryOut(invocation: Invocation, parts: CommandParts): Promise<Printed> {
  return commands[invocation.command](invocation, parts);
}

async function createProject(
  { argument: name, id, quotas, json }: Invocation,
  { control, address }: CommandParts,
) {
  const project = await control.createProject({ name, quotas, ...(id !== undefined && { id }) });
  const asked = { name, projects: [project.id], permissions: ['read', 'write'] } as const;
  const token = await control.createToken(asked);
  if (json) return { out: jsonText({ project, token }) };
  return {
    out: ironFileText({ projectId: project.id, token: token.token }, address),
    note: `made the project ${project.id} and the token ${token.id}; above is their iron.json. The token is shown once.`,
  };
}

async function changeProject(
  { argument: id, json }: Invocation,
  { control }: CommandParts,
  change: Parameters<Control['changeProject']>[1],
  what: string,
): Promise<Printed> {
  const project = await control.changeProject(id, change);
  return { out: json ? jsonText(project) : `the project ${id} ${what}\n` };
}

async function createToken(invocation: Invocation, { control, address }: CommandParts): Promise<Printed> {
  const { argument: name, permissions, expiresInSeconds, json } = invocation;
  const projects = await projectsFor(invocation, control);
  const asked: AskedToken = { name, projects, permissions };
  const token = await control.createToken(
    expiresInSeconds === undefined ? asked : { ...asked, expires_in: expiresInSeconds },
  );
  if (json) return { out: jsonText(token) };
  const [project, another] = projects;
  // An iron.json is for one project, and of no use to whoever may neither read nor write.
  const isForClients =
    projects !== '*' && project && !another && permissions.some((each) => each !== 'admin');
  const out = isForClients
    ? ironFileText({ projectId: project, token: token.token }, address)
    : `${token.token}\n`;
  return { out, note: `made the token ${token.id}, shown above and never again` };
}

async function projectsFor(
  { allProjects, projects }: Invocation,
  control: Control,
): Promise<'*' | readonly string[]> {
  if (allProjects) return '*';
  if (projects.length > 0) return projects;
  const [only, another] = await control.projects();
  if (only && !another) return [only.id];
  throw new ControlError('name the project, by --project ID, or --all-projects');
}

function done(json: boolean, text: string): Printed {
  return { out: json ? jsonText({ msg: 'Deleted.' }) : `${text}\n` };
}

const PROJECT_COLUMNS = ['id', 'name', 'status', 'bytes', 'items', 'requests/s'];
const TOKEN_COLUMNS = ['id', 'name', 'permissions', 'expires', 'projects'];

function projectRow({ id, name, status, quotas }: ShownProject): string[] {
  const { bytes, items, requests_per_second: requests } = quotas;
  return [id, name, status, ...[bytes, items, requests].map((quota) => String(quota ?? '-'))];
}

function tokenRow({ id, name, permissions, expires_at, projects }: ShownToken): string[] {
  const expires = expires_at === null ? 'never' : expiryText(expires_at);
  return [id, name, permissions.join(','), expires, projects === '*' ? 'all' : projects.join(',')];
}

function expiryText(time: string): string {
  return Date.parse(time) <= Date.now() ? `expired ${time}` : time;
}

function table(columns: readonly string[], rows: readonly string[][]): string {
  const lines = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const padded = lines.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${padded.join('\n')}\n`;
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
