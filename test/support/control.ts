import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startService, type TestService, type TestServiceOptions } from './service.ts';

interface ControlAnswer {
  readonly status: number;
  // Tests compare it as a whole, or name the members that they expect.
  readonly json: Record<string, unknown>;
}

/** A service that keeps its projects and tokens, with the admin token of its first start. */
export interface ControlledService extends TestService {
  readonly adminToken: string;
  /** A request of the control plane; the path starts behind /1. */
  control(method: string, path: string, body?: unknown, token?: string): Promise<ControlAnswer>;
  /** Makes a project and says its id. */
  project(members?: object): Promise<string>;
  /** Makes a token for a project, and says its text and its id. */
  token(project: string | readonly string[] | '*', members?: object): Promise<{ text: string; id: string }>;
}

export async function startControlled(
  flags: readonly string[] = [],
  options: Omit<TestServiceOptions, 'firstStart'> = {},
): Promise<ControlledService> {
  const service = await startService(flags, { ...options, firstStart: true });
  const adminToken = readFileSync(join(service.dataDir, 'admin-token'), 'utf8').trim();
  const control: ControlledService['control'] = async (method, path, body, token = adminToken) => {
    const response = await fetch(`${service.protocol}://127.0.0.1:${service.httpPort}/1${path}`, {
      method,
      headers: { authorization: `OAuth ${token}` },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const made = async (path: string, body: object) => {
    const { status, json } = await control('POST', path, body);
    if (status !== 200) throw new Error(`${path}: ${status} ${JSON.stringify(json)}`);
    return json;
  };
  return {
    ...service,
    adminToken,
    control,
    project: async (members = {}) =>
      String((await made('/projects', { name: 'a project', ...members }))['id']),
    token: async (project, members = {}) => {
      const projects = project === '*' || typeof project !== 'string' ? project : [project];
      const { token, id } = await made('/tokens', { name: 'a token', projects, ...members });
      return { text: String(token), id: String(id) };
    },
  };
}
