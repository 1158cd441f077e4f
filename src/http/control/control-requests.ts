import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { NewProject, NewToken, ProjectChange } from '../../auth/credential-changes.ts';
import { quotaChangesFrom, quotasFrom } from '../../auth/credentials-json.ts';
import { mistakesIn } from '../../auth/schema-mistakes.ts';
import type { CacheSettings } from '../../engine/cache-settings.ts';
import { readBody } from '../body.ts';
import { HttpRefusal } from '../http-refusal.ts';
import { readMembers } from '../json-members.ts';
import { settingsFrom } from './cache-settings-json.ts';
import type { newToken } from './control-bodies.ts';

/*
 * What the control plane is asked for. Each function reads a whole body and throws HttpRefusal: 400 (what is wrong
 * with which member), 406 (which member is missing) and 413.
 */

/** The largest body that the control plane reads, in bytes: a token with thousands of projects. */
export const CONTROL_BODY_BYTES_MAX = 65_536;

export async function readNewProject(message: IncomingMessage): Promise<NewProject> {
  const { newProject } = await import('./control-bodies.ts');
  const { id, name, status, quotas } = await read(message, newProject, ['name']);
  return { id, name, suspended: status === 'suspended', quotas: quotasFrom(quotas ?? {}) };
}

export async function readProjectChange(message: IncomingMessage): Promise<ProjectChange> {
  const { projectChange } = await import('./control-bodies.ts');
  const { name, status, quotas = {} } = await read(message, projectChange);
  return {
    ...(name !== undefined && { name }),
    ...(status !== undefined && { suspended: status === 'suspended' }),
    quotas: quotaChangesFrom(quotas),
  };
}

/** `now`: in milliseconds since the Unix epoch. */
export async function readNewToken(message: IncomingMessage, now: number): Promise<NewToken> {
  const { newToken } = await import('./control-bodies.ts');
  const asked = await read(message, newToken, ['name', 'projects']);
  const { name, projects, permissions = ['read', 'write'], admin = false, token: text } = asked;
  return {
    name,
    projects,
    permissions: admin && !permissions.includes('admin') ? [...permissions, 'admin'] : permissions,
    expiresAt: expiryOf(asked, now),
    text,
  };
}

export async function readCacheSettings(message: IncomingMessage): Promise<CacheSettings> {
  const { cacheSettings } = await import('./cache-settings-schema.ts');
  return settingsFrom(await read(message, cacheSettings));
}

function expiryOf(asked: z.output<typeof newToken>, now: number): number | undefined {
  const { expires_in: seconds, expires_at: time } = asked;
  if (typeof seconds === 'number' && typeof time === 'number') {
    throw new HttpRefusal(400, 'expires_in and expires_at exclude each other. Send one of them.');
  }
  if (typeof time === 'number' && time <= now) {
    throw new HttpRefusal(400, 'expires_at must be in the future.');
  }
  return typeof seconds === 'number' ? now + seconds * 1000 : (time ?? undefined);
}

async function read<S extends z.ZodObject>(
  message: IncomingMessage,
  schema: S,
  needed: readonly string[] = [],
): Promise<z.output<S>> {
  const { examples } = schema.meta() ?? {};
  const example = JSON.stringify((examples as unknown[])[0]);
  const body = await readBody(message, CONTROL_BODY_BYTES_MAX);
  // Members that are not given have defaults; but a body that was forgotten should change nothing.
  if (body.length === 0 && needed.length === 0) {
    throw new HttpRefusal(400, `The body is empty. Send a JSON object, like ${example}.`);
  }
  const members = readMembers(body, example);
  const missing = needed.find((name) => !members.has(name));
  if (missing !== undefined) {
    throw new HttpRefusal(406, `The member "${missing}" is missing. Send a JSON object, like ${example}.`);
  }
  const known = Object.keys(schema.shape);
  // If it were ignored, a misspelt expires_in would make a token for ever. The name is not repeated: it may be a
  // secret.
  if ([...members.keys()].some((name) => !known.includes(name))) {
    throw new HttpRefusal(400, `There is a member that is not known; these are: ${known.join(', ')}.`);
  }
  const result = schema.safeParse(Object.fromEntries([...members].map(([name, { value }]) => [name, value])));
  if (result.success) return result.data;
  throw new HttpRefusal(400, `${mistakesIn(result.error.issues)[0]}.`);
}
