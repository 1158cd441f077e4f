import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { type Config, readConfig } from '../config.ts';
import type { OptionTable } from './option-table.ts';

/** What a command line asks for, and the settings that hold for it; or what is wrong with either. */
export type Reading<T> =
  | { readonly asked: T; readonly config: Config }
  | { readonly show: 'help' }
  | { readonly mistakes: readonly string[] };

/**
 * Reads a command line option by option, and collects what is wrong with it. Repeats no value: it may be a token in the
 * wrong place.
 */
export class OptionReader {
  readonly mistakes: string[] = [];
  /** What stands there besides options. */
  readonly positionals: readonly string[];
  readonly #table: OptionTable;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #given: readonly { readonly name: string; readonly rawName: string }[];

  /** `table`: all options there are, but for --help. */
  constructor(args: readonly string[], table: OptionTable) {
    const options = Object.entries(table).map(([name, { value, isRepeatable = false }]) => {
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [name, { type, multiple: isRepeatable }];
    });
    const { values, positionals, tokens } = parseArgs({
      args: [...args],
      options: { ...Object.fromEntries(options), help: { type: 'boolean', short: 'h' } },
      strict: false,
      allowPositionals: true,
      tokens: true,
    });
    this.positionals = positionals;
    this.#table = table;
    this.#values = values;
    this.#given = tokens.filter((token) => token.kind === 'option');
  }

  get asksForHelp(): boolean {
    return this.#values['help'] === true;
  }

  isGiven(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'string') return value;
    this.mistakes.push(`--${name} needs a value`);
    return undefined;
  }

  /** An option without a value. */
  flag(name: string): boolean {
    const value = this.#values[name];
    // With a value, such as `--add=false`, nobody knows what was meant.
    if (typeof value === 'string') this.mistakes.push(`--${name} takes no value`);
    return value === true;
  }

  checked<S extends z.ZodType>(name: string, schema: S): z.output<S> | undefined {
    const text = this.text(name);
    return text === undefined ? undefined : this.valid(`--${name}`, schema, text);
  }

  list(name: string, schema: z.ZodType<string>): string[] {
    const values = this.#values[name];
    return (Array.isArray(values) ? values : []).flatMap(
      (value) => this.valid(`--${name}`, schema, value) ?? [],
    );
  }

  /** Those of the settings that commands take, as flags of the service. */
  settings(): string[] {
    return ['data-dir', 'admin-token'].flatMap((name) => {
      const value = this.text(name);
      return value === undefined ? [] : [`--${name}=${value}`];
    });
  }

  /** Refuses what was given besides the options that a command has. */
  refuseOthers(known: readonly string[], command: string): void {
    for (const { name, rawName } of this.#given) {
      if (known.includes(name)) continue;
      const [program] = command.split(' ');
      this.mistakes.push(`${rawName}: ${command} has no such option; see ironcached ${program} --help`);
    }
  }

  /** Refuses what was given twice and is not repeatable: one of them would be left out without a word. */
  refuseRepeated(): void {
    const names = new Set<string>();
    for (const { name, rawName } of this.#given) {
      if (this.#table[name]?.isRepeatable) continue;
      if (names.has(name)) this.mistakes.push(`${rawName} can be given once`);
      names.add(name);
    }
  }

  /** What stands behind the command, if it takes anything: its name, for the mistakes. */
  argument(given: readonly string[], wanted: string | undefined): string | undefined {
    const [argument, ...more] = given;
    if (more.length === 0 && (wanted || argument === undefined)) return argument;
    this.mistakes.push(`there is an argument too many; it takes ${wanted ?? 'none'}`);
    return argument;
  }

  valid<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> | undefined {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    this.mistakes.push(`${what} ${result.error.issues[0]?.message}`);
    return undefined;
  }

  /** What was read, with what `settings` gave; or every mistake in it, else in all the settings. */
  reading<T>(asked: T, settings: readonly string[]): Reading<T> {
    if (this.mistakes.length > 0) return { mistakes: this.mistakes };
    const read = readConfig(settings);
    return 'config' in read
      ? { asked, config: read.config }
      : { mistakes: 'mistakes' in read ? read.mistakes : [] };
  }
}

/** Writes what is wrong with a command line, and gives the exit status. */
export function tellMistakes(mistakes: readonly string[], err: { write(text: string): unknown }): number {
  err.write(mistakes.map((mistake) => `ironcached: ${mistake}\n`).join(''));
  return 2;
}
