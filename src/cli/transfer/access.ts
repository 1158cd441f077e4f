import { readIronAddress, readIronCredentials, type ServiceAddress } from '../../auth/iron-file.ts';
import { hostInUrl } from '../../config/host-address.ts';
import type { Config } from '../../config.ts';
import { type Control, ControlError } from '../control.ts';
import type { Wait } from '../rest-client.ts';
import { ServerControl } from '../server-control.ts';
import { adminToken, configuredAddress } from '../service-access.ts';
import type { Transfer } from './invocation.ts';
import { ItemServer } from './item-server.ts';
import { ProjectTokens } from './project-tokens.ts';

/** How a transfer reaches its service, and by what right. */
export interface Access {
  readonly server: ItemServer;
  readonly tokens: ProjectTokens;
  /** By the admin token. */
  readonly control: () => Promise<Control>;
  /** The project that is meant where none is named. Throws ControlError. */
  readonly project: () => string;
}

/** What was said on the command line comes first, then the settings, then the iron.json in the data directory. */
export async function openAccess(
  transfer: Transfer,
  config: Config,
  { signal, wait }: { signal: AbortSignal; wait: Wait },
): Promise<Access> {
  const iron = await readIronCredentials(config.dataDir);
  const base = transfer.server ?? urlOf((await readIronAddress(config.dataDir)) ?? configuredAddress(config));
  const control = async () => new ServerControl(base, await adminToken(config));
  const tokens = new ProjectTokens({
    given: transfer.token ?? (transfer.allProjects ? undefined : config.token),
    iron,
    control,
    isForAll: transfer.allProjects,
    permission: transfer.command === 'dump' ? 'read' : 'write',
    name: `ironcached ${transfer.command}`,
  });
  const server = new ItemServer({ base, tokenFor: (project) => tokens.tokenFor(project), signal, wait });
  const project = transfer.project ?? config.projectId ?? iron?.projectId;
  return {
    server,
    tokens,
    control,
    project: () => {
      if (project !== undefined) return project;
      throw new ControlError('name the project, by --project ID');
    },
  };
}

function urlOf({ protocol, host, port }: ServiceAddress): URL {
  return new URL(`${protocol}://${hostInUrl(host)}:${port}`);
}
