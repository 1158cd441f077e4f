import { z } from 'zod';
import { idSchema, nameSchema, permissionsSchema, TOKEN_SECONDS_MAX } from '../auth/credential-members.ts';
import type { QuotasJson } from '../auth/credentials-json.ts';
import type { Permission } from '../auth/permissions.ts';
import { anySize } from '../config/setting-values.ts';
import { OptionReader, type Reading } from './option-reader.ts';
import { COMMANDS, COMMON_OPTIONS, type CommandName, OPTIONS, type Usage } from './usage.ts';

export interface Invocation {
  readonly command: CommandName;
  /** The name or the id behind the command; empty where there is none. */
  readonly argument: string;
  readonly id: string | undefined;
  readonly name: string | undefined;
  readonly quotas: QuotasJson;
  readonly projects: readonly string[];
  readonly allProjects: boolean;
  readonly permissions: readonly Permission[];
  readonly expiresInSeconds: number | undefined;
  readonly json: boolean;
  /** The running service to go through; without it, the data directory. */
  readonly server: URL | undefined;
}

/** Understands a command line. Finds every mistake, and repeats no value: it may be a token in the wrong place. */
export function readInvocation(args: readonly string[]): Reading<Invocation> {
  const reader = new OptionReader(args, { ...OPTIONS, ...COMMON_OPTIONS });
  if (reader.asksForHelp) return { show: 'help' };
  const command = reader.positionals.slice(0, 2).join(' ');
  if (!isCommand(command)) {
    return {
      mistakes: [
        `these are the commands: ${Object.keys(COMMANDS).join(', ')}; see ironcached ${args[0]} --help`,
      ],
    };
  }
  const usage: Usage = COMMANDS[command];
  reader.refuseOthers([...usage.options, ...Object.keys(COMMON_OPTIONS)], command);
  reader.refuseRepeated();
  reader.mistakes.push(...contradictions(reader, command));
  const invocation = {
    command,
    argument: argumentOf(reader, usage.argument),
    id: reader.checked('id', idSchema),
    name: reader.checked('name', nameSchema),
    quotas: quotasOf(reader),
    projects: reader.list('project', idSchema),
    allProjects: reader.flag('all-projects'),
    permissions: reader.checked('permissions', permissionList) ?? ['read', 'write'],
    expiresInSeconds: reader.checked('expires-in', duration),
    json: reader.flag('json'),
    server: reader.checked('server', serverUrl),
  } as const;
  return reader.reading(invocation, reader.settings());
}

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400 };

const permissionList = z
  .string()
  .transform((text) => text.split(',').map((each) => each.trim()))
  .pipe(permissionsSchema);

const duration = z
  .string()
  .regex(/^[1-9]\d{0,8}[smhd]$/, { error: 'must be a time like 90d, 12h, 30m or 60s' })
  .transform((text) => Number.parseInt(text, 10) * (SECONDS[text.slice(-1)] ?? 1))
  .refine((seconds) => seconds <= TOKEN_SECONDS_MAX, { error: 'must be at most 3650d (ten years)' });

const count = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, { error: 'must be a whole number above 0, or none' })
  .transform(Number);

const size = z.string().transform((text, context) => {
  const bytes = anySize.read(text);
  if (bytes !== undefined) return bytes;
  context.addIssue('must be a size like 64mb, or none');
  return z.NEVER;
});

/** The address of a running service. */
export const serverUrl = z
  .url({ protocol: /^https?$/, error: 'must be an address like http://127.0.0.1:8080' })
  .transform((text) => new URL(text));

function contradictions(reader: OptionReader, command: CommandName): string[] {
  if (reader.isGiven('project') && reader.isGiven('all-projects'))
    return ['--project and --all-projects exclude each other'];
  if (command === 'project change' && !COMMANDS[command].options.some((option) => reader.isGiven(option)))
    return ['nothing is to be changed: give --name, --bytes, --items or --requests-per-second'];
  return [];
}

function isCommand(text: string): text is CommandName {
  return Object.hasOwn(COMMANDS, text);
}

function argumentOf(reader: OptionReader, wanted: Usage['argument']): string {
  const argument = reader.argument(reader.positionals.slice(2), wanted);
  if (!wanted) return '';
  if (argument !== undefined) {
    return reader.valid(`the ${wanted}`, wanted === 'ID' ? idSchema : nameSchema, argument) ?? '';
  }
  reader.mistakes.push(`the ${wanted} is missing`);
  return '';
}

function quotasOf(reader: OptionReader): QuotasJson {
  const read = <S extends z.ZodType<number>>(name: string, schema: S) => {
    const text = reader.text(name);
    if (text === undefined) return undefined;
    return text === 'none' ? null : reader.valid(`--${name}`, schema, text);
  };
  const [bytes, items] = [read('bytes', size), read('items', count)];
  const requests = read('requests-per-second', count);
  return {
    ...(bytes !== undefined && { bytes }),
    ...(items !== undefined && { items }),
    ...(requests !== undefined && { requests_per_second: requests }),
  };
}
