import { adminTokenPath } from '../auth/credentials-file.ts';
import type { ServiceAddress } from '../auth/iron-file.ts';
import { reachableInUrl } from '../config/host-address.ts';
import { settings } from '../config/settings.ts';
import type { Config } from '../config.ts';
import { readIfThere } from '../files/private-file.ts';
import { messageOf } from '../thrown.ts';
import { ControlError } from './control.ts';

/** The token by which projects and tokens of a running service are looked after. Throws ControlError. */
export async function adminToken({ adminToken, dataDir }: Config): Promise<string> {
  const token = adminToken ?? (await readToken(adminTokenPath(dataDir)));
  if (token !== undefined) return token;
  const { variable } = settings.adminToken;
  throw new ControlError(
    `an admin token is needed: ${variable}, --admin-token, or the file that ${settings.dataDir.variable} has`,
  );
}

async function readToken(path: string): Promise<string | undefined> {
  try {
    return (await readIfThere(path))?.trim();
  } catch (error) {
    throw new ControlError(`the admin token cannot be read: ${messageOf(error)}`);
  }
}

export function addressOf({ protocol, hostname, port }: URL): ServiceAddress {
  const isTls = protocol === 'https:';
  return { protocol: isTls ? 'https' : 'http', host: hostname, port: Number(port) || (isTls ? 443 : 80) };
}

/** Where a service with these settings is found. */
export function configuredAddress({ httpHost, httpPort, tlsCert }: Config): ServiceAddress {
  return {
    protocol: tlsCert === undefined ? 'http' : 'https',
    host: reachableInUrl(httpHost),
    port: httpPort,
  };
}
